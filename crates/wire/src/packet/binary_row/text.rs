//! The bytes of a value out of the text that a text row has for it.

use std::ops::Range;
use std::str::FromStr;

use super::write;
use crate::WireError;
use crate::packet::ColumnFlags;
use crate::packet::column_type::{
    MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT,
    MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_NULL,
    MYSQL_TYPE_SHORT, MYSQL_TYPE_TIME, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_TINY, MYSQL_TYPE_YEAR,
};
use crate::packet::temporal::{DateTime, Time};

/// The length of a date without a time of day.
const DATE_LENGTH: usize = "2024-02-29".len();

/// Writes the value that `text` stands for, with its length where the type has one.
///
/// # Errors
/// [`WireError::Malformed`] where it stands for none of the type.
pub(super) fn write_text(
    out: &mut Vec<u8>,
    column_type: u8,
    flags: u16,
    text: &[u8],
) -> Result<(), WireError> {
    let unsigned = ColumnFlags::from_bits(flags).contains(ColumnFlags::UNSIGNED_FLAG);
    match column_type {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR | MYSQL_TYPE_LONG | MYSQL_TYPE_INT24
        | MYSQL_TYPE_LONGLONG => write_integer(out, column_type, unsigned, parse(text)?),
        MYSQL_TYPE_FLOAT => finite(text, f32::is_finite).map(|value| out.extend(value.to_le_bytes())),
        MYSQL_TYPE_DOUBLE => finite(text, f64::is_finite).map(|value| out.extend(value.to_le_bytes())),
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL if !is_decimal(text) => Err(misfit()),
        MYSQL_TYPE_DATE if text.len() > DATE_LENGTH => Err(misfit()),
        MYSQL_TYPE_DATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => {
            DateTime::parse(text).map(|value| value.encode(out))
        }
        MYSQL_TYPE_TIME => Time::parse(text).map(|value| value.encode(out)),
        MYSQL_TYPE_NULL => Err(misfit()),
        _ => write(out, column_type, text),
    }
}

/// Writes an integer in the width of its type.
///
/// # Errors
/// [`WireError::Malformed`] where it is out of the type's range.
pub(super) fn write_integer(
    out: &mut Vec<u8>,
    column_type: u8,
    unsigned: bool,
    value: i128,
) -> Result<(), WireError> {
    let (bits, bytes) = match column_type {
        MYSQL_TYPE_TINY => (8, 1),
        MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR => (16, 2),
        MYSQL_TYPE_INT24 => (24, 4),
        MYSQL_TYPE_LONG => (32, 4),
        MYSQL_TYPE_LONGLONG => (64, 8),
        _ => return Err(misfit()),
    };
    let range: Range<i128> = if unsigned { 0..1 << bits } else { -(1 << (bits - 1))..1 << (bits - 1) };
    if !range.contains(&value) {
        return Err(misfit());
    }
    out.extend(value.to_le_bytes().iter().take(bytes));
    Ok(())
}

fn finite<T: FromStr + Copy>(text: &[u8], is_finite: impl Fn(T) -> bool) -> Result<T, WireError> {
    let value = parse(text)?;
    if is_finite(value) { Ok(value) } else { Err(misfit()) }
}

fn parse<T: FromStr>(text: &[u8]) -> Result<T, WireError> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(misfit)
}

/// Digits with an optional sign and point.
pub(crate) fn is_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let points = digits.iter().filter(|byte| **byte == b'.').count();
    points <= 1 && digits.len() > points && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

const fn misfit() -> WireError {
    WireError::Malformed { what: "text of a value" }
}
