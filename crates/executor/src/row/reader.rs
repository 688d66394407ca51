//! What the bytes of a cell are worth.
//!
//! Strings, DECIMAL and BIT are the same bytes in both encodings, so those need no reading.

use serval_wire::binary_row::{self, Cell};
use serval_wire::packet::ColumnDefinition;

use super::Encoding;
use crate::number::parse_double;

/// Reads the cells of one column. Every function gives `None` for bytes that are no such value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    encoding: Encoding,
    column_type: u8,
    flags: u16,
}

impl Reader {
    pub(crate) fn new(encoding: Encoding, column: &ColumnDefinition) -> Self {
        Self { encoding, column_type: column.column_type, flags: column.flags }
    }

    /// An integer, or a YEAR.
    pub(crate) fn integer(self, cell: &[u8]) -> Option<i128> {
        match self.encoding {
            Encoding::Text => integer(cell),
            Encoding::Binary => match self.binary(cell)? {
                Cell::Int(value) => Some(value.into()),
                Cell::UInt(value) => Some(value.into()),
                _ => None,
            },
        }
    }

    /// A FLOAT or DOUBLE.
    pub(crate) fn double(self, cell: &[u8]) -> Option<f64> {
        match self.encoding {
            Encoding::Text => parse_double(cell),
            Encoding::Binary => match self.binary(cell)? {
                Cell::Float(value) => Some(value.into()),
                Cell::Double(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A TIME in microseconds.
    pub(crate) fn time(self, cell: &[u8]) -> Option<i128> {
        match self.encoding {
            Encoding::Text => time(std::str::from_utf8(cell).ok()?),
            Encoding::Binary => match self.binary(cell)? {
                Cell::Time(value) => Some(value.total_microseconds()),
                _ => None,
            },
        }
    }

    /// A number by which the dates of a binary column compare; the text of one compares as it is.
    pub(crate) fn binary_date(self, cell: &[u8]) -> Option<i128> {
        let Cell::Date(date) = self.binary(cell)? else { return None };
        let parts = [date.month, date.day, date.hour, date.minute, date.second];
        let second = parts.into_iter().fold(i128::from(date.year), |sum, part| sum << 8 | i128::from(part));
        Some(second << 32 | i128::from(date.microsecond))
    }

    fn binary(self, cell: &[u8]) -> Option<Cell<'_>> {
        binary_row::value(self.column_type, self.flags, Some(cell)).ok()
    }
}

/// The digits of an integer with so many bytes fit an `i64`.
const SHORT: usize = 18;

/// An integer's text.
fn integer(text: &[u8]) -> Option<i128> {
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || digits.len() > SHORT {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let mut value: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(i128::from(if negative { -value } else { value }))
}

/// The microseconds of a TIME's text, from -838:59:59.999999 to 838:59:59.999999.
fn time(text: &str) -> Option<i128> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut seconds: i128 = 0;
    for field in whole.split(':') {
        seconds = seconds * 60 + i128::from(field.parse::<u32>().ok()?);
    }
    let micros: u32 = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse().ok()? };
    let value = seconds * 1_000_000 + i128::from(micros);
    Some(if negative { -value } else { value })
}
