//! The declared type of a column, as far as routing and merging need it.

use crate::Collation;

/// How many bytes an integer column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntWidth {
    /// TINYINT, 1 byte.
    Tiny,
    /// SMALLINT, 2 bytes.
    Small,
    /// MEDIUMINT, 3 bytes.
    Medium,
    /// INT, 4 bytes.
    Int,
    /// BIGINT, 8 bytes.
    Big,
}

impl IntWidth {
    /// The smallest and largest value of a column of this width.
    #[must_use]
    pub fn range(self, unsigned: bool) -> (i128, i128) {
        let bits = match self {
            Self::Tiny => 8,
            Self::Small => 16,
            Self::Medium => 24,
            Self::Int => 32,
            Self::Big => 64,
        };
        if unsigned { (0, (1 << bits) - 1) } else { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) }
    }
}

/// A column's declared type ([manual, "Data Types"](https://dev.mysql.com/doc/refman/8.4/en/data-types.html)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// TINYINT to BIGINT.
    Int {
        /// Bytes.
        width: IntWidth,
        /// UNSIGNED, or ZEROFILL, which implies it.
        unsigned: bool,
    },
    /// DECIMAL(precision, scale).
    Decimal {
        /// Digits in all, at most 65.
        precision: u8,
        /// Digits after the point, at most 38.
        scale: u8,
        /// UNSIGNED.
        unsigned: bool,
    },
    /// FLOAT.
    Float {
        /// The D of FLOAT(M,D), to which values are rounded, and which says how they, and what is computed of them, are printed.
        decimals: Option<u8>,
    },
    /// DOUBLE or REAL.
    Double {
        /// The D of DOUBLE(M,D).
        decimals: Option<u8>,
    },
    /// CHAR, VARCHAR and the TEXT types.
    Text {
        /// The largest length in characters; `None` for the TEXT types without one.
        length: Option<u32>,
        /// How values compare; `None` when the definition leaves it to a default that is not known here.
        collation: Option<Collation>,
    },
    /// BINARY, VARBINARY and the BLOB types.
    Binary {
        /// The largest length in bytes; `None` for the BLOB types.
        length: Option<u32>,
        /// BINARY(n) pads with zero bytes when stored.
        fixed: bool,
    },
    /// DATE.
    Date,
    /// DATETIME(fsp).
    DateTime {
        /// Digits of fractional seconds, 0 to 6.
        fsp: u8,
    },
    /// TIMESTAMP(fsp): stored in UTC, seen in the session's time zone.
    Timestamp {
        /// Digits of fractional seconds, 0 to 6.
        fsp: u8,
    },
    /// TIME(fsp), from -838:59:59 to 838:59:59.
    Time {
        /// Digits of fractional seconds, 0 to 6.
        fsp: u8,
    },
    /// YEAR.
    Year,
    /// BIT(bits).
    Bit {
        /// 1 to 64.
        bits: u8,
    },
    /// ENUM; sorts by index.
    Enum {
        /// The members in order; the index of the first is 1.
        members: Vec<String>,
        /// How values compare.
        collation: Option<Collation>,
    },
    /// SET; sorts by its bits.
    Set {
        /// The members in order; the first is bit 0.
        members: Vec<String>,
        /// How values compare.
        collation: Option<Collation>,
    },
    /// JSON.
    Json,
    /// Anything else, spatial types for one, by the name the server prints.
    Other(String),
}

impl ColumnType {
    /// TINYINT to BIGINT.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Int { .. })
    }

    /// Character strings, which compare by a collation: CHAR, VARCHAR, TEXT.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// The collation that comparisons of this column use, where it is known.
    #[must_use]
    pub fn collation(&self) -> Option<&Collation> {
        match self {
            Self::Text { collation, .. } | Self::Enum { collation, .. } | Self::Set { collation, .. } => {
                collation.as_ref()
            }
            _ => None,
        }
    }
}
