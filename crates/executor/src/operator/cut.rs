//! `Cut`: the hidden columns go.

use bytes::Bytes;
use serval_wire::text_row;

use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::stream::Input;

/// Passes on the first cells of each row, as a slice of it.
#[derive(Debug)]
pub(crate) struct Cut {
    input: Operator,
    keep: usize,
}

impl Cut {
    pub(super) fn new(input: Operator, hidden: usize, mut shape: Shape) -> (Self, Shape) {
        let keep = shape.columns.len().saturating_sub(hidden);
        shape.columns.truncate(keep);
        shape.hidden = shape.hidden.saturating_sub(hidden);
        (Self { input, keep }, shape)
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        match self.input.next(input)? {
            Step::Row(row) => self.cut(row).map(Step::Row),
            step => Ok(step),
        }
    }

    fn cut(&self, mut row: Bytes) -> Result<Bytes, ExecuteError> {
        let mut cells = text_row::cells(&row);
        for _ in 0..self.keep {
            if !matches!(cells.next(), Some(Ok(_))) {
                return Err(ExecuteError::malformed("a node", "text row"));
            }
        }
        let kept = row.len() - cells.rest().len();
        row.truncate(kept);
        Ok(row)
    }
}
