//! Gathering: rows of several nodes into temporary tables of the scratch server, and the statement over them.
//!
//! Rows are read as any other statement reads them, in the session's transaction if there is one, and loaded while they
//! come; so a table of any size takes the memory of two chunks here. What stands on the scratch server is limited in
//! bytes, by statement.

mod keys;
mod literal;
mod loader;

use std::time::Instant;

use serval_catalog::Scratch;
use serval_planner::PlanTable;
use serval_planner::primitive::{Gather, GatherSource};
use serval_remote::{Access, Backend, Connection, NAMES, Request, SessionState};
use serval_types::GroupId;
use serval_wire::response::Prepared;

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::execute::execute_rows;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::query_rows::ask;
use crate::relay;
use crate::sink::ResultSink;
use keys::Keys;
use loader::{Failure, Loader};

/// Gathers the tables of a statement, runs it, and passes its answer on.
pub(crate) async fn run<B: Backend, S: ResultSink>(
    gather: &Gather,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let mut scratch = Place::take(context, gather).await?;
    let filled = scratch.fill(tables, context).await;
    let connection = match filled {
        Ok(()) => scratch.connection,
        Err(error) => {
            // Its tables would be in somebody else's way.
            scratch.connection.spoil();
            return Err(error);
        }
    };
    let names = Names::gathered(context.catalog, tables, &gather.sources);
    let mut link: Link<B> = Link::own(connection);
    let query = context.query(&gather.statement);
    let answered = relay::answer(query, "scratch", &names, &mut link, sink).await;
    leave(link, gather, &answered).await;
    answered
}

/// What the scratch server says of the statement before it is executed, from tables without rows.
///
/// # Errors
/// As [`crate::execute`].
pub async fn prepare_gathered<B: Backend>(
    gather: &Gather,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
) -> Result<Prepared, ExecuteError> {
    let mut place = Place::take(context, gather).await?;
    let state = make_state();
    for source in &gather.sources {
        place.order(&state, source.create.as_bytes()).await?;
    }
    let names = Names::gathered(context.catalog, tables, &gather.sources);
    let query = Query { execution: None, ..context.query(&gather.statement) };
    let mut link: Link<B> = Link::own(place.connection);
    let prepared = link.prepare(&query).await.map_err(|error| names.map_remote(error));
    leave(link, gather, &prepared).await;
    let mut prepared = prepared?;
    prepared.columns.iter_mut().for_each(|column| names.map_column(column));
    Ok(prepared)
}

/// Gives the connection back without its tables, or closes it.
async fn leave<B: Backend, T>(link: Link<B>, gather: &Gather, answered: &Result<T, ExecuteError>) {
    let Some(mut connection) = link.into_own() else { return };
    let dropped = match answered {
        Ok(_) => ask(&mut connection, &internal(&load_state(), drop_tables(gather).as_bytes())).await.is_ok(),
        Err(_) => false,
    };
    if !dropped {
        connection.spoil();
    }
}

/// A connection to the scratch server, and what is to be put there.
struct Place<'a, C> {
    connection: C,
    scratch: &'a Scratch,
    gather: &'a Gather,
}

impl<'a, C: Connection> Place<'a, C> {
    async fn take<B: Backend<Connection = C>>(
        context: &Context<'a, B>,
        gather: &'a Gather,
    ) -> Result<Self, ExecuteError> {
        let scratch = context.catalog.scratch.as_deref().ok_or_else(|| {
            ExecuteError::refused("The scratch server is no longer configured; run the statement again")
        })?;
        let state = load_state();
        let (backend, deadline): (_, Instant) = (context.backend, context.deadline);
        let connection = backend.acquire(GroupId::SCRATCH, Access::Primary, &state, deadline).await?;
        Ok(Self { connection, scratch, gather })
    }

    async fn fill<B: Backend<Connection = C>>(
        &mut self,
        tables: &[PlanTable],
        context: &mut Context<'_, B>,
    ) -> Result<(), ExecuteError> {
        let state = load_state();
        let read_state = context.state.with("character_set_results", "NULL").without("sql_select_limit");
        let mut left = self.scratch.limit;
        let mut sizes: Vec<usize> = vec![0; self.gather.sources.len()];
        let read_utf8 = read_state.with(NAMES, "utf8mb4").with("character_set_results", "NULL");
        let mut keys = Keys::wanted(self.gather);
        for &index in &self.gather.order {
            let Some(source) = self.gather.sources.get(index) else { continue };
            self.order(&make_state(), source.create.as_bytes()).await?;
            if let Some((at, other)) = source.copy_of.and_then(|at| Some((at, self.gather.sources.get(at)?)))
            {
                let size = sizes.get(at).copied().unwrap_or_default();
                let own = tables.get(source.table..=source.table).unwrap_or_default();
                let limit = self.scratch.limit;
                left = left.checked_sub(size).ok_or_else(|| Failure::Limit.of_table(own, limit))?;
                self.order(&state, copy(source, other).as_bytes()).await?;
                continue;
            }
            let mut context = Context {
                backend: context.backend,
                catalog: context.catalog,
                transaction: &mut *context.transaction,
                state: if source.in_utf8 { &read_utf8 } else { &read_state },
                deadline: context.deadline,
                memory_limit: context.memory_limit,
                replicas: context.replicas,
                mode: context.mode,
                parameters: None,
            };
            let before = left;
            left = self.load(index, &mut keys, tables, left, &mut context).await?;
            sizes[index] = before - left;
        }
        Ok(())
    }

    /// Brings the rows of one table; the bytes that may still come.
    async fn load<B: Backend<Connection = C>>(
        &mut self,
        index: usize,
        keys: &mut Keys,
        tables: &[PlanTable],
        left: usize,
        context: &mut Context<'_, B>,
    ) -> Result<usize, ExecuteError> {
        let (source, state) = (&self.gather.sources[index], load_state());
        let database = Some(&*self.scratch.node.database);
        let request = Request { database, state: &state, begin: None, sql: b"", execution: None };
        let rows = keys.narrow(source);
        let mut loader = Loader::new(&mut self.connection, request, source, left, keys.of(index));
        let own = tables.get(source.table..=source.table).unwrap_or_default();
        let read = execute_rows(&rows, own, context, &mut loader).await;
        match (loader.failed(), read) {
            (Some(failure), _) => Err(failure.of_table(own, self.scratch.limit)),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => loader.finish().await,
        }
    }

    async fn order(&mut self, state: &SessionState, sql: &[u8]) -> Result<(), ExecuteError> {
        let database = Some(&*self.scratch.node.database);
        let request = Request { database, state, begin: None, sql, execution: None };
        ask(&mut self.connection, &request).await.map(|_| ())
    }
}

/// The statement that copies the rows of `other`.
fn copy(source: &GatherSource, other: &GatherSource) -> String {
    let columns = source.names.join(", ");
    format!("INSERT INTO {} ({columns}) SELECT {columns} FROM {}", source.name, other.name)
}

fn internal<'a>(state: &'a SessionState, sql: &'a [u8]) -> Request<'a> {
    Request { database: None, state, begin: None, sql, execution: None }
}

fn drop_tables(gather: &Gather) -> String {
    let names: Vec<&str> = gather.sources.iter().map(|source| &*source.name).collect();
    format!("DROP TEMPORARY TABLE {}", names.join(", "))
}

/// What rows are loaded under: bytes as they are, one time zone without summer time, and no value refused that a table
/// already holds.
fn load_state() -> SessionState {
    let mode = "'ALLOW_INVALID_DATES'";
    SessionState::default().with(NAMES, "binary").with("sql_mode", mode).with("time_zone", "'+00:00'")
}

/// What tables are made under: their definitions are in UTF-8, members of an ENUM among them.
fn make_state() -> SessionState {
    load_state().with(NAMES, "utf8mb4")
}
