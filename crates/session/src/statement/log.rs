//! What is counted and logged of every statement.

use std::time::{Duration, Instant};

use serval_remote::Backend;
use serval_sql::{StatementClass, digest_text};

use crate::failure::Failure;
use crate::session::Session;

/// The longest text in the slow log, in bytes.
const LOGGED_BYTES: usize = 4096;

/// Counts a finished statement, and logs it if it was slow.
pub(super) fn finished<B: Backend>(
    session: &Session<B>,
    sql: &[u8],
    class: StatementClass,
    started: Instant,
    result: &Result<(), Failure>,
) {
    let elapsed = started.elapsed();
    session.proxy.counters.statement(class, elapsed);
    let limit = session.proxy.catalog.load().settings.slow_query;
    if limit.is_some_and(|limit| elapsed >= limit) {
        slow(session, sql, elapsed, result);
    }
}

#[cold]
fn slow<B: Backend>(session: &Session<B>, sql: &[u8], elapsed: Duration, result: &Result<(), Failure>) {
    session.proxy.counters.slow();
    let text = if session.proxy.literals_in_slow_log() {
        String::from_utf8_lossy(sql).into_owned()
    } else {
        digest_text(sql, session.options)
    };
    let end = text.floor_char_boundary(LOGGED_BYTES);
    let error = match result {
        Ok(()) => None,
        Err(failure) => Some(failure.to_string()),
    };
    tracing::warn!(
        target: "serval::slow",
        seconds = elapsed.as_secs_f64(),
        session = session.entry.id.0,
        user = session.user,
        host = session.host,
        schema = session.schema.as_deref().unwrap_or(""),
        rows = session.last.found_rows.filter(|_| session.last.row_count < 0),
        affected = session.last.row_count.max(0),
        nodes = session.last.nodes,
        error,
        statement = &text[..end],
        "slow statement"
    );
}
