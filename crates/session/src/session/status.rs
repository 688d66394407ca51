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
        let in_transaction = self.transaction.is_open();
        status.set(StatusFlags::SERVER_STATUS_IN_TRANS, in_transaction);
        status.set(StatusFlags::SERVER_STATUS_IN_TRANS_READONLY, in_transaction && self.read_only);
        status.set(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES, self.options.no_backslash_escapes);
        let quotes = self.options.ansi_quotes && self.proxy.flavour().is_mariadb();
        status.set(StatusFlags::SERVER_STATUS_ANSI_QUOTES, quotes);
        status
    }

    /// An OK packet with nothing in it but the session's status.
    pub(crate) fn plain_ok(&self) -> OkPacket {
        let session_state = self.changes.encode(&self.state);
        OkPacket { status: self.status(), session_state, ..OkPacket::default() }
    }
}
