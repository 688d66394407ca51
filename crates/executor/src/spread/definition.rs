//! DDL on all nodes of a table: every one is tried, and what failed is told.

use serval_catalog::Placement;
use serval_planner::PlanTable;
use serval_planner::primitive::{Tally, Target};
use serval_remote::{Access, Backend};
use serval_types::MysqlError;
use serval_wire::packet::OkPacket;
use serval_wire::response::Completion;

use super::links::exchange;
use super::tally::Count;
use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::link::Link;
use crate::names::Names;
use crate::sink::ResultSink;

/// Runs a definition on every target, even after one failed.
pub(super) async fn run<B: Backend, S: ResultSink>(
    targets: &[Target],
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let mut outcome = Outcome::new(tally(tables));
    for target in targets {
        let place = place(target, tables, context);
        match define(target, tables, context).await {
            Ok(completion) => outcome.done(place, target, &completion),
            Err(error) => outcome.failed.push(Failure { place, error }),
        }
    }
    let ok = outcome.conclude()?;
    sink.ok(&ok).await?;
    Ok(Completed { affected_rows: ok.affected_rows, warnings: ok.warnings, ..Completed::default() })
}

/// An ALTER that copies rows counts them; a table with the same rows everywhere has them once.
fn tally(tables: &[PlanTable]) -> Tally {
    let copies = tables.iter().all(|table| matches!(table.table.placement, Placement::Global(_)));
    if copies && !tables.is_empty() { Tally::First } else { Tally::Sum }
}

async fn define<B: Backend>(
    target: &Target,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
) -> Result<Completion, ExecuteError> {
    let node = context.catalog.node(target.node);
    let names = Names::of(context.catalog, tables, target);
    let link = Link::open(context, node.group, Access::Primary).await;
    let mut link = link.map_err(|error| names.map_remote(error))?;
    let answer = exchange(&mut link, &context.query(target)).await;
    let completion = answer.map_err(|error| names.map_remote(error))?;
    match &completion.error {
        None => Ok(completion),
        Some(error) => Err(ExecuteError::Server(names.map_error(error.to_mysql()))),
    }
}

/// The node, and its shard where a node holds several.
fn place<B: Backend>(target: &Target, tables: &[PlanTable], context: &Context<'_, B>) -> String {
    let node = &context.catalog.node(target.node).name;
    let split = tables.iter().find(|table| table.physical_name(target.shard) != &*table.table.name);
    match (split, target.shard) {
        (Some(_), Some(shard)) => format!("{node} (shard {shard})"),
        _ => node.to_string(),
    }
}

#[derive(Debug)]
struct Outcome {
    done: Vec<String>,
    count: Count,
    /// One server would have warned once.
    warnings: u16,
    failed: Vec<Failure>,
}

#[derive(Debug)]
struct Failure {
    place: String,
    error: ExecuteError,
}

impl Outcome {
    fn new(tally: Tally) -> Self {
        Self { done: Vec::new(), count: Count::new(tally), warnings: 0, failed: Vec::new() }
    }

    fn done(&mut self, place: String, target: &Target, completion: &Completion) {
        self.warnings = self.warnings.max(completion.warnings);
        self.count.add(target, completion);
        self.done.push(place);
    }

    /// The answer, where all succeeded. Where all failed in the same way, that error, as one server would give it.
    fn conclude(self) -> Result<OkPacket, ExecuteError> {
        let errors: Vec<MysqlError> = self.failed.iter().map(|failure| failure.error.to_mysql()).collect();
        let Some(first) = errors.first() else {
            return Ok(self.count.ok_with_warnings(self.warnings));
        };
        if self.done.is_empty() && errors.iter().all(|error| error.number == first.number) {
            return Err(ExecuteError::Server(first.clone()));
        }
        let failures = self.failed.iter().zip(&errors);
        let failures: Vec<String> = failures
            .map(|(failure, error)| format!("{}: {} ({})", failure.place, error.message, error.number))
            .collect();
        let done = if self.done.is_empty() { "none".to_owned() } else { self.done.join(", ") };
        let message = format!(
            "Failed on {} of {} nodes: {}; done on: {done}; running the statement again finishes the rest",
            failures.len(),
            failures.len() + self.done.len(),
            failures.join("; "),
        );
        Err(ExecuteError::Server(MysqlError { message, ..first.clone() }))
    }
}
