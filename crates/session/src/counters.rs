//! What is counted, with handles made once so that a statement does no lookup.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use serval_sql::StatementClass;

/// Handles into the process's metrics recorder, which must be installed before they are made.
pub struct Counters {
    select: Counter,
    insert: Counter,
    update: Counter,
    delete: Counter,
    transaction: Counter,
    other: Counter,
    seconds: Histogram,
    sessions: Gauge,
    refused: Counter,
    slow: Counter,
    /// Statements received since the start.
    pub statements: AtomicU64,
    /// Those slower than `slow_query`.
    pub slow_statements: AtomicU64,
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}

/// Counts one session for as long as it lives.
#[derive(Debug)]
pub struct SessionCount(Gauge);

impl Counters {
    /// Registers everything with its description.
    #[must_use]
    pub fn register() -> Self {
        metrics::describe_counter!("serval_queries_total", "Statements received, by class");
        metrics::describe_histogram!(
            "serval_query_seconds",
            metrics::Unit::Seconds,
            "Time from a statement to the end of its answer"
        );
        metrics::describe_gauge!("serval_sessions", "Clients connected now");
        metrics::describe_counter!(
            "serval_sessions_refused_total",
            "Clients turned away because max_connections was reached"
        );
        metrics::describe_counter!("serval_slow_queries_total", "Statements slower than slow_query");
        metrics::describe_counter!("serval_errors_total", "Errors told to clients, by MySQL error number");
        Self {
            select: counter!("serval_queries_total", "class" => "select"),
            insert: counter!("serval_queries_total", "class" => "insert"),
            update: counter!("serval_queries_total", "class" => "update"),
            delete: counter!("serval_queries_total", "class" => "delete"),
            transaction: counter!("serval_queries_total", "class" => "transaction"),
            other: counter!("serval_queries_total", "class" => "other"),
            seconds: histogram!("serval_query_seconds"),
            sessions: gauge!("serval_sessions"),
            refused: counter!("serval_sessions_refused_total"),
            slow: counter!("serval_slow_queries_total"),
            statements: AtomicU64::new(0),
            slow_statements: AtomicU64::new(0),
        }
    }

    /// A statement of `class` took `elapsed`.
    pub fn statement(&self, class: StatementClass, elapsed: Duration) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.class(class).increment(1);
        self.seconds.record(elapsed.as_secs_f64());
    }

    /// A client was told an error.
    pub fn error(&self, number: u16) {
        counter!("serval_errors_total", "number" => number.to_string()).increment(1);
    }

    /// A client was turned away.
    pub fn refused(&self) {
        self.refused.increment(1);
    }

    /// A statement was slow.
    pub fn slow(&self) {
        self.slow_statements.fetch_add(1, Ordering::Relaxed);
        self.slow.increment(1);
    }

    /// A session begins; it ends when the value is dropped.
    #[must_use]
    pub fn session(&self) -> SessionCount {
        self.sessions.increment(1);
        SessionCount(self.sessions.clone())
    }

    fn class(&self, class: StatementClass) -> &Counter {
        match class {
            StatementClass::Select | StatementClass::With => &self.select,
            StatementClass::Insert | StatementClass::Replace => &self.insert,
            StatementClass::Update => &self.update,
            StatementClass::Delete => &self.delete,
            StatementClass::Begin
            | StatementClass::Commit
            | StatementClass::Rollback
            | StatementClass::Savepoint => &self.transaction,
            _ => &self.other,
        }
    }
}

impl Drop for SessionCount {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
