//! DDL on all nodes of a table: the groups work side by side, every physical table is tried, and what failed is told.
//!
//! A statement that reached only some nodes is repaired by running it again. Those that have the definition already
//! refuse it then (1060, 1061, …); if their tables look exactly like those on which it has just succeeded, nothing is
//! left to be done there, and that is success.

use std::time::Instant;

use serval_catalog::{Catalog, Placement};
use serval_planner::PlanTable;
use serval_planner::primitive::{Tally, Target};
use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_transaction::together;
use serval_types::{GroupId, MysqlError};
use serval_wire::packet::OkPacket;
use serval_wire::response::Completion;

use super::links::exchange;
use super::tally::Count;
use crate::context::{Completed, Context};
use crate::definitions::shape;
use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::progress::Progress;
use crate::relay;
use crate::sink::ResultSink;

/// What a server answers that has the definition already: something exists, is gone, or has another name.
const ALREADY: [u16; 17] =
    [1005, 1022, 1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1507, 1517, 1826, 3821, 3822, 3940, 4092];

/// Whoever reads definitions meanwhile holds locks for a moment, in another order than a definition takes them. A server that
/// has chosen the definition has not begun it.
const DEADLOCK: u16 = 1213;
const MOST_ATTEMPTS: usize = 3;

/// Errors of one node's moment rather than of the statement: which node it was is worth knowing even where all agree.
const OF_A_NODE: [u16; 5] = [1205, 1213, 1429, 2013, 3024];

/// Runs a definition on every target, even after one failed.
pub(super) async fn run<B: Backend, S: ResultSink>(
    targets: &[Target],
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    progress: &Progress,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let Context { backend, catalog, state, deadline, .. } = *context;
    let work = Work { targets, tables, backend, catalog, state, deadline, progress };
    progress.begin(targets.len());
    let groups = work.groups();
    let answers = together(groups.iter().map(|(group, indices)| work.on_group(*group, indices))).await;
    let mut answers: Vec<Answer> = answers.into_iter().flatten().collect();
    answers.sort_by_key(|answer| answer.index);
    work.forgive(&mut answers).await;
    let ok = work.conclude(&answers)?;
    sink.ok(&ok).await?;
    Ok(Completed { affected_rows: ok.affected_rows, warnings: ok.warnings, ..Completed::default() })
}

/// Runs a definition on its only target and passes the answer on.
pub(super) async fn run_one<B: Backend, S: ResultSink>(
    target: &Target,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let node = context.catalog.node(target.node);
    let names = Names::of(context.catalog, tables, target);
    let link = Link::open(context, node.group, Access::Primary).await;
    let mut link = link.map_err(|error| names.map_remote(error))?;
    leave(&mut link, context.state, &names).await?;
    let result = relay::answer(context.query(target), &node.name, &names, &mut link, sink).await;
    let closed = link.close(context.transaction).await;
    let completed = result?;
    closed?;
    Ok(completed)
}

/// Leaves the database, so that the statement enters it anew. A server's session goes on with the character set that its
/// database had when it was entered, and USE of the same one changes nothing (MariaDB): after an ALTER DATABASE on another
/// connection tables would get the old one, and on the replicas the new.
async fn leave<B: Backend>(
    link: &mut Link<B>,
    state: &SessionState,
    names: &Names<'_>,
) -> Result<(), ExecuteError> {
    let query = Query { database: Some("information_schema"), state, sql: b"DO 0", execution: None };
    let left = exchange(link, &query).await.map_err(|error| names.map_remote(error))?;
    match left.error {
        None => Ok(()),
        Some(error) => Err(ExecuteError::Server(names.map_error(error.to_mysql()))),
    }
}

/// One definition on its way.
struct Work<'a, B: Backend> {
    targets: &'a [Target],
    tables: &'a [PlanTable],
    backend: &'a B,
    catalog: &'a Catalog,
    state: &'a SessionState,
    deadline: Instant,
    progress: &'a Progress,
}

/// What became of a target.
struct Answer {
    index: usize,
    outcome: Outcome,
}

enum Outcome {
    Done(Completion),
    /// It refused, having it already.
    Had,
    Failed(ExecuteError),
}

impl<B: Backend> Work<'_, B> {
    /// The targets by their groups, in the order of the targets.
    fn groups(&self) -> Vec<(GroupId, Vec<usize>)> {
        let mut groups: Vec<(GroupId, Vec<usize>)> = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            let group = self.catalog.node(target.node).group;
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, indices)) => indices.push(index),
                None => groups.push((group, vec![index])),
            }
        }
        groups
    }

    /// One target after the other. A group that cannot be reached is not waited for again.
    async fn on_group(&self, group: GroupId, indices: &[usize]) -> Vec<Answer> {
        let (mut link, mut down) = (None, None);
        let mut answers = Vec::with_capacity(indices.len());
        for &index in indices {
            let outcome = match &down {
                Some(error) => Outcome::Failed(ExecuteError::Server(MysqlError::clone(error))),
                None => match self.define(group, &mut link, &self.targets[index]).await {
                    Ok(completion) => Outcome::Done(completion),
                    Err(error) => {
                        if let ExecuteError::Remote(
                            remote @ (RemoteError::Unavailable { .. } | RemoteError::Exhausted { .. }),
                        ) = &error
                        {
                            down = Some(remote.to_mysql());
                        }
                        Outcome::Failed(error)
                    }
                },
            };
            self.progress.step(matches!(outcome, Outcome::Done(_)));
            answers.push(Answer { index, outcome });
        }
        answers
    }

    async fn define(
        &self,
        group: GroupId,
        kept: &mut Option<Link<B>>,
        target: &Target,
    ) -> Result<Completion, ExecuteError> {
        let names = Names::of(self.catalog, self.tables, target);
        let mut link = match kept.take() {
            Some(link) => link,
            None => {
                let taken = self.backend.acquire(group, Access::Primary, self.state, self.deadline).await;
                Link::own(taken.map_err(|error| names.map_remote(error))?)
            }
        };
        let database = &*self.catalog.node(target.node).database;
        leave(&mut link, self.state, &names).await?;
        let query = Query { database: Some(database), state: self.state, sql: &target.sql, execution: None };
        let mut attempts = 0;
        let completion = loop {
            let answer = exchange(&mut link, &query).await;
            let completion = answer.map_err(|error| names.map_remote(error))?;
            attempts += 1;
            let deadlock = completion.error.as_ref().is_some_and(|error| error.number == DEADLOCK);
            if !deadlock || attempts == MOST_ATTEMPTS {
                break completion;
            }
        };
        // One that has left warnings goes back at once, for the session to fetch them from it.
        if completion.warnings == 0 {
            *kept = Some(link);
        }
        match &completion.error {
            None => Ok(completion),
            Some(error) => Err(ExecuteError::Server(names.map_error(error.to_mysql()))),
        }
    }

    /// Finds out which of the failed targets had the definition already.
    async fn forgive(&self, answers: &mut [Answer]) {
        let done = answers.iter().find(|answer| matches!(answer.outcome, Outcome::Done(_)));
        let Some(example) = done.map(|answer| answer.index) else { return };
        if !answers.iter().any(Answer::may_have_had_it) {
            return;
        }
        let Ok(wanted) = self.shapes(example).await else { return };
        for answer in answers.iter_mut().filter(|answer| answer.may_have_had_it()) {
            if self.shapes(answer.index).await.is_ok_and(|found| found == wanted) {
                answer.outcome = Outcome::Had;
            }
        }
    }

    /// What the statement's tables look like on a target; `None` for one that is not there.
    async fn shapes(&self, index: usize) -> Result<Vec<Option<String>>, ExecuteError> {
        let target = &self.targets[index];
        let node = self.catalog.node(target.node);
        let mut shapes = Vec::with_capacity(self.tables.len());
        for table in self.tables {
            shapes.push(shape(self.backend, node, table.physical_name(target.shard)).await?);
        }
        Ok(shapes)
    }

    /// The answer, where all succeeded. Where all failed in the same way, that error, as one server would give it.
    fn conclude(&self, answers: &[Answer]) -> Result<OkPacket, ExecuteError> {
        let mut count = Count::new(tally(self.tables));
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for Answer { index, outcome } in answers {
            let target = &self.targets[*index];
            match outcome {
                Outcome::Done(completion) => {
                    count.add(target, completion);
                    done.push(self.place(target));
                }
                Outcome::Had => done.push(self.place(target)),
                Outcome::Failed(error) => failed.push((self.place(target), error.to_mysql())),
            }
        }
        // What a node has already is the least of it.
        let worst = failed.iter().find(|(_, error)| !ALREADY.contains(&error.number));
        let Some((_, first)) = worst.or_else(|| failed.first()) else {
            return Ok(count.ok());
        };
        let alike = done.is_empty() && failed.iter().all(|(_, error)| error.number == first.number);
        if alike && (!OF_A_NODE.contains(&first.number) || failed.len() == 1) {
            return Err(ExecuteError::Server(first.clone()));
        }
        Err(ExecuteError::Server(MysqlError { message: message(&done, &failed), ..first.clone() }))
    }

    /// The node, and its shard where a node holds several.
    fn place(&self, target: &Target) -> String {
        let node = &self.catalog.node(target.node).name;
        let mut tables = self.tables.iter();
        match (tables.find(|table| table.physical_name(target.shard) != &*table.table.name), target.shard) {
            (Some(_), Some(shard)) => format!("{node} (shard {shard})"),
            _ => node.to_string(),
        }
    }
}

impl Answer {
    fn may_have_had_it(&self) -> bool {
        matches!(
            &self.outcome,
            Outcome::Failed(ExecuteError::Server(error)) if ALREADY.contains(&error.number)
        )
    }
}

/// An ALTER that copies rows counts them; a table with the same rows everywhere has them once.
fn tally(tables: &[PlanTable]) -> Tally {
    let copies = tables.iter().all(|table| matches!(table.table.placement, Placement::Global(_)));
    if copies && !tables.is_empty() { Tally::First } else { Tally::Sum }
}

fn message(done: &[String], failed: &[(String, MysqlError)]) -> String {
    let failures: Vec<String> = failed
        .iter()
        .map(|(place, error)| format!("{place}: {} ({})", error.message, error.number))
        .collect();
    format!(
        "Failed on {} of {} nodes: {}; done on: {}; running the statement again finishes the rest",
        failed.len(),
        failed.len() + done.len(),
        failures.join("; "),
        if done.is_empty() { "none".to_owned() } else { done.join(", ") },
    )
}
