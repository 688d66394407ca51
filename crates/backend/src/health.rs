//! Whether a server may be used, and the one place that says so.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

/// What is known about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Nobody has talked to it yet.
    Unknown,
    /// It answers.
    Up,
    /// It answers, but is not read from as a replica: too far behind, or not known to be near.
    Lagging {
        /// Why, for the console.
        reason: String,
    },
    /// It does not answer.
    Down {
        /// The last error, for the console and the log; may name an address.
        error: String,
    },
}

/// How far a replica is behind its primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lag {
    /// A primary, or a replica that does not say.
    Unknown,
    Known(Duration),
}

/// A server's health, with the time of its last change.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) health: Health,
    pub(crate) since: SystemTime,
    /// The last error, kept after the server is back.
    pub(crate) last_error: Option<String>,
    pub(crate) lag: Lag,
    pub(crate) read_only: Option<bool>,
}

/// The current health, cheap to look at and possible to wait for.
#[derive(Debug)]
pub(crate) struct HealthCell {
    /// A mirror of the report's kind, so that taking a connection needs no lock.
    kind: AtomicU8,
    report: watch::Sender<Report>,
}

impl Health {
    /// The word that the console shows.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Lagging { .. } => "lagging",
            Self::Down { .. } => "down",
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Up => 1,
            Self::Lagging { .. } => 2,
            Self::Down { .. } => 3,
        }
    }
}

impl HealthCell {
    pub(crate) fn new() -> Self {
        let report = Report {
            health: Health::Unknown,
            since: SystemTime::now(),
            last_error: None,
            lag: Lag::Unknown,
            read_only: None,
        };
        Self { kind: AtomicU8::new(report.health.kind()), report: watch::Sender::new(report) }
    }

    pub(crate) fn report(&self) -> Report {
        self.report.borrow().clone()
    }

    pub(crate) fn is_down(&self) -> bool {
        self.kind.load(Ordering::Relaxed) == 3
    }

    pub(crate) fn is_up(&self) -> bool {
        self.kind.load(Ordering::Relaxed) == 1
    }

    /// The error that the server is down with.
    pub(crate) fn down_reason(&self) -> Option<String> {
        match &self.report.borrow().health {
            Health::Down { error } => Some(error.clone()),
            _ => None,
        }
    }

    /// Resolves when the server is down, at once if it is already.
    pub(crate) async fn wait_down(&self) {
        let mut reports = self.report.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = reports.wait_for(|report| matches!(report.health, Health::Down { .. })).await;
    }

    /// Records what was found. Tells the health before, where the kind of health changed.
    pub(crate) fn set(&self, health: Health) -> Option<Health> {
        let mut before = None;
        // Those who wait for a place in the pool wait for this as well, thousands of them: they are woken for news only.
        self.report.send_if_modified(|report| {
            if let Health::Down { error } = &health {
                report.last_error = Some(error.clone());
            }
            self.kind.store(health.kind(), Ordering::Relaxed);
            let changed = health.kind() != report.health.kind();
            let old = std::mem::replace(&mut report.health, health);
            if changed {
                report.since = SystemTime::now();
                before = Some(old);
            }
            changed
        });
        before
    }

    /// Records what a probe read, beside the health itself.
    pub(crate) fn note(&self, lag: Lag, read_only: Option<bool>) {
        self.report.send_if_modified(|report| {
            let changed = (report.lag, report.read_only) != (lag, read_only);
            (report.lag, report.read_only) = (lag, read_only);
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_kind_are_news() {
        let cell = HealthCell::new();
        let down = |error: &str| Health::Down { error: error.to_owned() };
        assert_eq!(cell.set(down("refused")), Some(Health::Unknown));
        assert_eq!(cell.set(down("timed out")), None);
        assert_eq!(cell.down_reason().as_deref(), Some("timed out"));
        assert_eq!(cell.set(Health::Up), Some(down("timed out")));
        assert!(cell.is_up());
        assert_eq!(cell.report().last_error.as_deref(), Some("timed out"));
    }

    #[tokio::test]
    async fn nobody_is_woken_for_what_was_known() {
        let cell = HealthCell::new();
        cell.set(Health::Up);
        let reports = cell.report.subscribe();
        assert_eq!(cell.set(Health::Up), None);
        assert!(!reports.has_changed().expect("the cell is there"));
        cell.set(Health::Down { error: "x".to_owned() });
        assert!(reports.has_changed().expect("the cell is there"));
    }

    #[tokio::test]
    async fn waiting_for_down_ends() {
        let cell = HealthCell::new();
        cell.set(Health::Down { error: "x".to_owned() });
        cell.wait_down().await;
    }
}
