//! Where the cells of a row are.

use std::sync::Arc;

use bytes::Bytes;
use serval_wire::binary_row::{self, BinaryRowBuilder};
use serval_wire::packet::ColumnDefinition;
use serval_wire::{WireError, text_row};
use smallvec::SmallVec;

use super::Encoding;
use crate::error::ExecuteError;

/// The bytes of cells, without the lengths before them; `None` is NULL.
pub(crate) type Cells<'a> = SmallVec<[Option<&'a [u8]>; 16]>;

/// How rows of certain columns are laid out.
#[derive(Debug, Clone)]
pub(crate) enum Layout {
    Text,
    /// The types of all columns, by which cells have their width.
    Binary(Arc<[u8]>),
}

impl Layout {
    pub(crate) fn new(encoding: Encoding, columns: &[ColumnDefinition]) -> Self {
        match encoding {
            Encoding::Text => Self::Text,
            Encoding::Binary => Self::Binary(columns.iter().map(|column| column.column_type).collect()),
        }
    }

    /// The first `count` cells of a row.
    pub(crate) fn cells<'a>(&self, row: &'a [u8], count: usize) -> Result<Cells<'a>, ExecuteError> {
        let cells = match self {
            Self::Text => text_row::cells(row).take(count).collect(),
            Self::Binary(types) => {
                binary_row::cells(row, types.iter().copied()).and_then(|cells| cells.take(count).collect())
            }
        };
        let cells: Cells<'a> = cells.map_err(malformed)?;
        if cells.len() < count {
            return Err(malformed(WireError::Truncated { what: "row" }));
        }
        Ok(cells)
    }

    /// The row without the cells behind the first `keep`. A text row is only made shorter.
    pub(crate) fn cut(&self, row: Bytes, keep: usize) -> Result<Bytes, ExecuteError> {
        match self {
            Self::Text => cut_text(row, keep),
            Self::Binary(types) => {
                let mut cut = BinaryRowBuilder::new(keep);
                for (cell, column_type) in self.cells(&row, keep)?.into_iter().zip(types.iter()) {
                    cut.encode_raw_cell(*column_type, cell).map_err(malformed)?;
                }
                cut.finish().map(Bytes::from).map_err(malformed)
            }
        }
    }
}

fn cut_text(mut row: Bytes, keep: usize) -> Result<Bytes, ExecuteError> {
    let mut cells = text_row::cells(&row);
    for _ in 0..keep {
        cells.next().unwrap_or(Err(WireError::Truncated { what: "text row" })).map_err(malformed)?;
    }
    let kept = row.len() - cells.rest().len();
    row.truncate(kept);
    Ok(row)
}

fn malformed(source: WireError) -> ExecuteError {
    ExecuteError::Malformed { from: "a node".to_owned(), source }
}
