//! What a server has done so far, counted without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One server's counters since the proxy started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections made, the monitor's not included.
    pub(crate) opened: Counter,
    /// Statements sent.
    pub(crate) queries: Counter,
    /// Statements answered with an error.
    pub(crate) errors: Counter,
    /// Connections lost in use, or not made.
    pub(crate) lost: Counter,
    /// Statements killed because nobody waited for them any more.
    pub(crate) killed: Counter,
    /// Bytes of answers.
    pub(crate) bytes_in: Counter,
    /// Bytes of statements.
    pub(crate) bytes_out: Counter,
}
