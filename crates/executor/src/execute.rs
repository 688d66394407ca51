//! The way in: which primitive runs how.

use serval_planner::primitive::{Held, Primitive, Route, Spread, Tally};
use serval_planner::{Bound, PlanTable, What};
use serval_remote::Backend;
use serval_transaction::Transaction;
use serval_types::MysqlError;
use serval_wire::packet::text_row;

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::profile::Metering;
use crate::progress::Progress;
use crate::sink::ResultSink;
use crate::{gather, relay, rows, spread};

/// Runs a plan and sends its result to `sink`.
///
/// # Errors
/// [`ExecuteError`]. After one the result in the sink may be unfinished, never finished and short.
pub async fn execute<B: Backend, S: ResultSink>(
    bound: &Bound,
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let result = execute_root(bound, context, sink).await;
    result.map_err(|error| explained(error, context.transaction))
}

/// Runs a definition and sends its answer to `sink`. Others may look at `progress` meanwhile.
///
/// # Errors
/// As [`execute`]. What was done on some nodes before an error, or on others after it, stays done.
pub async fn define<B: Backend, S: ResultSink>(
    bound: &Bound,
    context: &mut Context<'_, B>,
    progress: &Progress,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    match &bound.root {
        Primitive::Spread(Spread { targets, tally: Tally::Definition, .. }) => {
            spread::define(targets, &bound.tables, context, progress, sink).await
        }
        _ => execute(bound, context, sink).await,
    }
}

/// The error as one server would say it of a deadlock that no server has seen.
pub(crate) fn explained<B: Backend>(error: ExecuteError, transaction: &mut Transaction<B>) -> ExecuteError {
    if !transaction.was_victim() {
        return error;
    }
    // ER_LOCK_DEADLOCK.
    let message = "Deadlock found when trying to get lock; try restarting transaction".to_owned();
    ExecuteError::Server(MysqlError { number: 1213, sqlstate: *b"40001", message })
}

async fn execute_root<B: Backend, S: ResultSink>(
    bound: &Bound,
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    match &bound.root {
        // What asks one target alone passes by here most often: the futures of all others have a place of their own.
        Primitive::Spread(spread) => Box::pin(spread::run(spread, &bound.tables, context, sink)).await,
        Primitive::Returning(returning) => {
            Box::pin(spread::returning::run(returning, &bound.tables, context, sink)).await
        }
        Primitive::Gather(gather) => Box::pin(gather::run(gather, &bound.tables, context, sink)).await,
        root => execute_rows(root, &bound.tables, context, sink).await,
    }
}

/// Runs a tree that reads rows over a route.
pub(crate) async fn execute_rows<B: Backend, S: ResultSink>(
    root: &Primitive,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    match root {
        Primitive::Route(Route { targets, replica_safe, hidden: 0 }) if targets.len() == 1 => {
            if let Some(watch) = context.watch {
                let mut sink = Metering::new(sink);
                let run = Box::pin(relay::run(&targets[0], *replica_safe, tables, context, &mut sink));
                let result = run.await;
                watch.note(What::Target(0), sink.measured());
                watch.note(What::Primitive(0), sink.measured());
                return result;
            }
            relay::run(&targets[0], *replica_safe, tables, context, sink).await
        }
        Primitive::Held(held) => pass_on(held, sink).await,
        root => Box::pin(rows::run(root, tables, context, sink)).await,
    }
}

/// Rows that are here, for a sink that wants no columns.
async fn pass_on<S: ResultSink>(held: &Held, sink: &mut S) -> Result<Completed, ExecuteError> {
    let mut payload = Vec::new();
    for row in held.rows.iter() {
        let cells: Vec<Option<&[u8]>> = text_row::cells(row).map_while(Result::ok).collect();
        payload.clear();
        text_row::encode(held.cells.iter().map(|cell| cells.get(*cell).copied().flatten()), &mut payload);
        sink.row(&payload).await?;
    }
    Ok(Completed { rows: held.rows.len() as u64, ..Completed::default() })
}
