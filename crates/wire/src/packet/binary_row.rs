//! ProtocolBinary::ResultsetRow: cells in the encoding of their types, NULLs in a bitmap.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html). This module finds
//! the borders of cells; what their bytes mean is the business of those who know the column's type.

use super::column_type as types;
use crate::WireError;
use crate::lenenc::Reader;

/// The first two bits of a row's bitmap mean nothing.
const NULL_BITMAP_OFFSET: usize = 2;

/// The cells of a row's payload by the type bytes of its columns; nothing is copied.
///
/// # Errors
/// [`WireError::Truncated`] and [`WireError::Malformed`] for a row without header and bitmap.
pub fn cells<'a, T>(payload: &'a [u8], column_types: T) -> Result<Cells<'a, T::IntoIter>, WireError>
where
    T: IntoIterator<Item = u8>,
    T::IntoIter: ExactSizeIterator,
{
    let types = column_types.into_iter();
    let mut reader = Reader::new(payload, "binary row");
    if reader.u8()? != 0 {
        return Err(reader.malformed());
    }
    let nulls = reader.bytes((types.len() + NULL_BITMAP_OFFSET).div_ceil(8))?;
    Ok(Cells { reader, nulls, bit: NULL_BITMAP_OFFSET, types })
}

/// How many bytes a value of a type takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Always so many.
    Fixed(usize),
    /// As many as the byte before it says: dates and times.
    Prefixed,
    /// As many as the `int<lenenc>` before it says.
    Lenenc,
}

/// How many bytes a value of the type takes.
#[must_use]
pub const fn width(column_type: u8) -> Width {
    match column_type {
        types::MYSQL_TYPE_NULL => Width::Fixed(0),
        types::MYSQL_TYPE_TINY => Width::Fixed(1),
        types::MYSQL_TYPE_SHORT | types::MYSQL_TYPE_YEAR => Width::Fixed(2),
        types::MYSQL_TYPE_LONG | types::MYSQL_TYPE_INT24 | types::MYSQL_TYPE_FLOAT => Width::Fixed(4),
        types::MYSQL_TYPE_LONGLONG | types::MYSQL_TYPE_DOUBLE => Width::Fixed(8),
        types::MYSQL_TYPE_DATE
        | types::MYSQL_TYPE_DATETIME
        | types::MYSQL_TYPE_TIMESTAMP
        | types::MYSQL_TYPE_TIME => Width::Prefixed,
        _ => Width::Lenenc,
    }
}

/// An iterator over the cells of a binary row, lengths stripped. It ends after the first error.
#[derive(Debug, Clone)]
pub struct Cells<'a, T> {
    reader: Reader<'a>,
    nulls: &'a [u8],
    bit: usize,
    types: T,
}

impl<'a, T: Iterator<Item = u8>> Iterator for Cells<'a, T> {
    type Item = Result<Option<&'a [u8]>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let column_type = self.types.next()?;
        let null = self.nulls.get(self.bit / 8)? >> (self.bit % 8) & 1 == 1;
        self.bit += 1;
        if null {
            return Some(Ok(None));
        }
        let cell = value(&mut self.reader, column_type).map(Some);
        if cell.is_err() {
            self.nulls = &[];
        }
        Some(cell)
    }
}

/// Reads the bytes of one value, without the length before it.
///
/// # Errors
/// As [`Reader::string`].
pub fn value<'a>(reader: &mut Reader<'a>, column_type: u8) -> Result<&'a [u8], WireError> {
    match width(column_type) {
        Width::Fixed(bytes) => reader.bytes(bytes),
        Width::Prefixed => {
            let length = reader.u8()?;
            reader.bytes(usize::from(length))
        }
        Width::Lenenc => reader.string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [u8; 5] = [
        types::MYSQL_TYPE_LONG,
        types::MYSQL_TYPE_VAR_STRING,
        types::MYSQL_TYPE_DATE,
        types::MYSQL_TYPE_TINY,
        types::MYSQL_TYPE_NEWDECIMAL,
    ];
    /// 7, 'ab', '2024-02-29', NULL, 1.5: the fourth column is bit 5 of the bitmap.
    const ROW: &[u8] = b"\0\x20\x07\0\0\0\x02ab\x04\xe8\x07\x02\x1d\x031.5";

    fn collect(payload: &[u8]) -> Result<Vec<Option<&[u8]>>, WireError> {
        cells(payload, TYPES)?.collect()
    }

    #[test]
    fn cells_have_the_width_of_their_type() {
        let expected = [
            Some(&b"\x07\0\0\0"[..]),
            Some(&b"ab"[..]),
            Some(&b"\xe8\x07\x02\x1d"[..]),
            None,
            Some(&b"1.5"[..]),
        ];
        assert_eq!(collect(ROW).unwrap(), expected);
    }

    #[test]
    fn every_truncation_fails() {
        for length in 0..ROW.len() {
            assert!(collect(&ROW[..length]).is_err(), "{length} bytes");
        }
        assert!(collect(b"\x01\0").is_err());
    }

    #[test]
    fn the_bitmap_has_a_byte_more_from_the_seventh_column_on() {
        let row = b"\0\xfc\x01";
        let nulls: Result<Vec<_>, _> = cells(row, [types::MYSQL_TYPE_TINY; 7]).unwrap().collect();
        assert_eq!(nulls.unwrap(), [None; 7]);
    }
}
