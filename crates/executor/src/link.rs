//! The connection of a statement: its own, or its transaction's.

use serval_planner::PlanTable;
use serval_remote::{Access, Backend, Burst, Connection, Execution, RemoteError, Request, SessionState};
use serval_transaction::{CommitError, Ending, Lent, Transaction};
use serval_types::{GroupId, MysqlError};
use serval_wire::response::{CompletionKind, Prepared};

use crate::context::Context;

/// A connection that knows whether it is in the middle of an answer.
///
/// Dropping a link is safe. One that was lent by a transaction and is not [closed](Link::close) dooms it.
pub(crate) struct Link<B: Backend> {
    held: Held<B>,
    phase: Phase,
}

/// A statement for one server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    pub(crate) database: Option<&'a str>,
    pub(crate) state: &'a SessionState,
    pub(crate) sql: &'a [u8],
    pub(crate) execution: Option<Execution<'a>>,
}

impl<'a> Query<'a> {
    /// A statement of Serval's own, in whatever database the connection is.
    pub(crate) fn internal(state: &'a SessionState, sql: &'a [u8]) -> Self {
        Self { database: None, state, sql, execution: None }
    }

    fn after(&self, begin: Option<&'a str>) -> Request<'a> {
        let Self { database, state, sql, execution } = *self;
        Request { database, state, begin, sql, execution }
    }
}

enum Held<B: Backend> {
    Own(B::Connection),
    Lent(Lent<B>),
}

enum Phase {
    /// The last answer was read to its end.
    Idle,
    /// A statement was sent; its answer is not read to its end.
    Busy,
    /// The rest of the answer will never come.
    Broken,
    /// The last answer was this error.
    Failed(MysqlError),
}

impl<B: Backend> Link<B> {
    /// The one connection that `group` has in this transaction, or one of its own outside.
    pub(crate) async fn open(
        context: &mut Context<'_, B>,
        group: GroupId,
        access: Access,
    ) -> Result<Self, RemoteError> {
        let Context { backend, catalog, transaction, state, deadline, .. } = context;
        if transaction.is_open() {
            let name = &catalog.group(group).name;
            transaction.lend(backend, group, name, state, *deadline).await.map(Self::lent)
        } else {
            backend.acquire(group, access, state, *deadline).await.map(Self::own)
        }
    }

    pub(crate) fn own(connection: B::Connection) -> Self {
        Self { held: Held::Own(connection), phase: Phase::Idle }
    }

    fn lent(lent: Lent<B>) -> Self {
        Self { held: Held::Lent(lent), phase: Phase::Idle }
    }

    /// Says whether what it is going to be sent neither changes nor locks anything, which spares the group a part in the
    /// transaction's commit. A table without a definition may be a view, and call functions that write.
    pub(crate) fn reading(mut self, replica_safe: bool, tables: &[PlanTable]) -> Self {
        if let Held::Lent(lent) = &mut self.held {
            lent.only_reads = replica_safe && tables.iter().all(|table| table.table.definition.is_some());
        }
        self
    }

    /// Sends a statement, after the BEGIN that the transaction still owes.
    pub(crate) async fn send(&mut self, query: &Query<'_>) -> Result<(), RemoteError> {
        self.phase = Phase::Busy;
        let sent = match &mut self.held {
            Held::Own(connection) => connection.send(&query.after(None)).await,
            Held::Lent(lent) => {
                let begin = lent.begin.take();
                let sent = lent.connection.send(&query.after(begin.as_deref())).await;
                lent.note_sent();
                sent
            }
        };
        sent.inspect_err(|error| self.note_failure(error))
    }

    /// Prepares a statement. Nothing runs, so a BEGIN that is owed stays owed.
    pub(crate) async fn prepare(&mut self, query: &Query<'_>) -> Result<Prepared, RemoteError> {
        self.phase = Phase::Busy;
        let connection = match &mut self.held {
            Held::Own(connection) => connection,
            Held::Lent(lent) => &mut lent.connection,
        };
        let prepared = connection.prepare(&query.after(None)).await;
        let prepared = prepared.inspect_err(|error| self.note_failure(error))?;
        self.phase = Phase::Idle;
        Ok(prepared)
    }

    /// The next packets of the answer.
    pub(crate) async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        let burst = match &mut self.held {
            Held::Own(connection) => connection.read_burst().await,
            Held::Lent(lent) => lent.connection.read_burst().await,
        };
        let burst = burst.inspect_err(|error| self.note_failure(error))?;
        if let Some(completion) = &burst.completion {
            self.phase = match (completion.kind, &completion.error) {
                // The server waits for a file: until it has one it is in the middle of its answer.
                (CompletionKind::LocalInfile, _) => Phase::Busy,
                (_, Some(error)) => Phase::Failed(error.to_mysql()),
                (_, None) => Phase::Idle,
            };
        }
        Ok(burst)
    }

    /// Sends more of the file that the server asked for; nothing ends it, and its answer can be read.
    pub(crate) async fn send_file(&mut self, bytes: &[u8]) -> Result<(), RemoteError> {
        let sent = match &mut self.held {
            Held::Own(connection) => connection.send_file(bytes).await,
            Held::Lent(lent) => lent.connection.send_file(bytes).await,
        };
        sent.inspect_err(|error| self.note_failure(error))
    }

    /// Where what had to precede the statement was refused, the connection is idle; otherwise it is gone.
    fn note_failure(&mut self, error: &RemoteError) {
        self.phase = match error {
            RemoteError::Refused(error) => Phase::Failed(error.clone()),
            _ => Phase::Broken,
        };
    }

    /// Whether the server is in the middle of an answer.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Busy)
    }

    /// Whether the last answer was an error.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed(_))
    }

    /// Whether the last answer means that the server's transaction is no more, be it undone or lost.
    pub(crate) fn ended_transaction(&self) -> bool {
        match &self.phase {
            Phase::Idle => false,
            Phase::Busy | Phase::Broken => true,
            // ER_LOCK_DEADLOCK and its form inside XA.
            Phase::Failed(error) => matches!(error.number, 1213 | 1614),
        }
    }

    /// Whether the connection belongs to a transaction.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.held, Held::Lent(_))
    }

    /// The connection, where it is the statement's own and idle.
    pub(crate) fn into_own(self) -> Option<B::Connection> {
        match (self.held, self.phase) {
            (Held::Own(connection), Phase::Idle | Phase::Failed(_)) => Some(connection),
            _ => None,
        }
    }

    /// Gives the connection back: to its pool by dropping it, or to its transaction with what became of it.
    pub(crate) async fn close(self, transaction: &mut Transaction<B>) -> Result<(), CommitError> {
        let Held::Lent(lent) = self.held else { return Ok(()) };
        let ending = match &self.phase {
            Phase::Idle => Ending::Success,
            Phase::Busy | Phase::Broken => Ending::Lost,
            Phase::Failed(error) => Ending::Failed(error),
        };
        transaction.settle(lent, ending).await
    }
}
