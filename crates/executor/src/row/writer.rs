//! Rows of values that were combined.

use std::io::Write as _;

use bigdecimal::BigDecimal;
use bytes::Bytes;
use serval_wire::binary_row::{BinaryRowBuilder, Cell};
use serval_wire::packet::ColumnDefinition;
use serval_wire::{WireError, text_row};

use super::Encoding;
use crate::error::ExecuteError;
use crate::number::format_double;

/// A value for a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    /// The bytes of a cell of the same column.
    Raw(Bytes),
    Integer(i128),
    Decimal(BigDecimal),
    Double(f64),
}

/// Makes one row.
#[derive(Debug)]
pub(crate) enum Writer {
    Text(Vec<u8>),
    Binary(BinaryRowBuilder),
}

impl Writer {
    pub(crate) fn new(encoding: Encoding, columns: usize) -> Self {
        match encoding {
            Encoding::Text => Self::Text(Vec::new()),
            Encoding::Binary => Self::Binary(BinaryRowBuilder::new(columns)),
        }
    }

    /// Appends the cell of `column`.
    pub(crate) fn push(&mut self, column: &ColumnDefinition, value: &Value) -> Result<(), ExecuteError> {
        match self {
            Self::Text(row) => {
                push_text(row, column, value);
                Ok(())
            }
            Self::Binary(row) => push_binary(row, column, value).map_err(|_| misfit(column)),
        }
    }

    pub(crate) fn finish(self) -> Result<Bytes, ExecuteError> {
        match self {
            Self::Text(row) => Ok(row.into()),
            Self::Binary(row) => row
                .finish()
                .map(Bytes::from)
                .map_err(|source| ExecuteError::Malformed { from: "a node".to_owned(), source }),
        }
    }
}

/// Appends a value as the column prints it.
fn push_text(row: &mut Vec<u8>, column: &ColumnDefinition, value: &Value) {
    let text = match value {
        Value::Null => return text_row::push_cell(row, None),
        Value::Raw(bytes) => return text_row::push_cell(row, Some(bytes)),
        Value::Integer(value) => return push_integer(row, *value),
        Value::Decimal(value) => value.to_plain_string(),
        Value::Double(value) => format_double(*value, column.decimals),
    };
    text_row::push_cell(row, Some(text.as_bytes()));
}

/// An integer has less than 251 digits, so its length is one byte.
fn push_integer(row: &mut Vec<u8>, value: i128) {
    let at = row.len();
    row.push(0);
    // Of a number in memory, which cannot fail.
    let _ = write!(row, "{value}");
    row[at] = u8::try_from(row.len() - at - 1).unwrap_or_default();
}

/// Appends a value. A DOUBLE goes as it is, whatever the column's decimals.
fn push_binary(
    row: &mut BinaryRowBuilder,
    column: &ColumnDefinition,
    value: &Value,
) -> Result<(), WireError> {
    let (column_type, flags) = (column.column_type, column.flags);
    match value {
        Value::Null => row.encode_raw_cell(column_type, None),
        Value::Raw(bytes) => row.encode_raw_cell(column_type, Some(bytes)),
        Value::Integer(value) => row.encode_text_cell(column_type, flags, Some(value.to_string().as_bytes())),
        Value::Decimal(value) => {
            row.encode_text_cell(column_type, flags, Some(value.to_plain_string().as_bytes()))
        }
        Value::Double(value) => row.encode_cell(column_type, flags, Cell::Double(*value)),
    }
}

fn misfit(column: &ColumnDefinition) -> ExecuteError {
    let name = String::from_utf8_lossy(&column.name);
    ExecuteError::OutOfRange(format!("Value is out of range in '{name}', combined over shards"))
}
