//! One group's part in a transaction.

use std::mem;
use std::sync::Arc;

use serval_remote::{Connection, RemoteError, Request, SessionState};
use serval_types::{GroupId, MysqlError};

use crate::exchange::exchange;

/// A group that has joined: it has a connection with an open transaction, here or on loan.
#[derive(Debug)]
pub(crate) struct Participant<C> {
    pub(crate) group: GroupId,
    /// The group's configured name, for errors.
    pub(crate) name: Box<str>,
    /// What the session had set when the group was last used.
    pub(crate) state: SessionState,
    pub(crate) place: Place<C>,
    loan: Arc<()>,
}

/// Where the connection is.
#[derive(Debug)]
pub(crate) enum Place<C> {
    Here(C),
    Lent,
}

impl<C> Participant<C> {
    /// A participant whose connection is on loan from the start.
    pub(crate) fn lent(group: GroupId, name: &str, state: SessionState) -> Self {
        Self { group, name: name.into(), state, place: Place::Lent, loan: Arc::new(()) }
    }

    /// The borrower's half of the loan.
    pub(crate) fn loan(&self) -> Arc<()> {
        Arc::clone(&self.loan)
    }

    /// Whether `loan` is the other half of this participant's own: a connection lent by an earlier transaction of
    /// the same session must not come back into this one.
    pub(crate) fn lent_as(&self, loan: &Arc<()>) -> bool {
        Arc::ptr_eq(&self.loan, loan)
    }

    /// Whether the connection was lent and will never come back.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.place, Place::Lent) && Arc::strong_count(&self.loan) == 1
    }
}

impl<C: Connection> Participant<C> {
    /// Runs a statement on the connection that is here.
    ///
    /// Meanwhile the connection counts as lent: a caller that gives up half-way leaves a participant that
    /// [is gone](Self::is_gone), never one whose next answer belongs to an earlier question.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<Result<(), MysqlError>, RemoteError> {
        let Place::Here(mut connection) = mem::replace(&mut self.place, Place::Lent) else {
            return Err(self.absent());
        };
        let request =
            Request { database: None, state: &self.state, begin: None, sql: sql.as_bytes(), execution: None };
        let answer = exchange(&mut connection, &request).await;
        if matches!(answer, Ok(_) | Err(RemoteError::Refused(_))) {
            self.place = Place::Here(connection);
        }
        answer
    }

    fn absent(&self) -> RemoteError {
        RemoteError::Lost {
            group: self.name.to_string(),
            server: String::new(),
            sent: false,
            reason: "the connection did not come back from an earlier statement".to_owned(),
        }
    }
}
