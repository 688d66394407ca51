//! CALL: a stored procedure on the default node of its schema.
//!
//! Nobody knows what a procedure does. So it runs on a connection that is the session's own while it lasts and is closed
//! behind it. What it may have left that the session can have is read back: user variables, LAST_INSERT_ID(),
//! FOUND_ROWS(). Whether it committed is in the status of its answer. What would have to stay on the connection, an open
//! transaction or `autocommit = 0`, is refused in place of its last OK.
//!
//! All its results are passed on, taken apart: the names in every one are a client's, whichever dialect it speaks.

mod place;
mod text;

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_executor::{Completed, ExecuteError};
use serval_planner::primitive::Target;
use serval_planner::{Bound, PlanTable};
use serval_remote::Backend;
use serval_sql::{Scan, identifier_value};
use serval_types::GroupId;
use tokio::io::AsyncWrite;

use crate::answer::ClientSink;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::pins::PinReason;
use crate::session::{Query, Session, Wanted, on_node};
use crate::stream::Writer;
use place::Place;
use text::CallText;

/// ER_SP_DOES_NOT_EXIST.
const NO_ROUTINE: u16 = 1305;

/// Runs a CALL, plain or prepared, and tells the client all that it answers.
pub(in crate::statement) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: Query<'_>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let catalog = session.catalog();
    let filled = query.filled(session, &session.catalog())?;
    let query = filled.as_ref().map_or(query, |filled| filled.query(query));
    let call = CallText::of(query.sql, query.options(session))?;
    let current = match &query.execution {
        Some(execution) => execution.statement.manner.schema.clone(),
        None => session.schema.as_deref().map(Into::into),
    };
    let place = Place::find(session, &catalog, call.schema.as_deref().or(current.as_deref()))?;
    check_transaction(session, place.group)?;
    session.begin_if_implicit(&catalog);
    session.backend.pin(place.group, PinReason::Routine);
    let result = pinned(session, writer, &catalog, query, &call, &place).await;
    session.backend.unpin(place.group, PinReason::Routine);
    result
}

/// What a node has to be asked to know the parameters of a CALL that is prepared, and the tables it may name.
pub(in crate::statement) fn sample<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    sql: &[u8],
    scan: &Scan,
) -> Result<(Target, Arc<[PlanTable]>), Failure> {
    let call = CallText::of(sql, session.options)?;
    let place = Place::find(session, catalog, call.schema.as_deref().or(session.schema.as_deref()))?;
    Ok((target(&place, &call, scan), place.tables))
}

fn target(place: &Place, call: &CallText, scan: &Scan) -> Target {
    let count = u16::try_from(scan.parameter_count()).unwrap_or(u16::MAX);
    Target { parameters: (0..count).collect(), ..Target::new(place.node, None, call.sql.clone()) }
}

/// Calls, and reads back what was left, on the connection that is kept.
async fn pinned<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    catalog: &Arc<Catalog>,
    query: Query<'_>,
    call: &CallText,
    place: &Place,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    // The procedure may ask for it, and what it leaves must not be another session's.
    let insert_id = format!("DO LAST_INSERT_ID({})", session.last.insert_id);
    let mut state = session.effective_state();
    session.run_on(catalog, place.node, insert_id.as_bytes(), &state).await?;
    if let Some(execution) = &query.execution {
        state = execution.statement.state(catalog.sql_mode.as_deref(), state);
    }
    let parameters = query.execution.map(|execution| execution.parameters);
    let bound = Bound { tables: Arc::clone(&place.tables), ..on_node(target(place, call, query.scan)) };
    let mut sink = ClientSink::new(writer, session.status(), None).routine();
    let characteristics = session.next_transaction.clone();
    let result = session.execute(&bound, catalog, &state, parameters, &mut sink).await;
    match result {
        Ok(completed) => {
            let Completed { affected_rows, warnings, .. } = completed;
            session.last.changed(affected_rows, 0, warnings);
            if warnings > 0 {
                // What is read back would take their place.
                session.note_warnings(&bound, catalog, state);
                session.fetch_warnings().await;
            }
            read_back(session, catalog, place, call).await
        }
        Err(ExecuteError::Client(_)) => match sink.failure() {
            Some(refusal) => {
                forget(session, catalog, place).await;
                Err(refusal.into())
            }
            None => Err(Failure::Gone),
        },
        Err(error @ ExecuteError::Server(_)) => {
            // It may have come some way, and even have ended the transaction.
            let error = error.to_mysql();
            read_back(session, catalog, place, call).await?;
            // Of a procedure that is not there nothing has run.
            if error.number == NO_ROUTINE && !session.transaction.is_open() {
                session.next_transaction = characteristics;
            }
            Err(error.into())
        }
        Err(error) => Err(error.to_mysql().into()),
    }
}

/// A procedure may commit or roll back; of what other groups have done it knows nothing.
fn check_transaction<B: Backend>(session: &Session<B>, group: GroupId) -> Result<(), Failure> {
    if session.transaction.groups().iter().any(|other| *other != group) {
        return Err(refused(
            "CALL is not supported in a transaction that has used another group already, since a procedure may commit \
             or roll back by itself; CALL first, or in a transaction of its own",
        ));
    }
    if session.locked.is_some() {
        return Err(refused("CALL is not supported under LOCK TABLES; UNLOCK TABLES first"));
    }
    Ok(())
}

/// Takes over what the procedure left in the server's session.
async fn read_back<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    place: &Place,
    call: &CallText,
) -> Result<(), Failure> {
    // FOUND_ROWS() speaks of the statement before.
    let first = Wanted { found_rows: true, insert_id: true, ..Wanted::default() };
    session.read_wanted(place.group, &first).await?;
    let mut names = call.variables.clone();
    names.extend(listed(session, catalog, place).await);
    let known = session.state.iter().filter_map(|(name, _)| name.strip_prefix('@'));
    names.extend(known.map(|name| String::from_utf8_lossy(&identifier_value(name.as_bytes())).into_owned()));
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        session.read_back(place.group, &names).await?;
    }
    if !session.transaction.is_open() {
        session.transaction_ended();
    }
    Ok(())
}

/// The user variables of the server's session; none where the server does not tell them.
async fn listed<B: Backend>(session: &mut Session<B>, catalog: &Catalog, place: &Place) -> Vec<String> {
    let sql: &[u8] = if session.proxy.flavour().is_mariadb() {
        b"SELECT LOWER(VARIABLE_NAME) FROM information_schema.USER_VARIABLES"
    } else {
        b"SELECT LOWER(VARIABLE_NAME) FROM performance_schema.user_variables_by_thread \
          WHERE THREAD_ID = PS_CURRENT_THREAD_ID()"
    };
    let state = charset::readable(session.effective_state());
    match session.run_on(catalog, place.node, sql, &state).await {
        Ok((answer, _)) => (0..answer.rows.len()).filter_map(|row| answer.text(row, 0)).collect(),
        Err(error) => {
            tracing::debug!(%error, "user variables not told");
            Vec::new()
        }
    }
}

/// The connection is closed with what the procedure left open. Whoever comes next must not be told of that again.
async fn forget<B: Backend>(session: &mut Session<B>, catalog: &Arc<Catalog>, place: &Place) {
    let state = session.effective_state();
    if let Err(error) = session.run_on(catalog, place.node, b"DO 0", &state).await {
        tracing::debug!(%error, "a procedure's connection was given up");
    }
}
