//! One column that rows are compared by.

use std::cmp::Ordering;

use bytes::Bytes;
use serval_planner::primitive::{ColumnRef, Padding};
use serval_wire::packet::column_type::*;
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition, ColumnFlags};

use super::part::{self, Part};
use super::resolve;
use super::weight::compare_padded;
use crate::error::ExecuteError;
use crate::number::compare_decimals;
use crate::operator::Shape;
use crate::row::{Encoding, Reader};

/// Where a column's cells are in a row, and what they are.
#[derive(Debug)]
pub(crate) struct KeyColumn {
    value: usize,
    reader: Reader,
    form: Form,
}

/// Servers compare so many bytes of a weight when they sort.
const SORTED_BYTES: usize = 1024;

/// Whether a weight's end is nothing but one value that is repeated, as what fills it up is.
fn is_filled(weight: &[u8]) -> bool {
    let rest = &weight[SORTED_BYTES - 12..];
    (1..=4).any(|width| rest.chunks(width).all(|chunk| chunk == &rest[..chunk.len()]))
}

/// How cells become comparable.
#[derive(Debug)]
enum Form {
    Integer,
    Bits,
    Float,
    Decimal,
    Time,
    /// Of a binary row.
    Date,
    Bytes,
    /// By the cell of another column, the weight; shorter ones are continued with `space`.
    Weight {
        cell: usize,
        space: Vec<u8>,
    },
}

impl KeyColumn {
    pub(crate) fn new(
        value: ColumnRef,
        weight: Option<ColumnRef>,
        padding: &Padding,
        shape: &Shape,
    ) -> Result<Self, ExecuteError> {
        let (value, definition) = resolve(value, shape)?;
        // Its text is ambiguous when clocks go back; the seconds are not.
        if let Some(seconds) = weight
            && definition.column_type == MYSQL_TYPE_TIMESTAMP
        {
            let (value, definition) = resolve(seconds, shape)?;
            let form =
                Form::of(definition, shape.encoding)?.ok_or_else(|| unordered(definition, "its type"))?;
            return Ok(Self { value, reader: Reader::new(shape.encoding, definition), form });
        }
        // For a client that wants bytes (SET NAMES binary) texts are announced as such, and compare as texts still.
        let is_announced =
            |form: &Form| !(matches!(form, Form::Bytes) && weight.is_some() && is_string(definition));
        let form = match Form::of(definition, shape.encoding)?.filter(is_announced) {
            Some(form) => form,
            None => {
                let weight = weight.ok_or_else(|| unordered(definition, "its collation"))?;
                let space = match padding {
                    Padding::None => Vec::new(),
                    Padding::Weight(space) => space.clone(),
                };
                Form::Weight { cell: resolve(weight, shape)?.0, space }
            }
        };
        Ok(Self { value, reader: Reader::new(shape.encoding, definition), form })
    }

    /// The index of the last cell that is looked at.
    pub(crate) fn last_cell(&self) -> usize {
        match self.form {
            Form::Weight { cell, .. } => cell.max(self.value),
            _ => self.value,
        }
    }

    /// The cell whose weight stands for the value, where one does.
    pub(crate) fn weight_cell(&self) -> Option<usize> {
        match self.form {
            Form::Weight { cell, .. } => Some(cell),
            _ => None,
        }
    }

    /// The comparable form of this column in `row`, whose cells are `cells`.
    pub(crate) fn part(&self, row: &Bytes, cells: &[Option<&[u8]>]) -> Result<Part, ExecuteError> {
        let Some(value) = cells.get(self.value).copied().flatten() else { return Ok(Part::Null) };
        let part = match &self.form {
            Form::Integer => self.reader.integer(value).map(Part::Integer),
            Form::Bits => Some(Part::Bytes(row.slice_ref(part::bits(value)))),
            Form::Float => self.reader.double(value).map(Part::Float),
            Form::Decimal => Some(Part::Decimal(row.slice_ref(value))),
            Form::Time => self.reader.time(value).map(Part::Integer),
            Form::Date => self.reader.binary_date(value).map(Part::Integer),
            Form::Bytes => Some(Part::Bytes(row.slice_ref(value))),
            Form::Weight { cell, .. } => {
                // NULL for a string that is not NULL: the weight was longer than the server may send.
                let weight = cells.get(*cell).copied().flatten();
                if weight.is_some_and(|weight| weight.len() > SORTED_BYTES && !is_filled(weight)) {
                    return Err(ExecuteError::refused(
                        "Rows of several shards cannot be merged by a text that is longer than servers sort by \
                         (max_sort_length, 1024 bytes); sort by LEFT of it, or let a [scratch] server finish the statement",
                    ));
                }
                weight.map(|weight| Part::Bytes(row.slice_ref(weight)))
            }
        };
        part.ok_or_else(|| ExecuteError::malformed("a node", "value of a sort key"))
    }

    /// Ascending, NULL first.
    pub(crate) fn compare(&self, one: &Part, other: &Part) -> Ordering {
        match (one, other) {
            (Part::Null, Part::Null) => Ordering::Equal,
            (Part::Null, _) => Ordering::Less,
            (_, Part::Null) => Ordering::Greater,
            (Part::Integer(one), Part::Integer(other)) => one.cmp(other),
            // Servers have no NaN, and hold -0 equal to 0, as this does.
            (Part::Float(one), Part::Float(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
            (Part::Decimal(one), Part::Decimal(other)) => compare_decimals(one, other),
            (Part::Bytes(one), Part::Bytes(other)) => match &self.form {
                Form::Weight { space, .. } => compare_padded(one, other, space),
                Form::Bits => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
                _ => one.cmp(other),
            },
            // One column has one form.
            _ => Ordering::Equal,
        }
    }
}

impl Form {
    /// The form of a column's values; `None` for character strings, which need a weight.
    fn of(column: &ColumnDefinition, encoding: Encoding) -> Result<Option<Self>, ExecuteError> {
        if column.has(ColumnFlags::ENUM_FLAG) || column.has(ColumnFlags::SET_FLAG) {
            return Err(unordered(column, "the index of its members"));
        }
        let form = match column.column_type {
            MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
            | MYSQL_TYPE_YEAR => Self::Integer,
            MYSQL_TYPE_BIT => Self::Bits,
            MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => Self::Float,
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            MYSQL_TYPE_TIME => Self::Time,
            MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => {
                match encoding {
                    // Fixed places from the year down, zero dates included.
                    Encoding::Text => Self::Bytes,
                    Encoding::Binary => Self::Date,
                }
            }
            MYSQL_TYPE_NULL => Self::Bytes,
            _ if is_string(column) => {
                if column.charset != CHARSET_BINARY {
                    return Ok(None);
                }
                Self::Bytes
            }
            _ => return Err(unordered(column, "its type")),
        };
        Ok(Some(form))
    }
}

fn is_string(column: &ColumnDefinition) -> bool {
    matches!(
        column.column_type,
        MYSQL_TYPE_VARCHAR | MYSQL_TYPE_VAR_STRING | MYSQL_TYPE_STRING | MYSQL_TYPE_TINY_BLOB
            ..=MYSQL_TYPE_BLOB
    )
}

fn unordered(column: &ColumnDefinition, by: &str) -> ExecuteError {
    ExecuteError::refused(format!(
        "Rows of several shards cannot be merged by column '{}', because they would sort by {by}; sort by another \
         column, or name one shard in WHERE",
        String::from_utf8_lossy(&column.name)
    ))
}
