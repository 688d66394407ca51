//! `Spread`: one write on several nodes, all of them or none.

mod definition;
mod head;
mod info;
mod links;
mod tally;

use serval_catalog::TransactionMode;
use serval_planner::PlanTable;
use serval_planner::primitive::{Spread, Tally};
use serval_remote::{Access, Backend};
use serval_transaction::Transaction;

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
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
        // As MySQL: a definition commits what was open before it.
        context.transaction.commit().await?;
    }
    match (&*spread.targets, spread.tally) {
        ([target], _) => return relay::run(target, Access::Primary, tables, context, sink).await,
        (_, Tally::Definition) => return definition::run(&spread.targets, tables, context, sink).await,
        _ => {}
    }
    let count = if context.transaction.is_open() {
        in_open_transaction(spread, tables, context).await?
    } else {
        in_own_transaction(spread, tables, context).await?
    };
    let ok = count.ok();
    sink.ok(&ok).await?;
    Ok(Completed {
        affected_rows: ok.affected_rows,
        last_insert_id: ok.last_insert_id,
        warnings: ok.warnings,
        rows: 0,
    })
}

/// Autocommit: a transaction of the statement's own, committed before the client hears of success.
async fn in_own_transaction<B: Backend>(
    spread: &Spread,
    tables: &[PlanTable],
    context: &Context<'_, B>,
) -> Result<Count, ExecuteError> {
    let mut own = Transaction::new();
    own.begin("START TRANSACTION", TransactionMode::BestEffort);
    let mut links = Links::new();
    let mut inner = Context { transaction: &mut own, ..*context };
    let result = write(spread, tables, &mut inner, &mut links).await;
    let closed = links.close(&mut own).await;
    match result {
        Ok(count) => {
            closed?;
            own.commit().await?;
            Ok(count)
        }
        Err(error) => {
            own.rollback().await;
            Err(error)
        }
    }
}

/// Inside a transaction: a failure undoes this statement on every group, and nothing else.
async fn in_open_transaction<B: Backend>(
    spread: &Spread,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
) -> Result<Count, ExecuteError> {
    let mut links = Links::with_savepoints();
    let result = write(spread, tables, context, &mut links).await;
    let undone = links.end_statement(context, result.is_ok()).await;
    let closed = links.close(context.transaction).await;
    let count = result?;
    undone?;
    closed?;
    Ok(count)
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
