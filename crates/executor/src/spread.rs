//! `Spread`: one write on several nodes, all of them or none.

mod definition;
mod head;
mod info;
pub(crate) mod links;
pub(crate) mod returning;
pub(crate) mod tally;

use serval_planner::PlanTable;
use serval_planner::primitive::{Spread, Tally, Target};
use serval_remote::Backend;

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::execute::explained;
use crate::progress::Progress;
use crate::relay;
use crate::sink::ResultSink;

use links::Links;
use tally::Count;

/// Runs a write. A single target needs nothing but its server's own atomicity.
pub(crate) async fn run<B: Backend, S: ResultSink>(
    spread: &Spread,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    if spread.tally == Tally::Definition {
        return define(&spread.targets, tables, context, &Progress::default(), sink).await;
    }
    if let [target] = &*spread.targets {
        return relay::run(target, false, tables, context, sink).await;
    }
    let count = atomic(context, async |context, links| write(spread, tables, context, links).await).await?;
    let ok = count.ok();
    sink.ok(&ok).await?;
    Ok(Completed {
        affected_rows: ok.affected_rows,
        last_insert_id: ok.last_insert_id,
        warnings: ok.warnings,
        rows: 0,
        found_rows: None,
        behind: None,
    })
}

/// Runs a definition on all of its targets, and says in `progress` how far it is.
pub(crate) async fn define<B: Backend, S: ResultSink>(
    targets: &[Target],
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    progress: &Progress,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    // As MySQL: a definition commits what was open before it.
    context.transaction.commit().await?;
    match targets {
        [target] => definition::run_one(target, tables, context, sink).await,
        targets => definition::run(targets, tables, context, progress, sink).await,
    }
}

/// Does `work` on all of its nodes or on none.
async fn atomic<B: Backend, T>(
    context: &mut Context<'_, B>,
    work: impl AsyncFnOnce(&mut Context<'_, B>, &mut Links<B>) -> Result<T, ExecuteError>,
) -> Result<T, ExecuteError> {
    if context.transaction.is_open() {
        in_open_transaction(context, work).await
    } else {
        in_own_transaction(context, work).await
    }
}

/// Autocommit: a transaction of the statement's own, committed before the client hears of success.
async fn in_own_transaction<B: Backend, T>(
    context: &Context<'_, B>,
    work: impl AsyncFnOnce(&mut Context<'_, B>, &mut Links<B>) -> Result<T, ExecuteError>,
) -> Result<T, ExecuteError> {
    let mut own = context.transaction.sibling();
    own.begin("START TRANSACTION", context.mode);
    let mut links = Links::new();
    let mut inner = Context { transaction: &mut own, ..*context };
    let result = work(&mut inner, &mut links).await;
    let closed = links.close(&mut own).await;
    match result {
        Ok(done) => {
            closed?;
            own.commit().await?;
            Ok(done)
        }
        Err(error) => {
            own.rollback().await;
            Err(explained(error, &mut own))
        }
    }
}

/// Inside a transaction: a failure undoes this statement on every group, and nothing else.
async fn in_open_transaction<B: Backend, T>(
    context: &mut Context<'_, B>,
    work: impl AsyncFnOnce(&mut Context<'_, B>, &mut Links<B>) -> Result<T, ExecuteError>,
) -> Result<T, ExecuteError> {
    let mut links = Links::with_savepoints();
    let result = work(context, &mut links).await;
    let undone = links.end_statement(context, result.is_ok()).await;
    let closed = links.close(context.transaction).await;
    let done = result?;
    undone?;
    closed?;
    Ok(done)
}

/// One target after another, in the order of their groups, so that two such statements take their locks in the
/// same order.
async fn write<B: Backend>(
    spread: &Spread,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    links: &mut Links<B>,
) -> Result<Count, ExecuteError> {
    let mut count = Count::new(spread.tally);
    for target in &spread.targets {
        let completion = links.run(target, tables, context).await?;
        count.add(target, &completion);
    }
    Ok(count)
}
