//! One group's pin: why, and where its connection is.

use std::collections::BTreeSet;

use super::{NEVER_KEPT, PinReason};

/// A group of which the session keeps a connection.
#[derive(Debug)]
pub(super) struct Pin<C> {
    pub(super) reasons: BTreeSet<PinReason>,
    pub(super) place: Place<C>,
    /// Its last statement left warnings that have yet to be fetched.
    pub(super) warned: bool,
    /// One of its reasons, perhaps an earlier one, leaves the server's session changed.
    pub(super) lasting: bool,
}

/// Where the connection of a pin is.
#[derive(Debug)]
pub(super) enum Place<C> {
    /// No statement has used it yet, or the one that a transaction holds already becomes it when it comes back.
    Open,
    /// Idle, with the number it was handed out under.
    Here(C, u64),
    /// In use under this number.
    Away(u64),
    /// It will not come back, and the client has yet to hear of it.
    Lost,
}

impl<C> Pin<C> {
    pub(super) fn new() -> Self {
        Self { reasons: BTreeSet::new(), place: Place::Open, warned: false, lasting: false }
    }

    pub(super) fn add(&mut self, reason: PinReason) {
        self.reasons.insert(reason);
        self.lasting |= reason.is_lasting();
    }

    /// Whether the connection of this number is the one.
    pub(super) fn is_of(&self, number: u64) -> bool {
        match self.place {
            Place::Open => number != NEVER_KEPT,
            Place::Away(away) => away == number,
            Place::Here(..) | Place::Lost => false,
        }
    }
}
