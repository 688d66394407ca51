//! Reading and changing rows: plan, bind, execute.

use serval_executor::{Completed, ExecuteError};
use serval_remote::Backend;
use serval_sql::StatementClass;
use tokio::io::AsyncWrite;

use super::insert_id::Given;
use crate::answer::{ClientSink, Counting};
use crate::failure::Failure;
use crate::session::{Purpose, Query, Ready, Session, contains_word, prepare};
use crate::stream::Writer;

/// Plans, binds and executes the statement.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: Query<'_>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let catalog = session.catalog();
    let filled = query.filled(session)?;
    let query = filled.as_ref().map_or(query, |filled| filled.query(query));
    let ready = prepare(session, &catalog, &query, Purpose::Run).await?;
    if !session.autocommit && !session.transaction.is_open() && !ready.plan.tables().is_empty() {
        session.begin("START TRANSACTION", &catalog);
    }
    let (status, mut state) = (session.status(), session.effective_state());
    if let Some(timestamp) = &ready.timestamp {
        state = state.with("timestamp", timestamp);
    }
    if let Some(execution) = &query.execution {
        state = execution.statement.state(session.options, state);
    }
    let sent = query.execution.map(|execution| execution.parameters);
    let parameters = ready.parameters.as_ref().or(sent);
    let counting = Counting::of(writer.capabilities(), query.scan);
    let mut sink = ClientSink::new(writer, status, ready.numbers).counting(counting);
    match session.execute(&ready.bound, &catalog, &state, parameters, &mut sink).await {
        Ok(completed) => {
            // FOUND_ROWS: ROW_COUNT() says what the client was told.
            let told = sink.affected_rows();
            remember(session, &query, &ready, &completed, told);
            if completed.warnings > 0 {
                session.note_warnings(&ready.bound, &catalog, state);
            }
            Ok(())
        }
        Err(ExecuteError::Client(_)) => Err(Failure::Gone),
        Err(error) => Err(error.to_mysql().into()),
    }
}

fn remember<B: Backend>(
    session: &mut Session<B>,
    query: &Query<'_>,
    ready: &Ready,
    completed: &Completed,
    told: Option<u64>,
) {
    if ready.plan.writes() {
        let Completed { affected_rows, last_insert_id, .. } = *completed;
        let insert_id = match ready.numbers {
            Some(numbers) => numbers.remembered(affected_rows, last_insert_id),
            None => generated(session, query, ready, completed),
        };
        session.last.changed(told.unwrap_or(affected_rows), insert_id, completed.warnings);
    } else {
        // The word can only stand among the first ones.
        let key = &query.scan.key;
        let counted = !contains_word(&key[..key.len().min(96)], b"SQL_CALC_FOUND_ROWS");
        session.last.selected(completed.rows, counted, completed.warnings);
    }
}

/// What LAST_INSERT_ID() becomes by a statement whose numbers come from a server; 0 where it stays as it is.
fn generated<B: Backend>(
    session: &Session<B>,
    query: &Query<'_>,
    ready: &Ready,
    completed: &Completed,
) -> u64 {
    let inserts = matches!(query.scan.class, StatementClass::Insert | StatementClass::Replace);
    if completed.last_insert_id == 0 || !inserts || contains_word(&query.scan.key, b"LAST_INSERT_ID") {
        return completed.last_insert_id;
    }
    let definition = ready.plan.tables().first().and_then(|table| table.table.definition.as_deref());
    let Some(definition) = definition else { return completed.last_insert_id };
    let given = Given::of(query, query.options(session), definition);
    // A row that changed another in its place counts twice, and the number is that row's.
    let updated = contains_word(&query.scan.key, b"DUPLICATE")
        && completed.affected_rows >= given.rows.saturating_mul(2);
    if given.all || updated { 0 } else { completed.last_insert_id }
}
