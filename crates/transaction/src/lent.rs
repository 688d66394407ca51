//! A connection on loan from its transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serval_remote::{Backend, Connection as _};
use serval_types::{GroupId, MysqlError};

/// A group's connection, lent for one statement. It goes back through
/// [`Transaction::settle`](crate::Transaction::settle); dropping it instead closes the socket and dooms the
/// transaction, which is what a statement that is given up half-way must do.
#[derive(Debug)]
pub struct Lent<B: Backend> {
    /// The connection.
    pub connection: B::Connection,
    /// The statement that opens the group's transaction, to be sent before the first of the client's.
    pub begin: Option<Arc<str>>,
    /// The statement neither changes nor locks anything. Whoever lends assumes that it does: a group of which this is said
    /// of every statement need not take part in deciding.
    pub only_reads: bool,
    pub(crate) group: GroupId,
    /// The participant holds the other half: one that is alone knows that the loan is gone.
    pub(crate) loan: Arc<AtomicU32>,
}

impl<B: Backend> Lent<B> {
    /// Notes which connection of the server it is, which is final once something was sent: whoever looks for deadlocks
    /// has to know.
    pub fn note_sent(&self) {
        self.loan.store(self.connection.thread_id(), Ordering::Relaxed);
    }

    /// The group whose connection this is.
    #[must_use]
    pub fn group(&self) -> GroupId {
        self.group
    }
}

/// What became of the statement that a connection was lent for.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// The answer was read to its end, and was no error.
    Success,
    /// The server answered with this error, or refused what had to precede the statement. The connection is idle.
    Failed(&'a MysqlError),
    /// The connection broke, or its answer was not read to the end.
    Lost,
}
