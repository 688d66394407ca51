//! What the bytes of a cell are.

use crate::WireError;
use crate::lenenc::Reader;
use crate::packet::ColumnFlags;
use crate::packet::column_type::{
    MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT, MYSQL_TYPE_INT24,
    MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NULL, MYSQL_TYPE_SHORT, MYSQL_TYPE_TIME,
    MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_TINY, MYSQL_TYPE_YEAR,
};
use crate::packet::temporal::{DateTime, Time};

/// A decoded cell or parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// TINYINT to BIGINT, and YEAR without [`UNSIGNED_FLAG`](ColumnFlags::UNSIGNED_FLAG).
    Int(i64),
    /// TINYINT to BIGINT with [`UNSIGNED_FLAG`](ColumnFlags::UNSIGNED_FLAG).
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// Strings, and what travels as one: DECIMAL as its digits, BIT as big-endian bytes, JSON, spatial types.
    Bytes(&'a [u8]),
    /// DATE, DATETIME and TIMESTAMP.
    Date(DateTime),
    /// TIME.
    Time(Time),
}

/// Decodes the bytes of a cell, as [`cells`](super::cells) gives them, by its column's type and flags.
///
/// # Errors
/// [`WireError::Truncated`] and [`WireError::Malformed`] for bytes that are no value of the type.
pub fn value(column_type: u8, flags: u16, bytes: Option<&[u8]>) -> Result<Cell<'_>, WireError> {
    let Some(bytes) = bytes else { return Ok(Cell::Null) };
    let mut reader = Reader::new(bytes, "binary value");
    let unsigned = ColumnFlags::from_bits(flags).contains(ColumnFlags::UNSIGNED_FLAG);
    let cell = match column_type {
        MYSQL_TYPE_NULL => Cell::Null,
        MYSQL_TYPE_TINY if unsigned => Cell::UInt(reader.u8()?.into()),
        MYSQL_TYPE_TINY => Cell::Int(i8::from_le_bytes(reader.array()?).into()),
        MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR if unsigned => Cell::UInt(reader.u16()?.into()),
        MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR => Cell::Int(i16::from_le_bytes(reader.array()?).into()),
        MYSQL_TYPE_LONG | MYSQL_TYPE_INT24 if unsigned => Cell::UInt(reader.u32()?.into()),
        MYSQL_TYPE_LONG | MYSQL_TYPE_INT24 => Cell::Int(i32::from_le_bytes(reader.array()?).into()),
        MYSQL_TYPE_LONGLONG if unsigned => Cell::UInt(reader.u64()?),
        MYSQL_TYPE_LONGLONG => Cell::Int(i64::from_le_bytes(reader.array()?)),
        MYSQL_TYPE_FLOAT => Cell::Float(f32::from_le_bytes(reader.array()?)),
        MYSQL_TYPE_DOUBLE => Cell::Double(f64::from_le_bytes(reader.array()?)),
        MYSQL_TYPE_DATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => {
            Cell::Date(DateTime::decode(reader.take_rest())?)
        }
        MYSQL_TYPE_TIME => Cell::Time(Time::decode(reader.take_rest())?),
        _ => Cell::Bytes(reader.take_rest()),
    };
    if reader.is_empty() { Ok(cell) } else { Err(reader.malformed()) }
}
