//! Which copy of global tables a session reads.
//!
//! Each session has one of its own, so that the copies share the load and that a session never sees a write and then,
//! on another copy that the write has not reached yet, a time before it. A transaction reads where it is already.

use serval_catalog::{Catalog, Consistency};
use serval_executor::ExecuteError;
use serval_planner::Plan;
use serval_planner::primitive::{Primitive, Route};
use serval_remote::{Access, Backend, RemoteError};
use serval_types::{GroupId, MysqlError, NodeId};

use super::{Ready, Session};

/// What is known of a session's copies.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// The groups that the open transaction has read copies on, in their order: its later reads see the same snapshot.
    read: Vec<GroupId>,
    /// The groups that the running statement has not got an answer of.
    lost: Vec<GroupId>,
    /// There is another copy that the running statement can ask.
    another: bool,
}

impl Copies {
    /// Forgets where a transaction has read.
    pub(crate) fn transaction_ended(&mut self) {
        self.read.clear();
    }

    /// Forgets what the statement before has met.
    pub(crate) fn statement_begins(&mut self) {
        self.lost.clear();
        self.another = false;
    }

    /// Whether the statement that has just failed is to be tried on another copy.
    pub(crate) fn takes_another(&mut self) -> bool {
        std::mem::take(&mut self.another)
    }
}

impl<B: Backend> Session<B> {
    /// The node that a read of global tables asks; `None` where the plan leaves no choice, or the first one is it.
    pub(crate) fn copy_to_read(&mut self, catalog: &Catalog, plan: &Plan) -> Option<NodeId> {
        let nodes = plan.copies()?;
        if self.locked.is_some() {
            return None;
        }
        let group = |node: &NodeId| catalog.node(*node).group;
        if !self.transaction.is_open() {
            self.copies.read.clear();
            // Without autocommit this read is its transaction's first.
            let from = if self.autocommit { self.own_turn(nodes.len()) } else { 0 };
            let chosen = self.first_usable(catalog, nodes, from)?;
            if !self.autocommit {
                self.copies.read.push(group(&chosen));
            }
            return Some(chosen);
        }
        let joined = self.transaction.groups();
        let read = self.copies.read.iter().filter(|group| joined.contains(group));
        let there = read.chain(&joined).find_map(|used| nodes.iter().find(|node| group(node) == *used));
        let chosen = there.copied().or_else(|| self.first_usable(catalog, nodes, 0))?;
        if !self.copies.read.contains(&group(&chosen)) {
            self.copies.read.push(group(&chosen));
        }
        Some(chosen)
    }

    /// Which of so many copies is the session's own.
    fn own_turn(&self, copies: usize) -> usize {
        usize::try_from(self.entry.id.0).unwrap_or(0) % copies.max(1)
    }

    /// The first of these nodes, from that place on and round, of a group that answers and has all that was committed.
    fn first_usable(&self, catalog: &Catalog, nodes: &[NodeId], from: usize) -> Option<NodeId> {
        let schema = self.current_schema(catalog);
        let replicas = schema.is_some_and(|schema| schema.consistency == Consistency::Any);
        let access = if replicas && !self.transaction.is_open() { Access::Replica } else { Access::Primary };
        let (before, behind) = nodes.split_at(from);
        let usable = |node: &&NodeId| {
            let group = catalog.node(**node).group;
            !self.copies.lost.contains(&group)
                && self.backend.is_available(group, access)
                && !self.proxy.coordinator.owes(group)
        };
        behind.iter().chain(before).find(usable).copied()
    }

    /// The error of a statement of which nothing has gone to the client. Outside a transaction, where no server answered,
    /// another copy can.
    pub(crate) fn note_lost_copy(
        &mut self,
        catalog: &Catalog,
        ready: &Ready,
        error: &ExecuteError,
    ) -> MysqlError {
        let told = error.to_mysql();
        let is_lost =
            matches!(error, ExecuteError::Remote(RemoteError::Unavailable { .. } | RemoteError::Lost { .. }));
        let nodes = ready.plan.copies().filter(|_| is_lost && !self.transaction.is_open() && self.autocommit);
        let (Some(nodes), Primitive::Route(Route { targets, .. })) = (nodes, &ready.bound.root) else {
            return told;
        };
        self.copies.lost.extend(targets.iter().map(|target| catalog.node(target.node).group));
        self.copies.another = self.first_usable(catalog, nodes, 0).is_some();
        told
    }
}
