//! What a statement runs in, and what is known when it has run.

use std::time::Instant;

use serval_catalog::Catalog;
use serval_remote::{Access, Backend, SessionState};
use serval_transaction::Transaction;

/// What a statement runs in.
pub struct Context<'a, B: Backend> {
    /// The servers.
    pub backend: &'a B,
    /// The snapshot that the statement was planned against.
    pub catalog: &'a Catalog,
    /// The session's transaction; closed means that statements commit by themselves.
    pub transaction: &'a mut Transaction<B>,
    /// What the session has set.
    pub state: &'a SessionState,
    /// Until when to wait for connections.
    pub deadline: Instant,
    /// How many bytes of rows the statement may hold.
    pub memory_limit: usize,
    /// Whether the session's consistency lets replicas answer plain reads.
    pub replicas: bool,
}

impl<B: Backend> Context<'_, B> {
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Completed {
    /// Rows changed.
    pub affected_rows: u64,
    /// The first AUTO_INCREMENT value that a server made; 0 for none.
    pub last_insert_id: u64,
    /// Warnings that the statement left.
    pub warnings: u16,
    /// Rows sent to the client.
    pub rows: u64,
}
