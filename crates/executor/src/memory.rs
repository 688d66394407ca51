//! The bytes of rows that one statement holds.

use crate::error::ExecuteError;

/// Counts what a statement holds against its limit.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    used: usize,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: 0 }
    }

    /// Counts `bytes` more.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), ExecuteError> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limit { Err(ExecuteError::Memory { limit: self.limit }) } else { Ok(()) }
    }

    /// Counts `bytes` less.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}
