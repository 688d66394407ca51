//! How a session is told to stop: by KILL, or because the proxy goes down.
//!
//! Each session has a bell of its own and looks at its level when it rings, so that a statement registers nowhere
//! that other sessions contend for.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serval_types::MysqlError;
use tokio::sync::Notify;

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
    bell: Notify,
}

impl Signal {
    pub(super) fn raise(&self, level: Level) {
        self.level.fetch_max(level as u8, Ordering::AcqRel);
        self.bell.notify_waiters();
    }

    pub(super) fn interrupt(&self) {
        self.interrupts.fetch_add(1, Ordering::AcqRel);
        self.bell.notify_waiters();
    }

    /// Resolves when a session that waits for its client has to go.
    pub(super) async fn while_idle(&self, in_transaction: bool) -> MysqlError {
        loop {
            // Made before the level is looked at, so that no ring in between is missed.
            let rung = self.bell.notified();
            match self.level() {
                Level::Kill => return killed(),
                Level::End => return shutting_down(),
                Level::Drain if !in_transaction => return shutting_down(),
                Level::Drain | Level::Stay => rung.await,
            }
        }
    }

    /// Resolves when the statement that is beginning has to stop.
    pub(super) async fn during_statement(&self) -> Failure {
        let before = self.interrupts.load(Ordering::Acquire);
        loop {
            let rung = self.bell.notified();
            match self.level() {
                Level::Kill => return Failure::Fatal(killed()),
                Level::End => return Failure::Fatal(shutting_down()),
                _ if self.interrupts.load(Ordering::Acquire) != before => return Failure::Told(interrupted()),
                Level::Drain | Level::Stay => rung.await,
            }
        }
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
