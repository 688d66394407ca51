//! Circles among waits.

use std::collections::{BTreeMap, BTreeSet};

use serval_types::GroupId;

use crate::gtrid::Gtrid;

/// Somebody who waits or is waited for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waiter {
    /// A transaction over several groups.
    Global(Gtrid),
    /// A connection of which no more is known.
    Connection(GroupId, u32),
}

/// One waits for the other, on a connection of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait {
    pub(crate) who: Waiter,
    pub(crate) whom: Waiter,
    pub(crate) at: (GroupId, u32),
}

impl Waiter {
    /// The same, under the name of its transaction if that is known.
    fn named(&self, names: &BTreeMap<(GroupId, u32), Gtrid>) -> Self {
        match self {
            Self::Connection(group, thread) => match names.get(&(*group, *thread)) {
                Some(gtrid) => Self::Global(gtrid.clone()),
                None => self.clone(),
            },
            Self::Global(_) => self.clone(),
        }
    }
}

impl Wait {
    pub(crate) fn named(&self, names: &BTreeMap<(GroupId, u32), Gtrid>) -> Self {
        Self { who: self.who.named(names), whom: self.whom.named(names), at: self.at }
    }

    /// Whether somebody of whom nothing is known has part in it.
    pub(crate) fn has_stranger(&self) -> bool {
        [&self.who, &self.whom].into_iter().any(|waiter| matches!(waiter, Waiter::Connection(..)))
    }
}

/// The waits of one circle; empty where there is none.
pub(crate) fn circle(waits: &BTreeSet<Wait>) -> Vec<Wait> {
    waits
        .iter()
        .find_map(|wait| way_back(waits, vec![wait.clone()], &mut BTreeSet::new()))
        .unwrap_or_default()
}

/// Continues a way until it is where it began.
fn way_back(waits: &BTreeSet<Wait>, way: Vec<Wait>, seen: &mut BTreeSet<Waiter>) -> Option<Vec<Wait>> {
    let (first, last) = (way.first()?.who.clone(), way.last()?.whom.clone());
    if first == last {
        return Some(way);
    }
    if !seen.insert(last.clone()) {
        return None;
    }
    let onward = waits.iter().filter(|wait| wait.who == last);
    onward.into_iter().find_map(|wait| {
        let longer = way.iter().cloned().chain([wait.clone()]).collect();
        way_back(waits, longer, seen)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gtrid::{Names, new_uuid};

    fn wait(who: u32, whom: u32) -> Wait {
        let waiter = |thread| Waiter::Connection(GroupId(0), thread);
        Wait { who: waiter(who), whom: waiter(whom), at: (GroupId(0), who) }
    }

    #[test]
    fn circles_are_found_among_queues() {
        assert!(circle(&[wait(1, 2), wait(2, 3), wait(4, 2)].into()).is_empty());
        let found = circle(&[wait(1, 2), wait(2, 3), wait(3, 4), wait(4, 2), wait(5, 1)].into());
        assert_eq!(found.iter().map(|wait| wait.at.1).collect::<BTreeSet<_>>(), [2, 3, 4].into());
        assert_eq!(circle(&[wait(7, 7)].into()).len(), 1);
    }

    /// One proxy knows its own connections only; with the other's names the circle closes.
    #[test]
    fn a_circle_closes_with_the_names_of_others() {
        let names = Names::new();
        let (own, other) = (names.make(&new_uuid()), names.make(&new_uuid()));
        let stranger = |group| Waiter::Connection(GroupId(group), 7);
        let global = |gtrid: &Gtrid| Waiter::Global(gtrid.clone());
        let waits = BTreeSet::from([
            Wait { who: global(&own), whom: stranger(0), at: (GroupId(0), 1) },
            Wait { who: stranger(1), whom: global(&own), at: (GroupId(1), 7) },
        ]);
        assert!(circle(&waits).is_empty() && waits.iter().all(Wait::has_stranger));
        let known = BTreeMap::from([((GroupId(0), 7), other.clone()), ((GroupId(1), 7), other)]);
        let joined: BTreeSet<Wait> = waits.iter().map(|wait| wait.named(&known)).collect();
        assert_eq!(circle(&joined).len(), 2);
    }
}
