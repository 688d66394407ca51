//! Reading and changing rows: plan, bind, execute.

use std::borrow::Cow;

use bytes::Bytes;
use serval_executor::{Completed, ExecuteError};
use serval_remote::Backend;
use serval_sql::{Scan, StatementClass};
use serval_types::MysqlError;
use tokio::io::AsyncWrite;

use super::insert_id::is_explicit;
use crate::answer::ClientSink;
use crate::failure::Failure;
use crate::session::{Purpose, Ready, Session, contains_word, prepare};
use crate::stream::Writer;

/// Plans, binds and executes the statement.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
    scan: Scan,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let catalog = session.catalog();
    let text = session.with_identity(sql)?;
    let scan = match &text {
        Cow::Borrowed(_) => scan,
        Cow::Owned(text) => rescan(session, text)?,
    };
    let ready = prepare(session, &catalog, &text, &scan, Purpose::Run).await?;
    if !session.autocommit && !session.transaction.is_open() && !ready.plan.tables().is_empty() {
        session.begin("START TRANSACTION", &catalog);
    }
    let (status, mut state) = (session.status(), session.effective_state());
    if let Some(timestamp) = &ready.timestamp {
        state = state.with("timestamp", timestamp);
    }
    let mut sink = ClientSink::new(writer, status, ready.insert_id);
    match session.execute(&ready.bound, &catalog, &state, &mut sink).await {
        Ok(completed) => {
            remember(session, &text, &scan, &ready, &completed);
            if completed.warnings > 0 {
                session.note_warnings(&ready.bound, &catalog, state);
            }
            Ok(())
        }
        Err(ExecuteError::Client(_)) => Err(Failure::Gone),
        Err(error) => Err(error.to_mysql().into()),
    }
}

fn rescan<B: Backend>(session: &Session<B>, text: &[u8]) -> Result<Scan, MysqlError> {
    // The statement was scanned before literals took the place of some of its words.
    serval_sql::scan(text, session.options).map_err(|_| MysqlError::refused("The statement cannot be read"))
}

fn remember<B: Backend>(
    session: &mut Session<B>,
    sql: &[u8],
    scan: &Scan,
    ready: &Ready,
    completed: &Completed,
) {
    if ready.plan.writes() {
        let insert_id = ready.insert_id.unwrap_or_else(|| generated(session, sql, scan, ready, completed));
        session.last.changed(completed.affected_rows, insert_id, completed.warnings);
    } else {
        // The word can only stand among the first ones.
        let counted = !contains_word(&scan.key[..scan.key.len().min(96)], b"SQL_CALC_FOUND_ROWS");
        session.last.selected(completed.rows, counted, completed.warnings);
    }
}

/// What LAST_INSERT_ID() becomes by a statement whose numbers come from a server; 0 where it stays as it is.
fn generated<B: Backend>(
    session: &Session<B>,
    sql: &[u8],
    scan: &Scan,
    ready: &Ready,
    completed: &Completed,
) -> u64 {
    let inserts = matches!(scan.class, StatementClass::Insert | StatementClass::Replace);
    if completed.last_insert_id == 0 || !inserts {
        return completed.last_insert_id;
    }
    let definition = ready.plan.tables().first().and_then(|table| table.table.definition.as_deref());
    let explicit = definition.is_some_and(|definition| is_explicit(sql, session.options, definition));
    if explicit { 0 } else { completed.last_insert_id }
}
