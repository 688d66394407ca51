//! What is counted and logged of every statement.

use std::time::{Duration, Instant};

use serval_remote::Backend;
use serval_sql::{StatementClass, digest_text};
use serval_types::Value;

use crate::failure::Failure;
use crate::literal::literal;
use crate::session::Session;

/// The longest text in the slow log, in bytes.
const LOGGED_BYTES: usize = 4096;

/// The longest text of a statement's attributes in the slow log, in bytes.
const ATTRIBUTE_BYTES: usize = 1024;

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

/// The span of a statement that came with attributes: a distributed trace goes on in it.
pub(crate) fn span<B: Backend>(session: &Session<B>) -> tracing::Span {
    let traceparent = session.attributes.iter().find(|attribute| attribute.name == "traceparent");
    match traceparent {
        Some(attribute) => {
            let traceparent = readable(&attribute.value);
            tracing::info_span!("statement", session = session.entry.id.0, traceparent)
        }
        None => tracing::Span::none(),
    }
}

/// What the client said of the statement: `name=value`, one after the other; `None` where it said nothing.
fn attributes<B: Backend>(session: &Session<B>) -> Option<String> {
    let all = session.attributes.iter();
    let all: Vec<_> = all.map(|one| format!("{}={}", one.name, readable(&one.value))).collect();
    let text = all.join(", ");
    (!text.is_empty()).then(|| text[..text.floor_char_boundary(ATTRIBUTE_BYTES)].to_owned())
}

fn readable(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
        other => literal(other, "utf8mb4"),
    }
}

#[cold]
fn slow<B: Backend>(session: &Session<B>, sql: &[u8], elapsed: Duration, result: &Result<(), Failure>) {
    session.proxy.counters.slow();
    let text = digest_text(sql, session.options);
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
        attributes = attributes(session),
        error,
        statement = &text[..end],
        "slow statement"
    );
}
