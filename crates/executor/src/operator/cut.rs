//! `Cut`: the hidden columns go.

use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::row::Layout;
use crate::stream::Input;

/// Passes on the first cells of each row.
#[derive(Debug)]
pub(crate) struct Cut {
    input: Operator,
    keep: usize,
    layout: Layout,
}

impl Cut {
    pub(super) fn new(input: Operator, hidden: usize, mut shape: Shape) -> (Self, Shape) {
        let layout = shape.layout();
        let keep = shape.columns.len().saturating_sub(hidden);
        shape.columns.truncate(keep);
        shape.hidden = shape.hidden.saturating_sub(hidden);
        (Self { input, keep, layout }, shape)
    }

    /// What the rows come from.
    pub(super) fn input(&self) -> &Operator {
        &self.input
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        match self.input.next(input)? {
            Step::Row(row) => self.layout.cut(row, self.keep).map(Step::Row),
            step => Ok(step),
        }
    }
}
