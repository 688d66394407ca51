//! Ordinary tables in the place of temporary ones, for statements that open one twice: MySQL does not do that.
//!
//! They are in a database of this connection's own, so that nobody else meets them, and they go with it. What a proxy has
//! left behind that ended in the middle of a statement is removed by the next one that comes here.

use serval_planner::PlanTable;
use serval_planner::primitive::Gather;
use serval_remote::{Backend, Connection, Request, SessionState};
use serval_wire::response::Prepared;

use super::{behind, drop_tables, internal, load_state, make_state};
use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::query_rows::ask;
use crate::relay;
use crate::sink::ResultSink;

/// `ER_CANT_REOPEN_TABLE`.
const CANNOT_REOPEN: u16 = 1137;
const TEMPORARY: &str = "CREATE TEMPORARY TABLE ";

/// The databases whose connections are gone.
const ABANDONED: &str = "SELECT s.SCHEMA_NAME FROM information_schema.SCHEMATA AS s WHERE s.SCHEMA_NAME REGEXP \
     '^serval_scratch_[0-9]+$' AND CAST(SUBSTRING(s.SCHEMA_NAME, 16) AS UNSIGNED) NOT IN (SELECT p.ID FROM \
     information_schema.PROCESSLIST AS p)";

/// Whether a statement has failed because it opens a temporary table twice.
pub(super) fn is_needed<T>(answered: &Result<T, ExecuteError>) -> bool {
    matches!(answered, Err(ExecuteError::Server(error)) if error.number == CANNOT_REOPEN)
}

/// Runs the statement over ordinary tables, which it may open twice.
pub(super) async fn run<B: Backend, S: ResultSink>(
    mut connection: B::Connection,
    (gather, state): (&Gather, &SessionState),
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let from = context.query(&gather.statement).database.unwrap_or_default().to_owned();
    let database = database(&connection);
    make(&mut connection, gather, (&from, &database)).await?;
    ask(&mut connection, &internal(&load_state(), drop_tables(gather, &from).as_bytes())).await?;
    let names = Names::gathered_in(context.catalog, tables, &gather.sources, &database).said_by(&connection);
    let query = Query { database: Some(&database), state, ..context.query(&gather.statement) };
    let mut link: Link<B> = Link::own(connection);
    let mut answered = relay::answer(query, "scratch", &names, &mut link, sink).await;
    let Some(mut connection) = link.into_own() else { return answered };
    if let Ok(completed) = &mut answered {
        behind::fetch(&mut connection, gather, state, &names, completed).await;
    }
    remove(&mut connection, &database).await;
    // Its current database is gone.
    connection.spoil();
    answered
}

/// What the server says of the statement before it is executed, over ordinary tables.
pub(super) async fn prepare<B: Backend>(
    mut connection: B::Connection,
    (gather, state): (&Gather, &SessionState),
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
) -> Result<Prepared, ExecuteError> {
    let from = context.query(&gather.statement).database.unwrap_or_default().to_owned();
    let database = database(&connection);
    make(&mut connection, gather, (&from, &database)).await?;
    let names = Names::gathered_in(context.catalog, tables, &gather.sources, &database).said_by(&connection);
    let query =
        Query { execution: None, database: Some(&database), state, ..context.query(&gather.statement) };
    let mut link: Link<B> = Link::own(connection);
    let prepared = link.prepare(&query).await.map_err(|error| names.map_remote(error));
    if let Some(mut connection) = link.into_own() {
        remove(&mut connection, &database).await;
        connection.spoil();
    }
    let mut prepared = prepared?;
    prepared.columns.iter_mut().for_each(|column| names.map_column(column));
    Ok(prepared)
}

/// The database of a connection.
fn database<C: Connection>(connection: &C) -> String {
    format!("serval_scratch_{}", connection.thread_id())
}

/// Makes ordinary tables of the temporary ones in `from`, whose rows may already be there.
async fn make<C: Connection>(
    connection: &mut C,
    gather: &Gather,
    (from, to): (&str, &str),
) -> Result<(), ExecuteError> {
    let result = fill(connection, gather, from, to).await;
    if result.is_err() {
        remove(connection, to).await;
    }
    // The account may have no right to a database of its own: then it stays with what the server has said.
    result.map_err(|error| match error {
        ExecuteError::Server(error) if matches!(error.number, 1044 | 1142 | 1227) => ExecuteError::refused(
            "The scratch server cannot open a temporary table twice, and its account may not make the database \
             `serval_scratch_…` for ordinary ones; GRANT ALL ON `serval\\_scratch\\_%`.* to it",
        ),
        error => error,
    })
}

async fn fill<C: Connection>(
    connection: &mut C,
    gather: &Gather,
    from: &str,
    to: &str,
) -> Result<(), ExecuteError> {
    let (load, make) = (load_state(), make_state());
    for name in ask(connection, &request(&make, None, ABANDONED.as_bytes())).await? {
        let name = name.first().cloned().flatten().unwrap_or_default();
        remove(connection, &String::from_utf8_lossy(&name)).await;
    }
    order(connection, &load, None, &format!("CREATE DATABASE {to}")).await?;
    for source in &gather.sources {
        let Some(create) = source.create.strip_prefix(TEMPORARY) else { continue };
        let make_sql = match &source.result {
            Some(_) => format!("CREATE TABLE {to}.{0} LIKE {from}.{0}", source.name),
            None => format!("CREATE TABLE {to}.{create}"),
        };
        order(connection, &make, Some(to), &make_sql).await?;
        let (name, columns) = (&source.name, source.names.join(", "));
        let copy = format!("INSERT INTO {to}.{name} ({columns}) SELECT {columns} FROM {from}.{name}");
        order(connection, &make, Some(to), &copy).await?;
    }
    Ok(())
}

/// Removes a database, as far as that can be done.
async fn remove<C: Connection>(connection: &mut C, database: &str) {
    let sql = format!("DROP DATABASE IF EXISTS {database}");
    // Where that fails it is left for the next statement that needs ordinary tables.
    let _ = order(connection, &load_state(), None, &sql).await;
}

async fn order<C: Connection>(
    connection: &mut C,
    state: &SessionState,
    database: Option<&str>,
    sql: &str,
) -> Result<(), ExecuteError> {
    ask(connection, &request(state, database, sql.as_bytes())).await.map(|_| ())
}

fn request<'a>(state: &'a SessionState, database: Option<&'a str>, sql: &'a [u8]) -> Request<'a> {
    Request { database, state, begin: None, sql, execution: None }
}
