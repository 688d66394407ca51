//! Windows that go on with the clock.
//!
//! Proxies need not agree on the time to the second. So what is read goes one period further, both ways, than what
//! new rows may go to, and what is dropped has been out of reach for one period more: clocks that differ by less than a
//! period do no harm.

use std::fmt;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Context, OptionError, Place};
use super::{Homes, MOST_TABLES, Options, Window};
use crate::Moment;

/// What becomes of the tables of periods that are older than a rule retains.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Expired {
    /// They stay in the rule.
    #[default]
    Keep,
    /// They stay where they are, outside of the rule.
    Detach,
    /// They are dropped.
    Drop,
}

/// What time it is, in UTC, as far as that is known: sure to lie between the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Not later than this it cannot be.
    pub earliest: Moment,
    /// Not earlier than this it cannot be.
    pub latest: Moment,
    /// Whether periods may expire by it.
    pub trusted: bool,
}

/// What of a rule goes on with the clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Rolling {
    /// How many periods ahead have tables.
    pub ahead: u32,
    /// How many periods are retained.
    pub retain: Option<u32>,
    /// What becomes of older ones.
    pub expired: Expired,
    /// The tables of periods that have expired and that no proxy reads any more; empty where they are kept.
    pub passed: Vec<Place>,
}

/// The options.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) ahead: i64,
    retain: Option<u32>,
    expired: Expired,
}

impl fmt::Display for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ahead", self.ahead)?;
        match (self.retain, self.expired) {
            (Some(retain), Expired::Detach) => write!(f, ", {retain} retained and older ones detached"),
            (Some(retain), Expired::Drop) => write!(f, ", {retain} retained and older ones dropped"),
            _ => Ok(()),
        }
    }
}

/// Reads the options of a window that goes on; `None` for one that does not.
pub(super) fn read(options: &Options, context: &Context<'_>, errors: &mut Vec<OptionError>) -> Option<Live> {
    let mut wrong =
        |key: &'static str, message: &str, fix: &str| errors.push(OptionError::new(key, message, fix));
    let Some(ahead) = options.ahead else {
        if options.to.is_none() {
            wrong(
                "from",
                "where the window ends is not said",
                "add `to`, or `ahead` for one that goes on with the clock",
            );
        }
        if options.retain.is_some() || options.expired.is_some() {
            let key = if options.retain.is_some() { "retain" } else { "expired" };
            wrong(
                key,
                "a window that does not go on with the clock keeps all of its periods",
                "add `ahead`, or remove it",
            );
        }
        return None;
    };
    if options.to.is_some() {
        wrong("ahead", "the window ends with `to` and goes on with `ahead`", "keep one of the two");
    }
    if context.tables.is_none() {
        wrong(
            "ahead",
            "a window goes on by tables of its periods, and `tables` does not name any",
            "add `tables`",
        );
    }
    if options.periods.is_some() {
        wrong(
            "periods",
            "a window that goes on has no list of periods",
            "remove it: periods go round the nodes",
        );
    }
    if options.before.is_some() || options.after.is_some() {
        let key = if options.before.is_some() { "before" } else { "after" };
        wrong(key, "a window that goes on takes no rows from outside of it", "remove it");
    }
    if context.default.is_some() {
        let message = "rows of a later period would lie in the default's table when the window reaches it";
        wrong("ahead", message, "remove the rule's `default`");
    }
    if options.expired.unwrap_or_default() != Expired::Keep && options.retain.is_none() {
        wrong("expired", "how many periods are retained is not said", "add `retain`");
    }
    Some(Live { ahead: ahead.into(), retain: options.retain, expired: options.expired.unwrap_or_default() })
}

impl Window {
    /// The periods that new rows may go to.
    pub(super) fn open(&self) -> RangeInclusive<i64> {
        let last = self.first + self.length() - 1;
        let first = if self.first > self.base { self.first + 1 } else { self.first };
        first..=(last - 1).max(self.base)
    }

    /// This window at a time; `None` where it is the same.
    pub(super) fn at(&self, clock: &Clock) -> Option<Self> {
        let live = self.live.as_ref()?;
        // A column may hold the local time of any place on Earth.
        let latest = self.unit.number(&clock.latest.plus_hours(14)?);
        let earliest = self.unit.number(&clock.earliest.plus_hours(-12)?);
        // Never back: what has been written or dropped stays so, whatever clocks do.
        let last = (latest + live.ahead + 1).max(self.first + self.length() - 1);
        let first = match live.retain.filter(|_| clock.trusted && live.expired != Expired::Keep) {
            Some(retain) => (earliest - i64::from(retain) - 1).max(self.first),
            None => self.first,
        };
        let count = usize::try_from(last - first + 1).ok()?.min(MOST_TABLES);
        if first == self.first && count == self.count {
            return None;
        }
        Some(Self { first, count, live: self.live.clone(), homes: Homes::Round(self.nodes), ..*self })
    }

    /// What the outside sees of it.
    pub(super) fn view(&self, live: &Live) -> Rolling {
        let passed = match live.expired {
            Expired::Keep => Vec::new(),
            Expired::Detach | Expired::Drop => {
                (self.base..self.first - 1).map(|period| self.place_of(period)).collect()
            }
        };
        Rolling {
            ahead: u32::try_from(live.ahead).unwrap_or(u32::MAX),
            retain: live.retain,
            expired: live.expired,
            passed,
        }
    }
}

#[cfg(test)]
mod tests;
