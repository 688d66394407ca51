//! Reading and changing rows: plan, bind, execute.

use serval_executor::{Completed, ExecuteError};
use serval_remote::Backend;
use serval_sql::StatementClass;
use serval_types::GroupId;
use tokio::io::AsyncWrite;

use super::insert_id::Learned;
use super::{gathered, hints, into, named_locks, select_limit, staged};
use crate::answer::{ClientSink, Counting};
use crate::failure::Failure;
use crate::session::{Effects, Purpose, Query, Ready, Session, Wanted, found_rows, prepare};
use crate::stream::Writer;
use crate::words::contains_word;

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
    let Kept { learned, read, wanted: mut left } = keep(session, &query, &ready, effects.wanted).await?;
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
            let insert_id = learned.insert_id(&ready, &completed, read.is_some());
            remember(session, &query, &ready, &completed, (insert_id, told));
            left.insert_id &= insert_id == 0;
            if ready.plan.tables().is_empty() {
                session.last.keep(kept, session.proxy.flavour());
            }
            match behind {
                Some(behind) => gathered::note(session, *behind, &wanted),
                None => {
                    if completed.warnings > 0 {
                        session.note_warnings(&ready.bound, &catalog, state);
                    }
                    Ok(())
                }
            }
        }
        Err(ExecuteError::Client(_)) => Err(sink.failure().map_or(Failure::Gone, Failure::Told)),
        Err(error) if read.is_some() || !sink.is_untouched() => Err(error.to_mysql().into()),
        Err(error) => Err(session.note_lost_copy(&catalog, &ready, &error).into()),
    };
    match read {
        Some(group) => Box::pin(session.read_after(group, &left, result)).await,
        None => result,
    }
}

/// Keeps the connection whose server will be asked what the statement has left, where it will.
async fn keep<B: Backend>(
    session: &mut Session<B>,
    query: &Query<'_>,
    ready: &Ready,
    mut wanted: Wanted,
) -> Result<Kept, Failure> {
    let learned = Learned::of(session, query, ready);
    if is_insert(query.scan.class) {
        wanted.insert_id = learned == Learned::Asked;
    }
    let telling = if wanted.is_nothing() { None } else { Some(session.catalog()) };
    let read = telling.and_then(|catalog| into::telling_group(&catalog, &ready.bound));
    if let Some(group) = read {
        session.pin_for(group, &wanted).await?;
    }
    Ok(Kept { learned, read, wanted })
}

/// A connection that is kept for what a statement leaves there.
struct Kept {
    learned: Learned,
    /// Its group, where there is one.
    read: Option<GroupId>,
    wanted: Wanted,
}

fn remember<B: Backend>(
    session: &mut Session<B>,
    query: &Query<'_>,
    ready: &Ready,
    completed: &Completed,
    (insert_id, told): (u64, Option<u64>),
) {
    // FOR UPDATE goes where writes go, and is none.
    if ready.plan.writes() && query.scan.class != StatementClass::Select {
        let affected_rows = completed.affected_rows;
        session.last.changed(told.unwrap_or(affected_rows), insert_id, completed.warnings);
        if is_insert(query.scan.class) && contains_word(&query.scan.key, b"SELECT") {
            // The rows that the query gave, which only its server has counted.
            session.last.found_rows = None;
        }
        if told.is_none() {
            // RETURNING: rows instead of an OK packet.
            session.last.row_count = -1;
        }
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

/// Whether the statement stores new rows.
pub(crate) fn is_insert(class: StatementClass) -> bool {
    matches!(class, StatementClass::Insert | StatementClass::Replace)
}
