//! The status flags that a session's answers carry.

use serval_remote::Backend;
use serval_wire::StatusFlags;
use serval_wire::packet::OkPacket;

use super::Session;

impl<B: Backend> Session<B> {
    /// The flags of the moment.
    pub(crate) fn status(&self) -> StatusFlags {
        let mut status = StatusFlags::empty();
        status.set(StatusFlags::SERVER_STATUS_AUTOCOMMIT, self.autocommit);
        status.set(StatusFlags::SERVER_STATUS_IN_TRANS, self.transaction.is_open());
        status.set(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES, self.options.no_backslash_escapes);
        status
    }

    /// An OK packet with nothing in it but the session's status.
    pub(crate) fn plain_ok(&self) -> OkPacket {
        OkPacket { status: self.status(), ..OkPacket::default() }
    }
}
