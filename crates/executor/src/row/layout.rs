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
        let mut cells = Cells::new();
        self.read(row, count, &mut cells)?;
        Ok(cells)
    }

    /// The first `count` cells of a row, put into `cells`, which is the caller's because it is too large to be moved for
    /// each row.
    pub(crate) fn read<'a>(
        &self,
        row: &'a [u8],
        count: usize,
        cells: &mut Cells<'a>,
    ) -> Result<(), ExecuteError> {
        cells.clear();
        match self {
            Self::Text => fill(cells, text_row::cells(row), count),
            Self::Binary(types) => {
                let found = binary_row::cells(row, types.iter().copied()).map_err(malformed)?;
                fill(cells, found, count)
            }
        }
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

fn fill<'a>(
    cells: &mut Cells<'a>,
    found: impl Iterator<Item = Result<Option<&'a [u8]>, WireError>>,
    count: usize,
) -> Result<(), ExecuteError> {
    for cell in found.take(count) {
        cells.push(cell.map_err(malformed)?);
    }
    if cells.len() < count {
        return Err(malformed(WireError::Truncated { what: "row" }));
    }
    Ok(())
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
