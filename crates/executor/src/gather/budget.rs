//! The bytes that a gathered statement may bring to the scratch server: its own limit, and a share of what all have.

use std::sync::atomic::{AtomicUsize, Ordering};

use serval_catalog::{Scratch, Total};

use super::loader::Failure;

/// What a statement has brought. It is given back when the statement ends, however it does.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    limit: usize,
    total: &'a Total,
    taken: AtomicUsize,
}

impl<'a> Budget<'a> {
    pub(super) fn of(scratch: &'a Scratch) -> Self {
        Self { limit: scratch.limit, total: &scratch.total, taken: AtomicUsize::new(0) }
    }

    /// Takes bytes that are about to be brought.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Failure> {
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.limit);
        if self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return Err(Failure::Limit(self.limit));
        }
        if self.total.take(bytes) {
            return Ok(());
        }
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        Err(Failure::Total(self.total.limit()))
    }
}

impl Drop for Budget<'_> {
    fn drop(&mut self) {
        self.total.give_back(*self.taken.get_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_took_is_given_back_when_it_ends() {
        let total = Total::new(100);
        let one = Budget { limit: 80, total: &total, taken: AtomicUsize::new(0) };
        assert!(one.take(70).is_ok());
        assert!(matches!(one.take(11), Err(Failure::Limit(80))));
        let two = Budget { limit: 80, total: &total, taken: AtomicUsize::new(0) };
        assert!(matches!(two.take(31), Err(Failure::Total(100))));
        assert!(two.take(30).is_ok());
        drop(one);
        assert!(two.take(50).is_ok());
        drop(two);
        assert!(total.take(100));
    }
}
