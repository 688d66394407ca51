//! `Spread`: one write on several nodes, all of them or none.

mod definition;
mod head;
mod info;
pub(crate) mod links;
pub(crate) mod returning;
mod stored;
pub(crate) mod tally;
pub(crate) mod warnings;

use serval_planner::PlanTable;
use serval_planner::primitive::{Spread, Tally, Target};
use serval_remote::Backend;
use serval_types::MysqlError;
use serval_wire::response::Completion;

use crate::context::{Behind, Completed, Context};
use crate::error::ExecuteError;
use crate::execute::explained;
use crate::progress::Progress;
use crate::relay;
use crate::sink::ResultSink;

use head::Verb;
use links::Links;
use tally::Count;
use warnings::{Places, Warnings};

/// A row breaks a CHECK, on MariaDB.
const CONSTRAINT_FAILED: u16 = 4025;
/// A row is not one that its view shows.
const VIEW_CHECK_FAILED: u16 = 1369;

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
    if let ([target], None) = (&*spread.targets, &spread.numbers) {
        return relay::run(target, false, tables, context, sink).await;
    }
    let (count, warnings) =
        atomic(spread, context, async |context, links| write(spread, tables, context, links).await).await?;
    let ok = count.ok();
    sink.ok(&ok).await?;
    Ok(Completed {
        affected_rows: ok.affected_rows,
        last_insert_id: ok.last_insert_id,
        warnings: ok.warnings,
        rows: 0,
        found_rows: None,
        behind: (ok.warnings > 0).then(|| Box::new(Behind::of_warnings(warnings.into_rows()))),
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
    spread: &Spread,
    context: &mut Context<'_, B>,
    work: impl AsyncFnOnce(&mut Context<'_, B>, &mut Links<B>) -> Result<T, ExecuteError>,
) -> Result<T, ExecuteError> {
    if spread.targets.len() == 1 {
        // A server's statement is all or nothing by itself.
        in_place(context, Links::new(), work).await
    } else if context.transaction.is_open() {
        in_place(context, Links::with_savepoints(), work).await
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

/// On connections as they are: inside a transaction of the client's a failure undoes this statement on every group, where
/// these mark its beginning, and nothing else.
async fn in_place<B: Backend, T>(
    context: &mut Context<'_, B>,
    mut links: Links<B>,
    work: impl AsyncFnOnce(&mut Context<'_, B>, &mut Links<B>) -> Result<T, ExecuteError>,
) -> Result<T, ExecuteError> {
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
) -> Result<(Count, Warnings), ExecuteError> {
    let (mut count, mut warnings) = (Count::new(spread.tally), Warnings::default());
    for (at, target) in spread.targets.iter().enumerate() {
        let places = Places::of(&spread.rows, at);
        let completion = match links.run(target, tables, context).await {
            Err(ExecuteError::Server(error)) if skips(spread, target, &error) => skipped(),
            Err(ExecuteError::Server(error)) => return Err(ExecuteError::Server(places.renumber(error))),
            completion => completion?,
        };
        let counts = at == 0 || spread.tally != Tally::First;
        if completion.warnings > 0 && counts {
            links.warnings(target, tables, context, places, &mut warnings).await?;
        }
        count.add(target, &completion);
        if let Some(numbers) = spread.numbers.as_ref().filter(|_| counts && completion.affected_rows > 0) {
            count.stored(stored::first(numbers, target, tables, context, links).await?);
        }
    }
    Ok((count, warnings))
}

/// Whether one server would have left this row out and gone on: under IGNORE MariaDB skips a row that breaks a CHECK
/// where the statement has others, and fails where it has none, as a node's part of the statement may.
fn skips(spread: &Spread, target: &Target, error: &MysqlError) -> bool {
    spread.tally == Tally::Sum
        && matches!(error.number, CONSTRAINT_FAILED | VIEW_CHECK_FAILED)
        && Verb::of(&target.sql) == Verb::InsertIgnore
}

/// The answer of a row that was left out.
fn skipped() -> Completion {
    Completion {
        warnings: 1,
        info: b"Records: 0  Duplicates: 0  Warnings: 1".to_vec(),
        ..Completion::default()
    }
}
