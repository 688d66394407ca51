//! How far a statement has come that works on many physical tables.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts a definition's physical tables while other tasks look on.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicUsize,
}

/// A [`Progress`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// How many physical tables there are.
    pub total: usize,
    /// How many of them have the new definition.
    pub done: usize,
    /// How many have refused it or could not be reached.
    pub failed: usize,
}

impl Progress {
    /// How far it is; `None` where it has not begun.
    #[must_use]
    pub fn stand(&self) -> Option<Stand> {
        let total = self.total.load(Ordering::Relaxed);
        let stand = Stand {
            total,
            done: self.done.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        };
        (total > 0).then_some(stand)
    }

    pub(crate) fn begin(&self, total: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.failed.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn step(&self, succeeded: bool) {
        let counter = if succeeded { &self.done } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Display for Stand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { total, done, failed } = self;
        write!(f, "definition: {done} of {total} tables done")?;
        if *failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_many_of_how_many() {
        let progress = Progress::default();
        assert_eq!(progress.stand(), None);
        progress.begin(3);
        progress.step(true);
        progress.step(false);
        let stand = progress.stand().expect("begun");
        assert_eq!(stand.to_string(), "definition: 1 of 3 tables done, 1 failed");
    }
}
