//! Dates: DATE, DATETIME and TIMESTAMP columns.

use std::ops::Bound;

use serval_types::Value;

use super::{Candidates, Stored};
use crate::{Key, Moment};

/// A column of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MomentDomain {
    Date,
    DateTime {
        fsp: u8,
    },
    /// As the clock of the rule's time zone shows it: see [`crate::sharding`].
    Timestamp {
        fsp: u8,
    },
}

impl MomentDomain {
    /// Whether values mean the same in every session.
    pub(super) fn is_civil(self) -> bool {
        !matches!(self, Self::Timestamp { .. })
    }

    /// Whether a column of this domain keeps each value of the other's.
    pub(super) fn widens(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other) && self.fsp() >= other.fsp()
    }

    pub(super) fn stored(self, value: &Value) -> Result<Stored, String> {
        let (moment, excess_digits) = read(value).ok_or_else(|| {
            "it is not a date that every server reads alike; write it as '2026-11-20 10:11:12'".to_owned()
        })?;
        if excess_digits {
            return Err("it has more than six fractional digits".to_owned());
        }
        let (cut, rounded) = match self {
            // Servers agree on dropping a time of day, but MySQL rounds the last half second up to the next day.
            Self::Date => (moment.midnight(), moment.rounded(0).map(Moment::midnight)),
            Self::DateTime { fsp } | Self::Timestamp { fsp } => (moment.cut(fsp), moment.rounded(fsp)),
        };
        match rounded {
            Some(rounded) if rounded == cut => Ok(Stored::Exactly(Key::Moment(cut))),
            Some(rounded) => Ok(Stored::Rounded(Key::Moment(cut), Key::Moment(rounded))),
            None => Err("it is past the last date".to_owned()),
        }
    }

    pub(super) fn equal(self, value: &Value) -> Candidates {
        match read(value) {
            Some((moment, false)) if self == Self::Date => Candidates::One(Key::Moment(moment.midnight())),
            Some((moment, false)) if moment.cut(self.fsp()) == moment => Candidates::One(Key::Moment(moment)),
            _ => self.range(Bound::Included(value), Bound::Included(value)),
        }
    }

    pub(super) fn range(self, low: Bound<&Value>, high: Bound<&Value>) -> Candidates {
        let low = self.bound(low, |moment, digits| Some(moment.cut(digits)));
        let high = self.bound(high, Moment::rounded);
        if let (Bound::Unbounded, Bound::Unbounded) = (&low, &high) {
            return Candidates::Anything;
        }
        Candidates::Range(low, high)
    }

    /// A bound, moved outward by `widen` where servers could compare with more or fewer digits.
    fn bound(self, bound: Bound<&Value>, widen: fn(Moment, u8) -> Option<Moment>) -> Bound<Key> {
        let (value, included) = match bound {
            Bound::Included(value) => (value, true),
            Bound::Excluded(value) => (value, false),
            Bound::Unbounded => return Bound::Unbounded,
        };
        let Some((moment, false)) = read(value) else { return Bound::Unbounded };
        let exact = moment.cut(self.fsp()) == moment;
        if exact && !included {
            return Bound::Excluded(Key::Moment(moment));
        }
        widen(moment, self.fsp()).map_or(Bound::Unbounded, |moment| Bound::Included(Key::Moment(moment)))
    }

    /// Digits of the fraction that the column keeps.
    fn fsp(self) -> u8 {
        match self {
            Self::Date => 0,
            Self::DateTime { fsp } | Self::Timestamp { fsp } => fsp,
        }
    }
}

/// The moment that a value names, where that is certain.
pub(crate) fn moment_of(value: &Value) -> Option<Moment> {
    read(value).filter(|(_, more)| !more).map(|(moment, _)| moment)
}

/// The moment that a value names, and whether digits after the sixth of the fraction were left off.
fn read(value: &Value) -> Option<(Moment, bool)> {
    match value {
        Value::Text(text) => Moment::parse_text(std::str::from_utf8(text).ok()?),
        // A time is one of the current day.
        Value::Moment(text) => Moment::parse_text(text),
        Value::Int(number) => {
            Moment::parse_number(u64::try_from(*number).ok()?).map(|moment| (moment, false))
        }
        _ => None,
    }
}
