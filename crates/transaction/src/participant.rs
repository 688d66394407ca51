//! One group's part in a transaction.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use serval_remote::{Connection, RemoteError, Request, SessionState};
use serval_types::{GroupId, MysqlError};

use crate::branch::Branch;
use crate::exchange::exchange;

/// A group that has joined: it has a connection with an open transaction, here or on loan.
#[derive(Debug)]
pub(crate) struct Participant<C: Connection> {
    pub(crate) group: GroupId,
    /// The group's configured name, for errors.
    pub(crate) name: Box<str>,
    /// What the session had set when the group was last used.
    pub(crate) state: SessionState,
    pub(crate) place: Place<C>,
    pub(crate) part: Part,
    /// Something may have been changed or locked there.
    pub(crate) wrote: bool,
    /// What it has prepared is on a replica.
    pub(crate) acknowledged: bool,
    /// The borrower holds the other half; the connection's id on its server stands in it.
    loan: Arc<AtomicU32>,
}

/// Where the connection is.
#[derive(Debug)]
pub(crate) enum Place<C> {
    Here(C),
    Lent,
}

/// What kind of transaction the server knows of.
#[derive(Debug)]
pub(crate) enum Part {
    /// An ordinary one.
    Local,
    /// A branch of an XA transaction, between XA START and XA END.
    Active(Branch),
    /// A branch that is prepared, or that may be. Its connection must never serve anybody else, nor be reset: on MariaDB
    /// a reset says OK and breaks the branch.
    Prepared(Branch),
}

impl<C: Connection> Participant<C> {
    /// A participant whose connection is on loan from the start.
    pub(crate) fn lent(group: GroupId, name: &str, state: SessionState, part: Part) -> Self {
        Self {
            group,
            name: name.into(),
            state,
            place: Place::Lent,
            part,
            wrote: false,
            acknowledged: false,
            loan: Arc::default(),
        }
    }

    /// The borrower's half of the loan.
    pub(crate) fn loan(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.loan)
    }

    /// Whether `loan` is the other half of this participant's own: a connection lent by an earlier transaction of
    /// the same session must not come back into this one.
    pub(crate) fn lent_as(&self, loan: &Arc<AtomicU32>) -> bool {
        Arc::ptr_eq(&self.loan, loan)
    }

    /// Whether the connection was lent and will never come back.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.place, Place::Lent) && Arc::strong_count(&self.loan) == 1
    }

    /// Whether it is an ordinary transaction.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.part, Part::Local)
    }

    /// The branch, unless it is an ordinary transaction.
    pub(crate) fn branch(&self) -> Option<&Branch> {
        match &self.part {
            Part::Local => None,
            Part::Active(branch) | Part::Prepared(branch) => Some(branch),
        }
    }

    /// The connection's id on its server.
    pub(crate) fn thread_id(&self) -> u32 {
        match &self.place {
            Place::Here(connection) => connection.thread_id(),
            Place::Lent => 0,
        }
    }

    /// Runs a statement on the connection that is here.
    ///
    /// Meanwhile the connection counts as lent: a caller that gives up half-way leaves a participant that
    /// [is gone](Self::is_gone), never one whose next answer belongs to an earlier question.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<Result<(), MysqlError>, RemoteError> {
        self.run_after(None, sql).await
    }

    /// As [`Participant::run`], with a statement before it in the same burst.
    async fn run_after(
        &mut self,
        first: Option<&str>,
        sql: &str,
    ) -> Result<Result<(), MysqlError>, RemoteError> {
        let Place::Here(mut connection) = mem::replace(&mut self.place, Place::Lent) else {
            return Err(self.absent());
        };
        let request = Request {
            database: None,
            state: &self.state,
            begin: first,
            sql: sql.as_bytes(),
            execution: None,
        };
        let answer = exchange(&mut connection, &request).await;
        if matches!(answer, Ok(_) | Err(RemoteError::Refused(_))) {
            self.place = Place::Here(connection);
        }
        answer
    }

    /// Commits what is not prepared: this group's part alone, whatever the others do.
    pub(crate) async fn commit(&mut self) -> Result<Result<(), MysqlError>, RemoteError> {
        match &self.part {
            Part::Local => self.run("COMMIT").await,
            Part::Active(branch) | Part::Prepared(branch) => {
                let (end, commit) = (branch.xa("END"), format!("{} ONE PHASE", branch.xa("COMMIT")));
                self.run_after(Some(&end), &commit).await
            }
        }
    }

    /// XA PREPARE. Whatever comes of it, the branch may be prepared from now on.
    pub(crate) async fn prepare(&mut self) -> Result<Result<(), MysqlError>, RemoteError> {
        let part = mem::replace(&mut self.part, Part::Local);
        let (Part::Active(branch) | Part::Prepared(branch)) = part else { return Ok(Ok(())) };
        // One burst: if XA END is refused, XA PREPARE is refused too.
        let (end, prepare) = (branch.xa("END"), branch.xa("PREPARE"));
        self.part = Part::Prepared(branch);
        self.run_after(Some(&end), &prepare).await
    }

    /// XA COMMIT of a prepared branch.
    pub(crate) async fn finish(&mut self) -> Result<Result<(), MysqlError>, RemoteError> {
        let (Part::Active(branch) | Part::Prepared(branch)) = &self.part else { return Ok(Ok(())) };
        let sql = branch.xa("COMMIT");
        let answer = self.run(&sql).await;
        if matches!(answer, Ok(Ok(()))) {
            self.part = Part::Local;
        }
        answer
    }

    /// Undoes this group's part, and says whether the server agreed. If it did not, the connection is closed.
    pub(crate) async fn undo(&mut self) -> bool {
        let undone = match &self.part {
            Part::Local => self.run("ROLLBACK").await,
            Part::Active(branch) => {
                let (end, rollback) = (branch.xa("END"), branch.xa("ROLLBACK"));
                // Refused after a deadlock, which has ended the branch in its own way; what counts comes after it.
                match self.run(&end).await {
                    Ok(_) | Err(RemoteError::Refused(_)) => self.run(&rollback).await,
                    Err(error) => Err(error),
                }
            }
            Part::Prepared(branch) => {
                let rollback = branch.xa("ROLLBACK");
                self.run(&rollback).await
            }
        };
        match undone {
            Ok(Ok(())) => {
                self.part = Part::Local;
                return true;
            }
            Ok(Err(error)) => tracing::debug!(group = &*self.name, %error, "rollback refused; closed"),
            Err(error) => tracing::debug!(group = &*self.name, %error, "rollback not answered; closed"),
        }
        self.close();
        false
    }

    /// Closes the connection, which undoes what is not prepared.
    pub(crate) fn close(&mut self) {
        if let Place::Here(mut connection) = mem::replace(&mut self.place, Place::Lent) {
            connection.spoil();
        }
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

impl<C: Connection> Drop for Participant<C> {
    fn drop(&mut self) {
        if matches!(self.part, Part::Prepared(_)) {
            self.close();
        }
    }
}
