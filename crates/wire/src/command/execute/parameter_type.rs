//! The type of a parameter.

use crate::WireError;
use crate::packet::ColumnFlags;
use crate::packet::column_type::{
    MYSQL_TYPE_BIT, MYSQL_TYPE_BLOB, MYSQL_TYPE_ENUM, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_INT24, MYSQL_TYPE_JSON,
    MYSQL_TYPE_LONG, MYSQL_TYPE_SET, MYSQL_TYPE_SHORT, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_VECTOR,
    MYSQL_TYPE_YEAR, is_parameter,
};

/// The second byte of an unsigned type.
const UNSIGNED: u8 = 0x80;

/// How a parameter's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParameterType {
    /// One of [`column_type`](crate::packet::column_type).
    pub column_type: u8,
    /// Whether an integer is unsigned.
    pub unsigned: bool,
}

impl ParameterType {
    /// A type that is signed where it is an integer.
    #[must_use]
    pub const fn new(column_type: u8) -> Self {
        Self { column_type, unsigned: false }
    }

    /// Decodes the two bytes of a type.
    ///
    /// # Errors
    /// [`WireError::WrongArguments`] for types that no parameter has. Servers refuse them with the same error.
    pub fn decode([column_type, sign]: [u8; 2]) -> Result<Self, WireError> {
        if !is_parameter(column_type) || !matches!(sign, 0 | UNSIGNED) {
            return Err(WireError::WrongArguments { what: "type of a parameter" });
        }
        Ok(Self { column_type, unsigned: sign == UNSIGNED })
    }

    /// Encodes the type.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.column_type, if self.unsigned { UNSIGNED } else { 0 }]);
    }

    /// The type with the same bytes that every server knows.
    ///
    /// Client libraries send a few types of columns that servers do not take from parameters. MySQL refuses them.
    /// MariaDB takes NULL for the value without stepping over its bytes, and reads all later parameters wrong.
    #[must_use]
    pub const fn portable(self) -> Self {
        let column_type = match self.column_type {
            MYSQL_TYPE_YEAR => MYSQL_TYPE_SHORT,
            MYSQL_TYPE_INT24 => MYSQL_TYPE_LONG,
            MYSQL_TYPE_BIT | MYSQL_TYPE_GEOMETRY | MYSQL_TYPE_VECTOR => MYSQL_TYPE_BLOB,
            MYSQL_TYPE_ENUM | MYSQL_TYPE_SET | MYSQL_TYPE_JSON => MYSQL_TYPE_VAR_STRING,
            same => same,
        };
        Self { column_type, unsigned: self.unsigned }
    }

    /// The flags of a column of this type.
    pub(super) const fn flags(self) -> u16 {
        if self.unsigned { ColumnFlags::UNSIGNED_FLAG.bits() } else { 0 }
    }
}
