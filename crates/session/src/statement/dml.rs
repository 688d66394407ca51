//! Reading and changing rows: plan, bind, execute.

use serval_executor::{Completed, ExecuteError};
use serval_remote::Backend;
use serval_sql::StatementClass;
use tokio::io::AsyncWrite;

use super::insert_id::Given;
use super::{gathered, hints, into, named_locks, select_limit, staged};
use crate::answer::{ClientSink, Counting};
use crate::failure::Failure;
use crate::session::{Effects, Purpose, Query, Ready, Session, found_rows, prepare};
use crate::stream::Writer;
use crate::words::{contains_word, updates_duplicates};

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
    // Rare, and large.
    let filled = query.filled(session, &catalog)?.map(Box::new);
    let query = filled.as_ref().map_or(query, |filled| filled.query(query));
    if !query.views.is_empty() {
        session.views = query.views.to_vec();
    }
    let effects = Effects::of(&query, query.options(session));
    let hints = hints::of_rows(query.scan, effects.into.is_some())?;
    if let Some(into) = &effects.into
        && Box::pin(into::merged(session, writer, &query, into)).await?
    {
        return Ok(());
    }
    let mut ready = match prepare(session, &catalog, &query, Purpose::Run).await {
        // What no plan can do in one step.
        Err(failure) if session.undefined.is_none() && staged::may_help(&failure, query.scan.class) => {
            hints::refuse_places(hints, "A statement in several steps")?;
            return Box::pin(staged::run(session, writer, &query, failure)).await;
        }
        ready => ready?,
    };
    let placed = named_locks::place(session, &catalog, &query, &mut ready).await?;
    session.begin_for(&catalog, &ready, query.sql);
    let (status, mut state) = (session.status(), session.effective_state());
    if let Some(timestamp) = &ready.timestamp {
        state = state.with("timestamp", timestamp);
    }
    if let Some(execution) = &query.execution {
        state = execution.statement.state(catalog.sql_mode.as_deref(), state);
    }
    let state = select_limit::apply(session, &query, &mut ready.bound, state)?;
    let wanted = gathered::ask(&mut ready, &query, &effects);
    let sent = query.execution.map(|execution| execution.parameters);
    let parameters = ready.parameters.as_ref().or(sent);
    let counting = Counting::of(writer.capabilities(), query.scan);
    let mut sink = ClientSink::new(writer, status, ready.numbers).counting(counting);
    if let Some(execution) = &query.execution {
        sink = sink.prepared(execution.statement.columns.len());
    }
    if query.execution.is_some_and(|execution| execution.cursor) {
        sink = sink.opening(session.prepared.room(&catalog.settings));
    }
    let read = into::one_group(&catalog, &ready.bound).filter(|_| !effects.wanted.is_nothing());
    if let Some(group) = read {
        session.pin_for_reading(group);
    }
    session.asked = hints::server(session, hints)?;
    let result = session.execute(&ready.bound, &catalog, &state, parameters, &mut sink).await;
    session.asked = None;
    if let Some(placed) = placed {
        Box::pin(named_locks::settle(session, &catalog, placed, result.is_ok())).await;
    }
    let result = match result {
        Ok(mut completed) => {
            let behind = completed.behind.take();
            session.opened = sink.opened();
            // FOUND_ROWS: ROW_COUNT() says what the client was told.
            let told = sink.affected_rows();
            let kept = session.last.warnings();
            remember(session, &query, &ready, &completed, told);
            if ready.plan.tables().is_empty() {
                session.last.keep(kept, session.proxy.flavour());
            }
            match behind {
                Some(behind) => gathered::note(session, *behind, &wanted),
                None if completed.warnings > 0 => {
                    session.note_warnings(&ready.bound, &catalog, state);
                    Ok(())
                }
                None => Ok(()),
            }
        }
        Err(ExecuteError::Client(_)) => Err(sink.failure().map_or(Failure::Gone, Failure::Told)),
        Err(error) if read.is_some() || !sink.is_untouched() => Err(error.to_mysql().into()),
        Err(error) => Err(session.note_lost_copy(&catalog, &ready, &error).into()),
    };
    match read {
        Some(group) => Box::pin(session.read_after(group, &effects.wanted, result)).await,
        None => result,
    }
}

fn remember<B: Backend>(
    session: &mut Session<B>,
    query: &Query<'_>,
    ready: &Ready,
    completed: &Completed,
    told: Option<u64>,
) {
    // FOR UPDATE goes where writes go, and is none.
    if ready.plan.writes() && query.scan.class != StatementClass::Select {
        let affected_rows = completed.affected_rows;
        let insert_id = insert_id(session, query, ready, completed);
        session.last.changed(told.unwrap_or(affected_rows), insert_id, completed.warnings);
    } else {
        let found = completed.found_rows.or_else(|| found_rows(query, completed.rows));
        session.last.selected(found, completed.warnings);
        if let Some(told) = told {
            // INTO: an OK packet instead of rows.
            session.last.row_count = i64::try_from(told).unwrap_or(i64::MAX);
            session.last.found_rows = Some(told);
        }
    }
}

/// What LAST_INSERT_ID() becomes by a statement that writes; 0 where it stays as it is.
pub(crate) fn insert_id<B: Backend>(
    session: &Session<B>,
    query: &Query<'_>,
    ready: &Ready,
    completed: &Completed,
) -> u64 {
    match ready.numbers {
        Some(numbers) => numbers.remembered(completed.last_insert_id),
        None => generated(session, query, ready, completed),
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
    let updated =
        updates_duplicates(&query.scan.key) && completed.affected_rows >= given.rows.saturating_mul(2);
    if given.all || updated { 0 } else { completed.last_insert_id }
}
