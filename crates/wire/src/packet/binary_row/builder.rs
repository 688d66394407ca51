//! Makes rows.

use super::text::{write_integer, write_text};
use super::{Cell, HEADER, NULL_BITMAP_OFFSET, write};
use crate::WireError;
use crate::packet::ColumnFlags;
use crate::packet::column_type::{
    MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT, MYSQL_TYPE_TIME,
    MYSQL_TYPE_TIMESTAMP,
};

const MISFIT: WireError = WireError::Malformed { what: "value of a binary row" };

/// Encodes the payload of one row, cell by cell in the order of its columns.
///
/// A cell that does not fit leaves the row as it was; the caller may put another one in its place.
#[derive(Debug, Clone)]
pub struct BinaryRowBuilder {
    payload: Vec<u8>,
    columns: usize,
    /// How many cells there are.
    cells: usize,
}

impl BinaryRowBuilder {
    /// A row of so many columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        let bitmap = (columns + NULL_BITMAP_OFFSET).div_ceil(8);
        let mut payload = Vec::with_capacity(1 + bitmap + columns * 8);
        payload.push(HEADER);
        payload.resize(1 + bitmap, 0);
        Self { payload, columns, cells: 0 }
    }

    /// Appends a cell of another row by its bytes, as [`cells`](super::cells) gives them.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is not as long as values of the type are, and for a cell too many.
    pub fn encode_raw_cell(&mut self, column_type: u8, bytes: Option<&[u8]>) -> Result<(), WireError> {
        self.cell(bytes, |payload, bytes| write(payload, column_type, bytes))
    }

    /// Appends the cell that has this text in a text row.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where the text is no value of the type: no number, out of its range, no date as
    /// servers print it; and for a cell too many.
    pub fn encode_text_cell(
        &mut self,
        column_type: u8,
        flags: u16,
        text: Option<&[u8]>,
    ) -> Result<(), WireError> {
        self.cell(text, |payload, text| write_text(payload, column_type, flags, text))
    }

    /// Appends a value.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where the type holds no such value, and for a cell too many.
    pub fn encode_cell(&mut self, column_type: u8, flags: u16, cell: Cell<'_>) -> Result<(), WireError> {
        let value = Some(cell).filter(|cell| *cell != Cell::Null);
        self.cell(value, |payload, cell| write_cell(payload, column_type, flags, cell))
    }

    /// The row's payload.
    ///
    /// # Errors
    /// [`WireError::Truncated`] where it lacks cells.
    pub fn finish(self) -> Result<Vec<u8>, WireError> {
        if self.cells < self.columns {
            return Err(WireError::Truncated { what: "binary row" });
        }
        Ok(self.payload)
    }

    /// Appends a cell that `write` writes, unless it is NULL.
    fn cell<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Vec<u8>, T) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        if self.cells == self.columns {
            return Err(MISFIT);
        }
        let before = self.payload.len();
        let written = match value {
            Some(value) => write(&mut self.payload, value),
            None => self.null(),
        };
        match written {
            Ok(()) => self.cells += 1,
            Err(_) => self.payload.truncate(before),
        }
        written
    }

    fn null(&mut self) -> Result<(), WireError> {
        let bit = self.cells + NULL_BITMAP_OFFSET;
        *self.payload.get_mut(1 + bit / 8).ok_or(MISFIT)? |= 1 << (bit % 8);
        Ok(())
    }
}

fn write_cell(out: &mut Vec<u8>, column_type: u8, flags: u16, cell: Cell<'_>) -> Result<(), WireError> {
    let unsigned = ColumnFlags::from_bits(flags).contains(ColumnFlags::UNSIGNED_FLAG);
    match (cell, column_type) {
        (Cell::Int(value), _) => write_integer(out, column_type, unsigned, value.into()),
        (Cell::UInt(value), _) => write_integer(out, column_type, unsigned, value.into()),
        (Cell::Float(value), MYSQL_TYPE_FLOAT) => write(out, column_type, &value.to_le_bytes()),
        (Cell::Double(value), MYSQL_TYPE_DOUBLE) => write(out, column_type, &value.to_le_bytes()),
        (Cell::Date(value), MYSQL_TYPE_DATE) if value.has_time() => Err(MISFIT),
        (Cell::Date(value), MYSQL_TYPE_DATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP) => {
            value.encode(out);
            Ok(())
        }
        (Cell::Time(value), MYSQL_TYPE_TIME) => {
            value.encode(out);
            Ok(())
        }
        (Cell::Bytes(bytes), _) if super::width(column_type) == super::Width::Lenenc => {
            write(out, column_type, bytes)
        }
        _ => Err(MISFIT),
    }
}
