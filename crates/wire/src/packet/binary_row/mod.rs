//! ProtocolBinary::ResultsetRow: cells in the encoding of their types, NULLs in a bitmap.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html). [`cells`] and
//! [`ranges`] find the borders of cells, [`value`] says what the bytes of one are, and [`BinaryRowBuilder`] makes rows
//! out of such bytes, of values, or of the text that a text row would have. Parameters are encoded alike.
//!
//! ```
//! use serval_wire::binary_row::{self, BinaryRowBuilder, Cell};
//! use serval_wire::packet::column_type::{MYSQL_TYPE_DATE, MYSQL_TYPE_LONG};
//! let mut row = BinaryRowBuilder::new(2);
//! row.encode_text_cell(MYSQL_TYPE_LONG, 0, Some(b"-7"))?;
//! row.encode_text_cell(MYSQL_TYPE_DATE, 0, None)?;
//! let row = row.finish()?;
//! let cells: Result<Vec<_>, _> = binary_row::cells(&row, [MYSQL_TYPE_LONG, MYSQL_TYPE_DATE])?.collect();
//! assert_eq!(binary_row::value(MYSQL_TYPE_LONG, 0, cells?[0])?, Cell::Int(-7));
//! # Ok::<(), serval_wire::WireError>(())
//! ```

mod builder;
mod cell;
mod text;

use std::ops::Range;

use super::column_type as types;
use crate::WireError;
use crate::lenenc::{Reader, write_string};

pub use builder::BinaryRowBuilder;
pub use cell::{Cell, value};
pub(crate) use text::is_decimal;

/// The first byte of a row.
const HEADER: u8 = 0;
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
    if reader.u8()? != HEADER {
        return Err(reader.malformed());
    }
    let nulls = reader.bytes((types.len() + NULL_BITMAP_OFFSET).div_ceil(8))?;
    Ok(Cells { reader, nulls, bit: NULL_BITMAP_OFFSET, types })
}

/// Where in a row's payload its cells are, as [`cells`] gives them: without the lengths before them.
///
/// # Errors
/// As [`cells`].
pub fn ranges<'a, T>(
    payload: &'a [u8],
    column_types: T,
) -> Result<impl Iterator<Item = Result<Option<Range<usize>>, WireError>> + 'a, WireError>
where
    T: IntoIterator<Item = u8>,
    T::IntoIter: ExactSizeIterator + 'a,
{
    let mut cells = cells(payload, column_types)?;
    Ok(std::iter::from_fn(move || {
        let cell = cells.next()?;
        let end = payload.len() - cells.reader.rest().len();
        Some(cell.map(|cell| cell.map(|cell| end - cell.len()..end)))
    }))
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
        let cell = read(&mut self.reader, column_type).map(Some);
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
pub fn read<'a>(reader: &mut Reader<'a>, column_type: u8) -> Result<&'a [u8], WireError> {
    match width(column_type) {
        Width::Fixed(bytes) => reader.bytes(bytes),
        Width::Prefixed => {
            let length = reader.u8()?;
            reader.bytes(usize::from(length))
        }
        Width::Lenenc => reader.string(),
    }
}

/// Writes the bytes of one value as [`read`] gives them, with the length before it.
///
/// # Errors
/// [`WireError::Malformed`] for so many bytes as no value of the type has; then nothing is written.
pub fn write(out: &mut Vec<u8>, column_type: u8, bytes: &[u8]) -> Result<(), WireError> {
    const MALFORMED: WireError = WireError::Malformed { what: "length of a binary value" };
    match width(column_type) {
        Width::Fixed(length) if length != bytes.len() => return Err(MALFORMED),
        Width::Fixed(_) => out.extend_from_slice(bytes),
        Width::Prefixed => {
            out.push(u8::try_from(bytes.len()).map_err(|_| MALFORMED)?);
            out.extend_from_slice(bytes);
        }
        Width::Lenenc => write_string(out, bytes),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
