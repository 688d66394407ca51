//! Something that pins connections and may fail half-way.

use std::sync::Arc;

use serval_remote::Connection;
use serval_types::GroupId;

use super::Caught;
use crate::pins::PinReason;

/// Something that pins connections and may fail half-way, by an error or by being given up.
pub(crate) struct Attempt<C: Connection> {
    pub(super) reason: PinReason,
    pub(super) caught: Arc<Caught<C>>,
    pub(super) succeeded: bool,
}

impl<C: Connection> Attempt<C> {
    /// A server has refused it, which leaves the connection as it was: what else is pinned there stays.
    pub(crate) fn refused(mut self, group: GroupId) {
        self.succeeded = true;
        self.caught.pins.lock().refused(group, self.reason);
        self.caught.publish();
    }

    /// The pins are to stay.
    pub(crate) fn succeed(mut self) {
        self.succeeded = true;
        self.caught.pins.lock().succeeded(self.reason);
    }
}

impl<C: Connection> Drop for Attempt<C> {
    fn drop(&mut self) {
        if !self.succeeded {
            self.caught.pins.lock().abandon(self.reason);
            self.caught.publish();
        }
    }
}
