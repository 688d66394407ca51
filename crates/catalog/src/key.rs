//! A sharding column's value after conversion to the column's type, and the bytes that stand for it for ever.

use bigdecimal::BigDecimal;
use smallvec::SmallVec;

use crate::Moment;

/// A value of a sharding column in the one form that all ways of writing it share.
///
/// `7`, `'7'`, `7.0`, `' 7'` and a parameter of any width are all [`Key::Integer`] of 7 once the column is an
/// integer. A shard function sees nothing else.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A whole number of `BIGINT` or `BIGINT UNSIGNED`, of an integer or a DECIMAL column.
    Integer(i128),
    /// Any other exact number, without trailing zeros after the point.
    Decimal(BigDecimal),
    /// A string in its canonical bytes: text in UTF-8 without trailing spaces (and in ASCII lower case where the
    /// table says `match = "ascii_fold"`), or a binary string as it is stored.
    Bytes(SmallVec<[u8; 32]>),
    /// A date, or a date and time.
    Moment(Moment),
}

/// The bytes that stand for a [`Key`] in every hash.
pub type CanonicalBytes = SmallVec<[u8; 32]>;

impl Key {
    /// The number as a key: whole numbers of 64 bits are [`Key::Integer`] whatever the column's type.
    #[must_use]
    pub fn number(value: &BigDecimal) -> Self {
        let normal = value.normalized();
        if normal.is_integer()
            && let Ok(whole) = normal.with_scale(0).as_bigint_and_exponent().0.try_into()
            && (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&whole)
        {
            return Self::Integer(whole);
        }
        Self::Decimal(normal)
    }

    /// The bytes that `hash` and `consistent` see. They never change: rows lie where these bytes put them.
    ///
    /// | Key | Bytes |
    /// |---|---|
    /// | whole number of 64 bits | 8 bytes, little endian, two's complement; above `i64::MAX` the unsigned 8 bytes |
    /// | other number | its shortest decimal text: `-0.5`, `18446744073709551616` |
    /// | string | the string |
    /// | date, or date and time | `2026-11-20 10:11:12.000000` |
    ///
    /// So -1 and 18446744073709551615 share their bytes. They then share a shard, which is harmless.
    #[must_use]
    pub fn canonical_bytes(&self) -> CanonicalBytes {
        match self {
            // The low 64 bits of the two's complement are the same for i64 and u64.
            Self::Integer(value) => CanonicalBytes::from_slice(&value.to_le_bytes()[..8]),
            Self::Decimal(value) => CanonicalBytes::from_slice(value.to_plain_string().as_bytes()),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Moment(moment) => CanonicalBytes::from_slice(moment.to_string().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn number(text: &str) -> Key {
        Key::number(&BigDecimal::from_str(text).expect("a number"))
    }

    #[test]
    fn whole_numbers_share_one_form() {
        assert_eq!(number("7"), Key::Integer(7));
        assert_eq!(number("7.000"), Key::Integer(7));
        assert_eq!(number("700e-2"), Key::Integer(7));
        assert_eq!(number("7e2"), Key::Integer(700));
        assert_eq!(number("18446744073709551615"), Key::Integer(u64::MAX.into()));
        assert!(matches!(number("18446744073709551616"), Key::Decimal(_)));
        assert!(matches!(number("-9223372036854775809"), Key::Decimal(_)));
    }

    #[test]
    fn bytes_are_fixed() {
        assert_eq!(number("1").canonical_bytes()[..], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(number("-1").canonical_bytes()[..], [0xff; 8]);
        assert_eq!(number("18446744073709551615").canonical_bytes()[..], [0xff; 8]);
        assert_eq!(number("-0.50").canonical_bytes()[..], *b"-0.5");
        assert_eq!(number("184467440737095516160").canonical_bytes()[..], *b"184467440737095516160");
        let moment = Moment { year: 2026, month: 1, day: 2, ..Moment::default() };
        assert_eq!(Key::Moment(moment).canonical_bytes()[..], *b"2026-01-02 00:00:00.000000");
    }
}
