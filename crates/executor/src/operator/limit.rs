//! `Limit`: LIMIT and OFFSET.

use super::{Operator, Step};
use crate::error::ExecuteError;
use crate::stream::Input;

/// Skips rows, passes some on, and then does not ask for more.
#[derive(Debug)]
pub(crate) struct Limit {
    input: Operator,
    skip: u64,
    left: u64,
}

impl Limit {
    pub(super) fn new(input: Operator, offset: u64, count: u64) -> Self {
        Self { input, skip: offset, left: count }
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        while self.left > 0 {
            match self.input.next(input)? {
                Step::Row(_) if self.skip > 0 => self.skip -= 1,
                Step::Row(row) => {
                    self.left -= 1;
                    return Ok(Step::Row(row));
                }
                Step::End => self.left = 0,
                wait @ Step::Wait(_) => return Ok(wait),
            }
        }
        Ok(Step::End)
    }
}
