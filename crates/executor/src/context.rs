//! What a statement runs in, and what is known when it has run.

use std::time::Instant;

use serval_catalog::{Catalog, TransactionMode};
use serval_planner::primitive::Target;
use serval_remote::{Access, Backend, Execution, SessionState};
use serval_transaction::Transaction;
use serval_wire::command::execute::Parameters;
use serval_wire::packet::ColumnDefinition;

use crate::link::Query;
use crate::profile::Watch;
use crate::row::Encoding;

/// What a statement runs in.
pub struct Context<'a, B: Backend> {
    /// The servers.
    pub backend: &'a B,
    /// The snapshot that the statement was planned against.
    pub catalog: &'a Catalog,
    /// The session's transaction; closed means that statements commit by themselves.
    pub transaction: &'a mut Transaction<B>,
    /// How a statement ends that is a transaction by itself and writes on several groups.
    pub mode: TransactionMode,
    /// What the session has set.
    pub state: &'a SessionState,
    /// Until when to wait for connections.
    pub deadline: Instant,
    /// How many bytes of rows the statement may hold.
    pub memory_limit: usize,
    /// Whether the session's consistency lets replicas answer plain reads.
    pub replicas: bool,
    /// The parameters of a prepared statement, of which each target takes its own. With them, even with none, every
    /// target executes a prepared statement and the rows that reach the sink are binary; without, all is text.
    pub parameters: Option<&'a Parameters>,
    /// Where measurements are noted, for EXPLAIN ANALYZE.
    pub watch: Option<Watch<'a>>,
    /// Among how many reads that run at once the statement's connections are shared; 1 where it is the only one.
    pub share: usize,
}

impl<'a, B: Backend> Context<'a, B> {
    /// How rows are written.
    pub(crate) fn encoding(&self) -> Encoding {
        if self.parameters.is_some() { Encoding::Binary } else { Encoding::Text }
    }

    /// The statement of a target.
    pub(crate) fn query<'q>(&self, target: &'q Target) -> Query<'q>
    where
        'a: 'q,
    {
        let database = &*self.catalog.node(target.node).database;
        let execution =
            self.parameters.map(|parameters| Execution { parameters, selection: &target.parameters });
        Query { database: Some(database), state: self.state, sql: &target.sql, execution }
    }

    /// The session's state for what Serval reads itself: values as they are stored, and all rows.
    pub(crate) fn read_state(&self) -> SessionState {
        self.state.with("character_set_results", "NULL").without("sql_select_limit")
    }

    /// Which servers may answer. Inside a transaction the primary, always: it has the transaction's own writes.
    pub(crate) fn access(&self, replica_safe: bool) -> Access {
        if replica_safe && self.replicas && !self.transaction.is_open() {
            Access::Replica
        } else {
            Access::Primary
        }
    }
}

/// What is known when a statement has run to its end; the client has been sent the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completed {
    /// Rows changed.
    pub affected_rows: u64,
    /// The first AUTO_INCREMENT value that a server made; 0 for none.
    pub last_insert_id: u64,
    /// Warnings that the statement left.
    pub warnings: u16,
    /// Rows sent to the client.
    pub rows: u64,
    /// What FOUND_ROWS() is, where rows were skipped or left out by the proxy.
    pub found_rows: Option<u64>,
    /// What a session was asked for before it was given back.
    pub behind: Option<Box<Behind>>,
}

/// What a statement left in a session that is not kept: a scratch server's, or of a transaction of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behind {
    /// Its warnings, as SHOW WARNINGS has them.
    pub warnings: Vec<Vec<Option<Vec<u8>>>>,
    /// The columns of the answer to [`Gather::then`](serval_planner::primitive::Gather::then).
    pub columns: Vec<ColumnDefinition>,
    /// Its row.
    pub cells: Vec<Option<Vec<u8>>>,
}

impl Behind {
    /// Nothing but warnings.
    #[must_use]
    pub fn of_warnings(warnings: Vec<Vec<Option<Vec<u8>>>>) -> Self {
        Self { warnings, ..Self::default() }
    }
}
