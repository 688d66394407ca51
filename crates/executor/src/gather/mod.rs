//! Gathering: rows of several nodes into temporary tables of the scratch server, and the statement over them.
//!
//! Rows are read as any other statement reads them, in the session's transaction if there is one, and loaded while they
//! come; so a table of any size takes the memory of a few chunks here. Outside of a transaction several tables are read at
//! once. What stands on the scratch server is limited in
//! bytes, by statement.

mod behind;
mod budget;
mod json;
mod keys;
mod literal;
mod loader;
mod ordinary;
mod wave;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serval_catalog::Scratch;
use serval_planner::primitive::{Gather, GatherSource};
use serval_planner::{PlanTable, What};
use serval_remote::{Access, Backend, Connection, NAMES, RemoteError, Request, SessionState};
use serval_transaction::Transaction;
use serval_types::GroupId;
use serval_wire::response::Prepared;
use tokio::sync::mpsc;

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::execute::execute_rows;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::profile::{Measured, Metering};
use crate::query_rows::ask;
use crate::relay;
use crate::sink::ResultSink;
use budget::Budget;
use keys::Keys;
use loader::Reader;

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
    let names = Names::gathered(context.catalog, tables, &gather.sources).said_by(&connection);
    let mut link: Link<B> = Link::own(connection);
    let state = &scratch.state;
    let query = Query { state, ..context.query(&gather.statement) };
    let mut answered = match context.watch {
        None => relay::answer(query, "scratch", &names, &mut link, sink).await,
        Some(watch) => {
            let mut sink = Metering::new(sink);
            let answered = relay::answer(query, "scratch", &names, &mut link, &mut sink).await;
            watch.note(What::Statement, sink.measured());
            answered
        }
    };
    let Some(mut connection) = link.into_own() else { return answered };
    if ordinary::is_needed(&answered) {
        return ordinary::run(connection, (gather, state), tables, context, sink).await;
    }
    if let Ok(completed) = &mut answered {
        behind::fetch(&mut connection, gather, state, &names, completed).await;
    }
    if gather.sets_variables {
        connection.spoil();
    } else {
        leave(connection, gather, &answered).await;
    }
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
    for source in &gather.sources {
        place.make(source).await?;
    }
    let names = Names::gathered(context.catalog, tables, &gather.sources).said_by(&place.connection);
    let state = &place.state;
    let query = Query { execution: None, state, ..context.query(&gather.statement) };
    let mut link: Link<B> = Link::own(place.connection);
    let prepared = link.prepare(&query).await.map_err(|error| names.map_remote(error));
    if let Some(connection) = link.into_own() {
        if ordinary::is_needed(&prepared) {
            return ordinary::prepare(connection, (gather, state), tables, context).await;
        }
        leave(connection, gather, &prepared).await;
    }
    let mut prepared = prepared?;
    prepared.columns.iter_mut().for_each(|column| names.map_column(column));
    Ok(prepared)
}

/// Gives the connection back without its tables, or closes it.
async fn leave<C: Connection, T>(mut connection: C, gather: &Gather, answered: &Result<T, ExecuteError>) {
    let dropped = match answered {
        Ok(_) => {
            ask(&mut connection, &internal(&load_state(), drop_tables(gather, "").as_bytes())).await.is_ok()
        }
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
    budget: Budget<'a>,
    /// The session's variables there.
    state: SessionState,
}

impl<'a, C: Connection> Place<'a, C> {
    async fn take<B: Backend<Connection = C>>(
        context: &Context<'a, B>,
        gather: &'a Gather,
    ) -> Result<Self, ExecuteError> {
        let scratch = context.catalog.scratch.as_deref().ok_or_else(|| {
            ExecuteError::refused("The scratch server is no longer configured; run the statement again")
        })?;
        // Under its own variables it could compute other values than the nodes.
        if context.catalog.sql_mode.is_some() && context.catalog.defaults.is_empty() {
            return Err(ExecuteError::from(RemoteError::Unavailable {
                group: "scratch".to_owned(),
                reason: "how its variables differ from the nodes' is not known yet".to_owned(),
            }));
        }
        let loading = load_state();
        let (backend, deadline): (_, Instant) = (context.backend, context.deadline);
        let connection = backend.acquire(GroupId::SCRATCH, Access::Primary, &loading, deadline).await?;
        Ok(Self { connection, scratch, gather, budget: Budget::of(scratch), state: state_there(context) })
    }

    async fn fill<B: Backend<Connection = C>>(
        &mut self,
        tables: &[PlanTable],
        context: &mut Context<'_, B>,
    ) -> Result<(), ExecuteError> {
        let read_state = context.read_state();
        let read_utf8 = read_state.with(NAMES, "utf8mb4").with("character_set_results", "NULL");
        let states = ReadStates { own: &read_state, utf8: &read_utf8 };
        let mut sizes: Vec<usize> = vec![0; self.gather.sources.len()];
        let mut keys = Keys::wanted(self.gather);
        for wave in wave::waves(self.gather, wave::width(self.gather, context)) {
            let mut read = Vec::with_capacity(wave.len());
            for index in wave {
                let source = &self.gather.sources[index];
                self.make(source).await?;
                match source.copy_of {
                    Some(from) => self.copy(source, from, &sizes, tables).await?,
                    None => read.push(index),
                }
            }
            self.read(&read, &mut keys, tables, &mut sizes, &states, context).await?;
        }
        Ok(())
    }

    /// Has the rows of another source copied there.
    async fn copy(
        &mut self,
        source: &GatherSource,
        from: usize,
        sizes: &[usize],
        tables: &[PlanTable],
    ) -> Result<(), ExecuteError> {
        let Some(other) = self.gather.sources.get(from) else { return Ok(()) };
        let size = sizes.get(from).copied().unwrap_or_default();
        let own = tables.get(source.tables.clone()).unwrap_or_default();
        self.budget.take(size).map_err(|failure| failure.of_table(own))?;
        self.order(&load_state(), copy(source, other).as_bytes()).await
    }

    /// Brings the rows of tables that can be read at once, while what has come of any of them is stored.
    async fn read<B: Backend<Connection = C>>(
        &mut self,
        wave: &[usize],
        keys: &mut Keys,
        tables: &[PlanTable],
        sizes: &mut [usize],
        states: &ReadStates<'_>,
        context: &mut Context<'_, B>,
    ) -> Result<(), ExecuteError> {
        let (gather, budget, width) = (self.gather, &self.budget, wave.len());
        let state = load_state();
        let database = Some(&*self.scratch.node.database);
        let request = Request { database, state: &state, begin: None, sql: b"", execution: None };
        // Besides the chunk that every reader fills and the one that is stored.
        let (sender, chunks) = mpsc::channel(1);
        let done: Mutex<Vec<(usize, usize, Vec<keys::Column>)>> = Mutex::default();
        let mut readers = Vec::with_capacity(width);
        let mut shared = Some(&mut *context.transaction);
        for &index in wave {
            let source = &gather.sources[index];
            let rows = keys.narrow(source).into_owned();
            let mut reader = Reader::new(source, keys.take(index), sender.clone(), budget);
            // A single reader is the transaction's, where there is one; several have none.
            let transaction = if width == 1 { shared.take() } else { None };
            let (backend, catalog, deadline) = (context.backend, context.catalog, context.deadline);
            let (memory_limit, replicas, mode) = (context.memory_limit, context.replicas, context.mode);
            let watch = context.watch.map(|watch| watch.source(index));
            let own = tables.get(source.tables.clone()).unwrap_or_default();
            let done = &done;
            readers.push(async move {
                let mut none = Transaction::new();
                let mut context = Context {
                    backend,
                    catalog,
                    transaction: transaction.unwrap_or(&mut none),
                    state: if source.in_utf8 { states.utf8 } else { states.own },
                    deadline,
                    memory_limit,
                    replicas,
                    mode,
                    parameters: None,
                    watch,
                    share: width,
                };
                let begun = Instant::now();
                let result = execute_rows(&rows, own, &mut context, &mut reader).await;
                match (reader.failed(), result) {
                    (Some(failure), _) => return Err(failure.of_table(own)),
                    (None, Err(error)) => return Err(error),
                    (None, Ok(_)) => {}
                }
                let (count, bytes) = (reader.rows, reader.bytes);
                let keys = reader.finish().await.map_err(|failure| failure.of_table(own))?;
                if let Some(watch) = watch {
                    let (bytes, time) = (Some(bytes as u64), Some(begun.elapsed()));
                    watch.note(What::Source, Measured { rows: count, bytes, time });
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push((index, bytes, keys));
                Ok(())
            });
        }
        // The end of the last reader is the end of what is stored.
        drop(sender);
        tokio::try_join!(loader::store(&mut self.connection, request, chunks), wave::all(readers))?;
        for (index, bytes, columns) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
            sizes[index] = bytes;
            keys.give(index, columns);
        }
        Ok(())
    }

    /// Makes the table of a source. What a query's columns are depends on the session's variables, too.
    async fn make(&mut self, source: &GatherSource) -> Result<(), ExecuteError> {
        let state = make_state();
        let Some(result) = &source.result else { return self.order(&state, source.create.as_bytes()).await };
        for (_, create) in &result.typed {
            self.order(&state, create.as_bytes()).await?;
        }
        // A session that only reads may not make tables, not even temporary ones.
        let asks =
            READ_ONLY.iter().fold(self.state.with(NAMES, "utf8mb4"), |state, name| state.without(name));
        let asks = asks.with("sql_mode", MODE);
        self.order(&asks, source.create.as_bytes()).await?;
        let names: Vec<&str> = result.typed.iter().map(|(name, _)| &**name).collect();
        let dropped = format!("DROP TEMPORARY TABLE {}", names.join(", "));
        self.order(&state, dropped.as_bytes()).await
    }

    async fn order(&mut self, state: &SessionState, sql: &[u8]) -> Result<(), ExecuteError> {
        let database = Some(&*self.scratch.node.database);
        let request = Request { database, state, begin: None, sql, execution: None };
        ask(&mut self.connection, &request).await.map(|_| ())
    }
}

/// What rows are read under.
struct ReadStates<'a> {
    own: &'a SessionState,
    /// Where the texts have names of ours that are not ASCII.
    utf8: &'a SessionState,
}

/// The statement that copies the rows of `other`.
fn copy(source: &GatherSource, other: &GatherSource) -> String {
    let columns = source.names.join(", ");
    format!("INSERT INTO {} ({columns}) SELECT {columns} FROM {}", source.name, other.name)
}

fn internal<'a>(state: &'a SessionState, sql: &'a [u8]) -> Request<'a> {
    Request { database: None, state, begin: None, sql, execution: None }
}

fn drop_tables(gather: &Gather, database: &str) -> String {
    let name = |source: &GatherSource| {
        if database.is_empty() { source.name.clone() } else { format!("{database}.{}", source.name) }
    };
    let names: Vec<String> = gather.sources.iter().map(name).collect();
    format!("DROP TEMPORARY TABLE {}", names.join(", "))
}

/// What both kinds of servers call a session that only reads.
const READ_ONLY: [&str; 2] = ["transaction_read_only", "tx_read_only"];

/// The session's variables on the scratch server: what the session has not set is as on the nodes.
fn state_there<B: Backend>(context: &Context<'_, B>) -> SessionState {
    let unset = context.catalog.defaults.iter().filter(|(name, _)| context.state.value(name).is_none());
    unset.fold(context.state.clone(), |state, (name, value)| state.with(name, value))
}

/// No value is refused that a table already holds.
const MODE: &str = "'ALLOW_INVALID_DATES'";

/// What rows are loaded under: bytes as they are, one time zone without summer time, and no value refused that a table
/// already holds.
fn load_state() -> SessionState {
    SessionState::default().with(NAMES, "binary").with("sql_mode", MODE).with("time_zone", "'+00:00'")
}

/// What tables are made under: their definitions are in UTF-8, members of an ENUM among them.
fn make_state() -> SessionState {
    load_state().with(NAMES, "utf8mb4")
}
