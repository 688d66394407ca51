//! The connections that a session keeps between its statements, and why.
//!
//! Temporary tables, locked tables and named locks live in a server's session and end with it, so the connection that
//! has them must do all of this session's work on its group, and nobody else's. [`Pins`] knows which groups those are
//! and holds their connections while they are idle. It does no I/O: a connection that must not be used again is
//! spoiled, and closes when it is dropped.

mod pin;
mod reason;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serval_remote::Connection;
use serval_types::GroupId;

use pin::{Pin, Place};
pub use reason::PinReason;

/// The number of connections that do not become a pin's: replicas, and those that only have warnings to tell.
pub(crate) const NEVER_KEPT: u64 = 0;

/// What a group's pin was for when its connection was lost.
pub(crate) type Lost = Vec<(GroupId, PinReason)>;

/// The pins of one session.
#[derive(Debug)]
pub(crate) struct Pins<C> {
    pins: BTreeMap<GroupId, Pin<C>>,
    /// Connections of these groups that were handed out under a lower number must be closed when they come back.
    spoiled: Vec<(GroupId, u64)>,
    lost: Lost,
    /// LOCK TABLES has come to its end, on all groups.
    locks_whole: bool,
    next_number: u64,
}

/// What a group's pin has to offer.
pub(crate) enum Offer<C> {
    /// The group is not pinned.
    Unpinned,
    /// It is, and the connection that is taken now becomes the kept one.
    Open,
    /// The kept connection, with the number that it goes by.
    Kept(C, u64),
    /// The kept connection is in use by the same statement.
    Busy,
    /// The kept connection is gone, and this with it. Said once.
    Lost(Lost),
}

impl<C: Connection> Pins<C> {
    pub(crate) fn new() -> Self {
        Self {
            pins: BTreeMap::new(),
            spoiled: Vec::new(),
            lost: Vec::new(),
            locks_whole: false,
            next_number: 0,
        }
    }

    /// Keeps the connection of `group` from now on.
    pub(crate) fn pin(&mut self, group: GroupId, reason: PinReason) {
        self.pins.entry(group).or_insert_with(Pin::new).add(reason);
    }

    /// Takes one reason away; with the last one the connection is given up.
    pub(crate) fn unpin(&mut self, group: GroupId, reason: PinReason) {
        self.locks_whole &= reason != PinReason::LockTables;
        let Some(pin) = self.pins.get_mut(&group) else { return };
        // What is lost is only forgotten when the client has been told.
        if matches!(pin.place, Place::Lost) || !pin.reasons.remove(&reason) || !pin.reasons.is_empty() {
            return;
        }
        let lasting = pin.lasting;
        self.give_up(group, lasting);
    }

    /// Notes that all connections of an attempt are pinned.
    pub(crate) fn succeeded(&mut self, reason: PinReason) {
        self.locks_whole |= reason == PinReason::LockTables;
    }

    /// Takes a reason away from all groups because what it was for never came about, in a way that leaves the
    /// connections unfit for anything else.
    pub(crate) fn abandon(&mut self, reason: PinReason) {
        let groups: Vec<GroupId> = self.pins.keys().copied().collect();
        for group in groups {
            let Some(pin) = self.pins.get_mut(&group) else { continue };
            if !pin.reasons.remove(&reason) {
                continue;
            }
            if pin.reasons.is_empty() {
                self.give_up(group, true);
                continue;
            }
            if let Place::Here(connection, _) = &mut pin.place {
                connection.spoil();
            }
            pin.place = Place::Lost;
            spoil(&mut self.spoiled, group, self.next_number);
        }
    }

    /// Takes a reason away whose cause a server has refused. Other reasons keep their connection.
    pub(crate) fn refused(&mut self, group: GroupId, reason: PinReason) {
        let Some(pin) = self.pins.get_mut(&group) else { return };
        if pin.reasons.remove(&reason) && pin.reasons.is_empty() {
            self.give_up(group, true);
        }
    }

    /// Whether a group is pinned for this reason.
    pub(crate) fn holds_for(&self, group: GroupId, reason: PinReason) -> bool {
        self.pins.get(&group).is_some_and(|pin| pin.reasons.contains(&reason))
    }

    /// Gives all connections up; they close.
    pub(crate) fn clear(&mut self) {
        let groups: Vec<GroupId> = self.pins.keys().copied().collect();
        for group in groups {
            self.give_up(group, true);
        }
        self.lost.clear();
    }

    /// Every reason of every pinned group, in their order.
    pub(crate) fn list(&self) -> Vec<(GroupId, PinReason)> {
        let pins = self.pins.iter();
        pins.flat_map(|(group, pin)| pin.reasons.iter().map(|reason| (*group, *reason))).collect()
    }

    /// Whether a group is pinned.
    pub(crate) fn holds(&self, group: GroupId) -> bool {
        self.pins.contains_key(&group)
    }

    /// What was lost since the last call, for the session to forget.
    pub(crate) fn take_lost(&mut self) -> Lost {
        std::mem::take(&mut self.lost)
    }

    /// The connection to use for `group`.
    pub(crate) fn offer(&mut self, group: GroupId) -> Offer<C> {
        let Some(pin) = self.pins.get_mut(&group) else { return Offer::Unpinned };
        match std::mem::replace(&mut pin.place, Place::Open) {
            Place::Open => Offer::Open,
            Place::Here(connection, number) => {
                pin.place = Place::Away(number);
                pin.warned = false;
                Offer::Kept(connection, number)
            }
            Place::Away(number) => {
                pin.place = Place::Away(number);
                Offer::Busy
            }
            Place::Lost => {
                pin.place = Place::Lost;
                Offer::Lost(self.forget_lost())
            }
        }
    }

    /// The number of a connection that is handed out and may be kept. Others have [`NEVER_KEPT`].
    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Notes that the connection of this number was taken for a pin that had none.
    pub(crate) fn went(&mut self, group: GroupId, number: u64) {
        if let Some(pin) = self.pins.get_mut(&group)
            && matches!(pin.place, Place::Open)
        {
            pin.place = Place::Away(number);
        }
    }

    /// A connection comes back: kept where its group is pinned. Gives back one that is nobody's.
    pub(crate) fn come_back(&mut self, returned: Returned<C>) -> Option<C> {
        let Returned { group, number, mut connection, is_idle, warned } = returned;
        if let Some(pin) = self.pins.get_mut(&group).filter(|pin| pin.is_of(number)) {
            if is_idle {
                pin.warned = warned;
                pin.place = Place::Here(connection, number);
            } else {
                connection.spoil();
                self.lose(group);
            }
            return None;
        }
        let is_spoiled = |(spoiled, below): &(GroupId, u64)| *spoiled == group && number < *below;
        if number != NEVER_KEPT && self.spoiled.iter().any(is_spoiled) {
            connection.spoil();
            return None;
        }
        Some(connection)
    }

    /// The connection of this number broke. What is lost with it, if it was a kept one; the pins are then gone.
    pub(crate) fn broke(&mut self, group: GroupId, number: u64) -> Option<Lost> {
        self.pins.get(&group).filter(|pin| pin.is_of(number))?;
        self.lose(group);
        Some(self.forget_lost())
    }

    /// Kept connections whose last statement left warnings.
    pub(crate) fn take_warned(&mut self) -> Vec<(GroupId, C, u64)> {
        let mut taken = Vec::new();
        for (group, pin) in self.pins.iter_mut().filter(|(_, pin)| pin.warned) {
            match std::mem::replace(&mut pin.place, Place::Open) {
                Place::Here(connection, number) => {
                    pin.place = Place::Away(number);
                    pin.warned = false;
                    taken.push((*group, connection, number));
                }
                place => pin.place = place,
            }
        }
        taken
    }

    /// Locks on tables are one thing: where a part of them is lost, the rest is worth nothing.
    fn lose(&mut self, group: GroupId) {
        let locks = self.locks_whole && self.holds_for(group, PinReason::LockTables);
        for (other, pin) in &mut self.pins {
            if *other != group && !(locks && pin.reasons.contains(&PinReason::LockTables)) {
                continue;
            }
            if let Place::Here(connection, _) = &mut pin.place {
                connection.spoil();
            }
            pin.place = Place::Lost;
            spoil(&mut self.spoiled, *other, self.next_number);
        }
    }

    fn forget_lost(&mut self) -> Lost {
        let lost = self.pins.extract_if(.., |_, pin| matches!(pin.place, Place::Lost));
        let lost: Lost = lost
            .flat_map(|(group, pin)| pin.reasons.into_iter().map(move |reason| (group, reason)))
            .collect();
        self.lost.extend(&lost);
        lost
    }

    fn give_up(&mut self, group: GroupId, close: bool) {
        let Some(pin) = self.pins.remove(&group) else { return };
        if !close {
            return;
        }
        match pin.place {
            Place::Here(mut connection, _) => connection.spoil(),
            // Wherever it is, in a transaction perhaps.
            Place::Open | Place::Away(_) | Place::Lost => spoil(&mut self.spoiled, group, self.next_number),
        }
    }
}

/// A connection that somebody let go of.
pub(crate) struct Returned<C> {
    pub(crate) group: GroupId,
    pub(crate) number: u64,
    pub(crate) connection: C,
    /// Its last answer was read to the end, and it is in no transaction.
    pub(crate) is_idle: bool,
    pub(crate) warned: bool,
}

fn spoil(spoiled: &mut Vec<(GroupId, u64)>, group: GroupId, last_number: u64) {
    spoiled.retain(|(other, _)| *other != group);
    spoiled.push((group, last_number + 1));
}
