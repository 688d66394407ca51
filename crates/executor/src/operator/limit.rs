//! `Limit`: LIMIT and OFFSET.

use super::{Operator, Step};
use crate::error::ExecuteError;
use crate::stream::Input;

/// Skips rows, passes some on, and then does not ask for more, unless it is to count them all.
#[derive(Debug)]
pub(crate) struct Limit {
    input: Operator,
    skip: u64,
    left: u64,
    counts_all: bool,
    /// Rows that came, whatever became of them.
    seen: u64,
}

impl Limit {
    pub(super) fn new(input: Operator, offset: u64, count: u64, counts_all: bool) -> Self {
        Self { input, skip: offset, left: count, counts_all, seen: 0 }
    }

    /// How many rows there were, skipped ones included: FOUND_ROWS(). With LIMIT 0 nothing was looked at.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        while self.left > 0 || self.counts_all {
            match self.input.next(input)? {
                Step::Row(row) => {
                    self.seen += 1;
                    if self.skip > 0 {
                        self.skip -= 1;
                    } else if self.left > 0 {
                        self.left -= 1;
                        return Ok(Step::Row(row));
                    }
                }
                Step::End => (self.left, self.counts_all) = (0, false),
                wait @ Step::Wait(_) => return Ok(wait),
            }
        }
        Ok(Step::End)
    }
}
