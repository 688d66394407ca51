//! How a session is told to stop: by KILL, or because the proxy goes down.
//!
//! Each session has a bell of its own and looks at its level when it rings, so that a statement registers nowhere
//! that other sessions contend for.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use serval_types::MysqlError;

use crate::failure::{Failure, interrupted, killed, shutting_down};

/// How urgently a session has to stop. A level only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Not at all.
    Stay = 0,
    /// As soon as it is idle and outside a transaction.
    Drain = 1,
    /// Now, because the proxy ends.
    End = 2,
    /// Now, because somebody killed it.
    Kill = 3,
}

/// A session's bell.
#[derive(Debug, Default)]
pub(super) struct Signal {
    level: AtomicU8,
    /// How many statements have been interrupted.
    interrupts: AtomicU64,
    /// The session's task, which is the only one that listens. It stays here when it does not, and may be woken for
    /// nothing: coming and going with each statement would cost more.
    listener: Mutex<Option<Waker>>,
}

impl Signal {
    pub(super) fn raise(&self, level: Level) {
        self.level.fetch_max(level as u8, Ordering::AcqRel);
        self.ring();
    }

    pub(super) fn interrupt(&self) {
        self.interrupts.fetch_add(1, Ordering::AcqRel);
        self.ring();
    }

    fn ring(&self) {
        let listener = self.listener.lock().take();
        listener.into_iter().for_each(Waker::wake);
    }

    /// Resolves when `look` sees something, which it does whenever the bell rings.
    async fn heard<T>(&self, look: impl Fn() -> Option<T>) -> T {
        poll_fn(|context| {
            // Before the look, so that no ring in between is missed.
            match &mut *self.listener.lock() {
                Some(listener) => listener.clone_from(context.waker()),
                nobody => *nobody = Some(context.waker().clone()),
            }
            look().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Resolves when a session that waits for its client has to go.
    pub(super) async fn while_idle(&self, in_transaction: bool) -> MysqlError {
        self.heard(|| match self.level() {
            Level::Kill => Some(killed()),
            Level::End => Some(shutting_down()),
            Level::Drain if !in_transaction => Some(shutting_down()),
            Level::Drain | Level::Stay => None,
        })
        .await
    }

    /// Resolves when the statement that is beginning has to stop.
    pub(super) async fn during_statement(&self) -> Failure {
        let before = self.interrupts.load(Ordering::Acquire);
        self.heard(|| match self.level() {
            Level::Kill => Some(Failure::Fatal(killed())),
            Level::End => Some(Failure::Fatal(shutting_down())),
            _ if self.interrupts.load(Ordering::Acquire) != before => Some(Failure::Told(interrupted())),
            Level::Drain | Level::Stay => None,
        })
        .await
    }

    fn level(&self) -> Level {
        match self.level.load(Ordering::Acquire) {
            0 => Level::Stay,
            1 => Level::Drain,
            2 => Level::End,
            _ => Level::Kill,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kill_outlives_the_moment() {
        let signal = Signal::default();
        signal.raise(Level::Kill);
        signal.raise(Level::Drain);
        assert_eq!(signal.while_idle(true).await.number, 1927);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupt_is_for_the_running_statement_only() {
        let signal = Signal::default();
        signal.interrupt();
        let quiet = tokio::time::timeout(std::time::Duration::from_secs(1), signal.during_statement()).await;
        assert!(quiet.is_err());
    }
}
