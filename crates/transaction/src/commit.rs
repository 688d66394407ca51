//! COMMIT where each group may commit by itself: one group after another.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serval_remote::{Backend, Connection, RemoteError};
use serval_types::{ErrorCode, MysqlError};

use crate::gtrid::Gtrid;
use crate::participant::Participant;
use crate::transaction::{Doomed, Open, State, Transaction, roll_back};
use crate::two_phase::{self, limited};

/// Why a transaction is not wholly committed, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nothing was committed anywhere.
    #[error("the transaction was rolled back: {0}")]
    RolledBack(MysqlError),
    /// Some groups committed and others did not, or the answer of one was lost. Only in mode `best_effort`, and where
    /// one group alone had anything to commit.
    #[error(
        "groups {committed:?} committed, {not_committed:?} did not, {unknown:?} gave no answer: {reason}"
    )]
    Partial {
        /// The groups whose COMMIT was acknowledged.
        committed: Vec<String>,
        /// The groups that were rolled back.
        not_committed: Vec<String>,
        /// The group whose connection broke during its COMMIT.
        unknown: Option<String>,
        /// What went wrong, for the log; the client's text leaves it out.
        reason: String,
    },
    /// All groups will commit or none, but which of the two could not be found out in time.
    #[error("the outcome of transaction {gtrid} is not known yet: {reason}")]
    InDoubt {
        /// The transaction's name.
        gtrid: Gtrid,
        /// What went wrong, for the log; the client's text leaves it out.
        reason: String,
    },
}

impl CommitError {
    /// The error as a client sees it.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        match self {
            Self::RolledBack(error) => error.clone(),
            Self::Partial { committed, not_committed, unknown, .. } => {
                let mut text = "COMMIT did not finish on every group".to_owned();
                append(&mut text, "committed", committed);
                append(&mut text, "not committed", not_committed);
                append(&mut text, "no answer, so either", unknown.as_slice());
                text.push_str("; compare these groups before the transaction is run again");
                error_during_commit(text)
            }
            Self::InDoubt { gtrid, .. } => error_during_commit(format!(
                "The answer to COMMIT was lost and its group does not answer: transaction {gtrid} will be committed \
                 wholly or rolled back wholly as soon as the group is back, and which is not known yet; look at its \
                 rows, or at show @@transaction in the console, before it is run again"
            )),
        }
    }
}

/// ER_ERROR_DURING_COMMIT.
fn error_during_commit(message: String) -> MysqlError {
    MysqlError { number: 1180, sqlstate: *b"HY000", message }
}

fn append(text: &mut String, what: &str, groups: &[String]) {
    if !groups.is_empty() {
        text.push_str(&format!("; {what}: {}", groups.join(", ")));
    }
}

impl<B: Backend> Transaction<B> {
    /// Commits. In mode `atomic` all groups commit or none. Otherwise group after group, in their order; at the first
    /// that fails, that one and those after it are rolled back. Whatever comes of it, the transaction is closed.
    ///
    /// # Errors
    /// [`CommitError::RolledBack`] for a doomed transaction or where nothing was committed; [`CommitError::Partial`]
    /// where it is not all or nothing; [`CommitError::InDoubt`] where it is, but which is not known.
    pub async fn commit(&mut self) -> Result<(), CommitError> {
        self.notice_lost_loans();
        // Until the outcome is known a caller that gives up half-way leaves a doomed transaction behind.
        let reason = "its COMMIT was interrupted".to_owned();
        let interrupted = Doomed { reason, participants: Vec::new(), unknown: true };
        let result = match mem::replace(&mut self.state, State::Doomed(interrupted)) {
            State::Closed => Ok(()),
            State::Open(Open { participants, global: None, .. }) => {
                let _under_way = UnderWay::begin(&self.committing);
                commit_each(participants).await
            }
            State::Open(Open { participants, global: Some(global), .. }) => {
                let _under_way = UnderWay::begin(&self.committing);
                two_phase::commit(participants, global).await
            }
            State::Doomed(doomed) => {
                let error = doomed.error_at_commit();
                roll_back(doomed.participants).await;
                Err(CommitError::RolledBack(error))
            }
        };
        self.state = State::Closed;
        result
    }
}

impl<C: Connection> Doomed<C> {
    /// What to say where nobody may say that it was rolled back.
    pub(crate) fn outcome_unknown(&self) -> Option<MysqlError> {
        self.unknown.then(|| {
            error_during_commit(format!(
                "Whether the transaction was committed is not known, because {}; look at its rows before it is run again",
                self.reason
            ))
        })
    }

    fn error_at_commit(&self) -> MysqlError {
        if let Some(error) = self.outcome_unknown() {
            return error;
        }
        let text =
            format!("The transaction was rolled back because {}; run it again from its start", self.reason);
        MysqlError::new(ErrorCode::Unknown, text)
    }
}

/// True as long as it lives.
struct UnderWay(Arc<AtomicBool>);

impl UnderWay {
    fn begin(flag: &Arc<AtomicBool>) -> Self {
        flag.store(true, Ordering::Relaxed);
        Self(Arc::clone(flag))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Commits one participant after another.
pub(crate) async fn commit_each<C: Connection>(participants: Vec<Participant<C>>) -> Result<(), CommitError> {
    let mut committed = Vec::new();
    let mut rest = participants.into_iter();
    while let Some(mut participant) = rest.next() {
        // A server that says nothing must not hold the client for ever, and nobody may say that it did not commit.
        let failure = match limited(participant.commit()).await {
            Ok(Ok(())) => {
                committed.push(participant.name.to_string());
                continue;
            }
            Ok(Err(error)) => Failure::Answered(error),
            Err(error) if error.not_sent() => Failure::Answered(error.to_mysql()),
            Err(error) => Failure::Silent(error),
        };
        let name = participant.name.to_string();
        let mut rest: Vec<_> = rest.collect();
        let mut not_committed: Vec<String> = rest.iter().map(|other| other.name.to_string()).collect();
        if matches!(failure, Failure::Answered(_)) {
            not_committed.insert(0, name.clone());
            rest.insert(0, participant);
        }
        roll_back(rest).await;
        return Err(failure.conclude(name, committed, not_committed));
    }
    Ok(())
}

/// How one COMMIT failed.
enum Failure {
    /// It certainly did not commit.
    Answered(MysqlError),
    /// Nobody knows.
    Silent(RemoteError),
}

impl Failure {
    fn conclude(self, group: String, committed: Vec<String>, not_committed: Vec<String>) -> CommitError {
        let (unknown, reason) = match self {
            Self::Answered(error) if committed.is_empty() => return CommitError::RolledBack(error),
            Self::Answered(error) => (None, error.to_string()),
            Self::Silent(error) => (Some(group), error.to_string()),
        };
        CommitError::Partial { committed, not_committed, unknown, reason }
    }
}
