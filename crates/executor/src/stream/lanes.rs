//! The connections of a statement that reads from several targets.
//!
//! A lane is one connection with the targets it serves, one after another. Outside a transaction a group has as
//! many lanes as its backend allows and the statement has use for; inside one it has the transaction's connection.
//! All lanes are sent their first statement before any is read, so the servers work at the same time; and each is
//! read only when an operator waits for it, so the servers wait when the client does.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serval_planner::PlanTable;
use serval_planner::primitive::{Route, Target};
use serval_remote::Backend;
use serval_transaction::{CommitError, Transaction};
use serval_types::{GroupId, MysqlError};
use serval_wire::response::CompletionKind;

use super::Input;
use crate::context::Context;
use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::query_rows::Row;
use crate::spread::warnings::{Places, Warnings};

/// What is left of an answer is read and thrown away up to this size, because a connection in mid-answer is closed.
const WORTH_DRAINING_BYTES: usize = 64 * 1024;

/// How long that may take.
const WORTH_DRAINING_TIME: Duration = Duration::from_millis(10);

/// All lanes of one route.
pub(crate) struct Lanes<'a, B: Backend> {
    lanes: Vec<Lane<B>>,
    /// The lane of each target.
    lane_of: Vec<usize>,
    route: &'a Route,
    plan: Plan<'a>,
    /// What the answers have warned of, with their targets.
    warned: Vec<Warned>,
}

struct Warned {
    target: usize,
    count: u16,
    warnings: Warnings,
}

/// The targets' statements, and what mapping names takes.
struct Plan<'a> {
    catalog: &'a serval_catalog::Catalog,
    tables: &'a [PlanTable],
    /// One per target.
    queries: Vec<Query<'a>>,
}

struct Lane<B: Backend> {
    link: Link<B>,
    /// Targets whose statements have not been sent.
    queue: VecDeque<usize>,
    /// The target whose answer comes next.
    current: Option<usize>,
}

impl<'a, B: Backend> Lanes<'a, B> {
    /// No lanes yet.
    pub(crate) fn new(route: &'a Route, tables: &'a [PlanTable], context: &Context<'a, B>) -> Self {
        let queries = route.targets.iter().map(|target| context.query(target)).collect();
        let plan = Plan { catalog: context.catalog, tables, queries };
        Self { lanes: Vec::new(), lane_of: vec![0; route.targets.len()], route, plan, warned: Vec::new() }
    }

    /// Takes the connections, group after group in their order, and sends each its first statement. After an error
    /// the lanes still have to be [closed](Self::close).
    pub(crate) async fn open(&mut self, context: &mut Context<'_, B>) -> Result<(), ExecuteError> {
        for (group, targets) in by_group(self.route, &self.plan) {
            let first = targets.first().copied().unwrap_or_default();
            let links = take(context, group, self.route.replica_safe, self.plan.tables, targets.len()).await;
            let links =
                links.map_err(|error| self.plan.names(&self.route.targets[first]).map_remote(error))?;
            self.spread(links, &targets);
        }
        for lane in &mut self.lanes {
            lane.send_next(self.route, &self.plan).await?;
        }
        Ok(())
    }

    /// Deals targets to lanes in turn, so that reading them in order finds each one's answer on its way.
    fn spread(&mut self, links: Vec<Link<B>>, targets: &[usize]) {
        let (start, width) = (self.lanes.len(), links.len().max(1));
        self.lanes.extend(links.into_iter().map(|link| Lane { link, queue: VecDeque::new(), current: None }));
        for (turn, &target) in targets.iter().enumerate() {
            let lane = start + turn % width;
            self.lane_of[target] = lane;
            self.lanes[lane].queue.push_back(target);
        }
    }

    /// The targets whose statements are running.
    pub(crate) fn running(&self) -> Vec<usize> {
        self.lanes.iter().filter_map(|lane| lane.current).collect()
    }

    /// Reads one burst of the lane of `stream`. Where an earlier target is in the way on the same connection, its
    /// rows are kept, counted against the statement's memory.
    pub(crate) async fn fill(&mut self, stream: usize, input: &mut Input) -> Result<(), ExecuteError> {
        let lane = &mut self.lanes[self.lane_of[stream]];
        let Some(current) = lane.current else {
            return Err(ExecuteError::malformed("a node", "answer: it ended twice"));
        };
        let target = &self.route.targets[current];
        let burst = lane.link.read_burst().await;
        let burst = burst.map_err(|error| self.plan.names(target).map_remote(error))?;
        if let Some(completion) = &burst.completion {
            lane.current = None;
            if let Some(error) = &completion.error {
                return Err(self.plan.server(target, error.to_mysql()));
            }
            if completion.kind == CompletionKind::LocalInfile {
                return Err(ExecuteError::local_infile());
            }
        }
        if current != stream {
            input.memory.reserve(burst.bytes.len())?;
        }
        let count = burst.completion.map(|completion| completion.warnings);
        input.push(current, burst.bytes.freeze(), count.is_some());
        let Some(count) = count else { return Ok(()) };
        self.warned.extend(lane.warned_of(current, count, self.route, &self.plan).await);
        lane.send_next(self.route, &self.plan).await
    }

    /// How many warnings the answers left, and those that servers keep. In a transaction answers that nobody waits for any
    /// more are read to their ends, which say what they warn of: [closing](Self::close) would have to do so anyway.
    pub(crate) async fn warnings(&mut self) -> (u16, Vec<Row>) {
        for lane in &mut self.lanes {
            let Some(target) = lane.current.filter(|_| lane.link.is_lent()) else { continue };
            if let Some(count) = lane.drain().await {
                lane.current = None;
                self.warned.extend(lane.warned_of(target, count, self.route, &self.plan).await);
            }
        }
        self.warned.sort_by_key(|warned| warned.target);
        let count = self.warned.iter().fold(0_u16, |sum, warned| sum.saturating_add(warned.count));
        (count, self.warned.drain(..).flat_map(|warned| warned.warnings.into_rows()).collect())
    }

    /// Gives the connections back. A lane in mid-answer is drained if little is left, or if it belongs to a
    /// transaction, which would otherwise be lost with it; `client_gone` says that it does not matter any more.
    pub(crate) async fn close(
        self,
        transaction: &mut Transaction<B>,
        client_gone: bool,
    ) -> Result<(), CommitError> {
        let mut lanes = self.lanes;
        if !client_gone {
            for lane in &mut lanes {
                lane.drain().await;
            }
        }
        // Those that failed come last: a deadlock on one rolls the others back, which must be there for it.
        let (failed, others): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|lane| lane.link.has_failed());
        let mut result = Ok(());
        for lane in others.into_iter().chain(failed) {
            result = lane.link.close(transaction).await.and(result);
        }
        result
    }
}

impl<'a> Plan<'a> {
    fn names(&self, target: &Target) -> Names<'a> {
        Names::of(self.catalog, self.tables, target)
    }

    fn server(&self, target: &Target, error: MysqlError) -> ExecuteError {
        ExecuteError::Server(self.names(target).map_error(error))
    }
}

impl<B: Backend> Lane<B> {
    async fn send_next(&mut self, route: &Route, plan: &Plan<'_>) -> Result<(), ExecuteError> {
        let Some(next) = self.queue.pop_front() else { return Ok(()) };
        let sent = self.link.send(&plan.queries[next]).await;
        sent.map_err(|error| plan.names(&route.targets[next]).map_remote(error))?;
        self.current = Some(next);
        Ok(())
    }

    /// Asks for the warnings of an answer that has ended, before another statement makes the server forget them. Where
    /// that fails their number is all that is known.
    async fn warned_of(
        &mut self,
        target: usize,
        count: u16,
        route: &Route,
        plan: &Plan<'_>,
    ) -> Option<Warned> {
        if count == 0 {
            return None;
        }
        let mut warnings = Warnings::default();
        let names = plan.names(&route.targets[target]);
        let _ = warnings.ask(&mut self.link, plan.queries[target].state, &names, Places::NONE).await;
        Some(Warned { target, count, warnings })
    }

    /// Gives the number of warnings where the answer has come to its end.
    async fn drain(&mut self) -> Option<u16> {
        if !self.link.is_busy() {
            return None;
        }
        if self.link.is_lent() {
            return drain(&mut self.link, usize::MAX).await;
        }
        let drained = drain(&mut self.link, WORTH_DRAINING_BYTES);
        // What takes longer is not worth waiting for: the connection is then closed.
        tokio::time::timeout(WORTH_DRAINING_TIME, drained).await.ok().flatten()
    }
}

/// Reads to the end of the answer, or until more than `most` bytes were thrown away.
async fn drain<B: Backend>(link: &mut Link<B>, most: usize) -> Option<u16> {
    let mut thrown = 0;
    while thrown <= most {
        let burst = link.read_burst().await.ok()?;
        thrown += burst.bytes.len();
        if let Some(completion) = burst.completion {
            return Some(completion.warnings).filter(|_| completion.error.is_none());
        }
    }
    None
}

/// The targets of each group, in the plan's order.
fn by_group(route: &Route, plan: &Plan<'_>) -> BTreeMap<GroupId, Vec<usize>> {
    let mut groups: BTreeMap<GroupId, Vec<usize>> = BTreeMap::new();
    for (index, target) in route.targets.iter().enumerate() {
        groups.entry(plan.catalog.node(target.node).group).or_default().push(index);
    }
    groups
}

/// As many connections of `group` as help: one inside a transaction, or else all in one step.
async fn take<B: Backend>(
    context: &mut Context<'_, B>,
    group: GroupId,
    replica_safe: bool,
    tables: &[PlanTable],
    targets: usize,
) -> Result<Vec<Link<B>>, serval_remote::RemoteError> {
    let access = context.access(replica_safe);
    let count = targets.min(context.backend.fan_out(group) / context.share.max(1)).max(1);
    if context.transaction.is_open() || count == 1 {
        return Ok(vec![Link::open(context, group, access).await?.reading(replica_safe, tables)]);
    }
    let taken = context.backend.acquire_many(group, access, count, context.state, context.deadline).await?;
    Ok(taken.into_iter().map(Link::own).collect())
}
