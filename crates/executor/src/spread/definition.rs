//! DDL on all nodes of a table: every one is tried, and what failed is told.

use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::{Access, Backend};
use serval_types::MysqlError;
use serval_wire::StatusFlags;
use serval_wire::packet::OkPacket;

use super::links::exchange;
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
    let mut outcome = Outcome::default();
    for target in targets {
        let place = place(target, tables, context);
        match define(target, tables, context).await {
            Ok(warnings) => outcome.done(place, warnings),
            Err(error) => outcome.failed.push(Failure { place, error }),
        }
    }
    let warnings = outcome.conclude()?;
    sink.ok(&OkPacket {
        affected_rows: 0,
        last_insert_id: 0,
        status: StatusFlags::empty(),
        warnings,
        info: Vec::new(),
        session_state: None,
    })
    .await?;
    Ok(Completed { warnings, ..Completed::default() })
}

async fn define<B: Backend>(
    target: &Target,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
) -> Result<u16, ExecuteError> {
    let node = context.catalog.node(target.node);
    let names = Names::of(context.catalog, tables, target);
    let link = Link::open(context, node.group, Access::Primary).await;
    let mut link = link.map_err(|error| names.map_remote(error))?;
    let answer = exchange(&mut link, Some(&node.database), context.state, &target.sql).await;
    let completion = answer.map_err(|error| names.map_remote(error))?;
    match completion.error {
        None => Ok(completion.warnings),
        Some(error) => Err(ExecuteError::Server(names.map_error(error.to_error()))),
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

#[derive(Debug, Default)]
struct Outcome {
    done: Vec<String>,
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
    fn done(&mut self, place: String, warnings: u16) {
        self.warnings = self.warnings.max(warnings);
        self.done.push(place);
    }

    /// The warnings, where all succeeded. Where all failed in the same way, that error, as one server would give it.
    fn conclude(self) -> Result<u16, ExecuteError> {
        let errors: Vec<MysqlError> = self.failed.iter().map(|failure| failure.error.to_mysql()).collect();
        let Some(first) = errors.first() else { return Ok(self.warnings) };
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
