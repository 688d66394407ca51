//! `Route` over several targets: one stream after another.

use super::Step;
use crate::error::ExecuteError;
use crate::stream::Input;

/// Passes on the rows of all streams, in the order of the targets.
#[derive(Debug)]
pub(crate) struct Append {
    current: usize,
    streams: usize,
}

impl Append {
    pub(super) fn new(streams: usize) -> Self {
        Self { current: 0, streams }
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        while self.current < self.streams {
            match input.next(self.current)? {
                Step::End => self.current += 1,
                step => return Ok(step),
            }
        }
        Ok(Step::End)
    }
}
