//! Conversion of a value to the sharding column's own type, in the two ways a statement uses one: as MySQL stores
//! it, and as MySQL compares it.
//!
//! Storing must be exact or refused: a row on the wrong shard is lost. Comparing may always widen to "anything":
//! that costs time, never rows. So wherever servers or versions differ, storing refuses and comparing widens.

mod moment;
mod number;
mod text;

use std::ops::Bound;

use serval_types::{ColumnType, Value};

use crate::{Key, TextMatch};

pub(crate) use moment::moment_of;

/// The set of values that a sharding column holds, and how they compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Domain {
    /// The column's type is not known yet.
    Unknown,
    /// A type that no shard function takes.
    Unsuitable,
    Integer {
        low: i128,
        high: i128,
    },
    Decimal {
        precision: u8,
        scale: u8,
        unsigned: bool,
    },
    Text(text::TextDomain),
    Binary {
        length: Option<u32>,
        fixed: bool,
    },
    Moment(moment::MomentDomain),
    /// A parent's key: what is equal lies together, and where is written in the parent's rows.
    Following(Kind),
}

/// Types in which a key compares with another exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Decimal,
    Text,
    Binary,
    Date,
    DateTime,
}

/// What storing a value makes of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    Exactly(Key),
    /// Some servers cut excess fractional digits, others round them.
    Rounded(Key, Key),
}

/// The keys that a comparison can match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Candidates {
    /// MySQL would compare in another type than the column's: any row can match.
    Anything,
    Nothing,
    One(Key),
    Range(Bound<Key>, Bound<Key>),
}

impl Domain {
    pub(crate) fn new(column_type: &ColumnType, text_match: TextMatch) -> Self {
        match column_type {
            ColumnType::Int { width, unsigned } => {
                let (low, high) = width.range(*unsigned);
                Self::Integer { low, high }
            }
            ColumnType::Decimal { precision, scale, unsigned } => {
                Self::Decimal { precision: *precision, scale: *scale, unsigned: *unsigned }
            }
            ColumnType::Text { length, collation } => {
                Self::Text(text::TextDomain::new(*length, collation.as_ref(), text_match))
            }
            ColumnType::Binary { length, fixed } => Self::Binary { length: *length, fixed: *fixed },
            ColumnType::Date => Self::Moment(moment::MomentDomain::Date),
            ColumnType::DateTime { fsp } => Self::Moment(moment::MomentDomain::DateTime { fsp: *fsp }),
            ColumnType::Timestamp { fsp } => Self::Moment(moment::MomentDomain::Timestamp { fsp: *fsp }),
            ColumnType::Other(name) if name.is_empty() => Self::Unknown,
            _ => Self::Unsuitable,
        }
    }

    /// That of a column which holds a parent's key.
    pub(crate) fn following(column_type: &ColumnType) -> Self {
        Self::Following(match column_type {
            ColumnType::Int { .. } => Kind::Integer,
            ColumnType::Decimal { .. } => Kind::Decimal,
            ColumnType::Text { .. } => Kind::Text,
            ColumnType::Binary { .. } => Kind::Binary,
            ColumnType::Date => Kind::Date,
            ColumnType::DateTime { .. } => Kind::DateTime,
            ColumnType::Other(name) if name.is_empty() => return Self::Unknown,
            _ => return Self::Unsuitable,
        })
    }

    /// What storing the value makes of it, or why a strict server would refuse it.
    pub(crate) fn stored(&self, value: &Value) -> Result<Stored, String> {
        match self {
            Self::Integer { low, high } => number::store_integer(value, *low, *high).map(Stored::Exactly),
            Self::Decimal { precision, scale, unsigned } => {
                number::store_decimal(value, *precision, *scale, *unsigned).map(Stored::Exactly)
            }
            Self::Text(domain) => domain.stored(value).map(Stored::Exactly),
            Self::Binary { length, fixed } => text::store_binary(value, *length, *fixed).map(Stored::Exactly),
            Self::Moment(domain) => domain.stored(value),
            Self::Following(_) => Err("the parent's row says where it lies".to_owned()),
            Self::Unknown | Self::Unsuitable => Err("no rule takes a column of this type".to_owned()),
        }
    }

    /// The keys that can be equal to a value that is not NULL.
    pub(crate) fn equal(&self, value: &Value) -> Candidates {
        match self {
            Self::Integer { low, high } => number::equal_integer(value, *low, *high),
            Self::Decimal { precision, scale, .. } => number::equal_decimal(value, *precision, *scale),
            Self::Text(domain) => domain.equal(value),
            Self::Binary { length, fixed } => text::equal_binary(value, *length, *fixed),
            Self::Moment(domain) => domain.equal(value),
            Self::Following(_) | Self::Unknown | Self::Unsuitable => Candidates::Anything,
        }
    }

    /// The keys between two bounds that are not NULL.
    pub(crate) fn range(&self, low: Bound<&Value>, high: Bound<&Value>) -> Candidates {
        match self {
            Self::Integer { low: least, high: most } => number::integer_range(low, high, *least, *most),
            Self::Moment(domain) => domain.range(low, high),
            // No function keeps the order of these.
            Self::Decimal { .. }
            | Self::Text(_)
            | Self::Binary { .. }
            | Self::Following(_)
            | Self::Unknown
            | Self::Unsuitable => Candidates::Anything,
        }
    }

    /// Whether a column of this domain holds each value of `other`'s as the same key.
    pub(crate) fn widens(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer { low, high }, Self::Integer { low: least, high: most }) => {
                low <= least && high >= most
            }
            (
                Self::Decimal { precision, scale, unsigned },
                Self::Decimal { precision: digits, scale: fraction, unsigned: positive },
            ) => {
                let whole = |precision: &u8, scale: &u8| precision.saturating_sub(*scale);
                scale >= fraction
                    && whole(precision, scale) >= whole(digits, fraction)
                    && (!unsigned || *positive)
            }
            (Self::Text(wide), Self::Text(narrow)) => wide.widens(narrow),
            // A fixed length is part of the key.
            (Self::Binary { length, fixed }, Self::Binary { length: other, fixed: also }) => {
                fixed == also && if *fixed { length == other } else { is_longer(*length, *other) }
            }
            (Self::Moment(wide), Self::Moment(narrow)) => wide.widens(*narrow),
            (one, two) => one == two,
        }
    }

    /// Whether `a = b` between columns of the two domains implies equal keys.
    pub(crate) fn compares_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer { .. } | Self::Decimal { .. }, Self::Integer { .. } | Self::Decimal { .. })
            | (Self::Binary { .. }, Self::Binary { .. }) => true,
            (Self::Following(a), Self::Following(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a.compares_with(b),
            (Self::Moment(a), Self::Moment(b)) => a.is_civil() && b.is_civil(),
            _ => false,
        }
    }
}

/// Whether what fits into the one length fits into the other. Of two that are not known the types decide.
fn is_longer(length: Option<u32>, other: Option<u32>) -> bool {
    match (length, other) {
        (Some(length), Some(other)) => length >= other,
        (one, two) => one == two,
    }
}
