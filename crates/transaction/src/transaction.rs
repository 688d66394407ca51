//! The transaction of one session, through its whole life.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use serval_catalog::TransactionMode;
use serval_remote::{Access, Backend, Connection, RemoteError, SessionState};
use serval_types::{ErrorCode, GroupId, MysqlError};

use crate::lent::Lent;
use crate::participant::{Participant, Place};
use crate::savepoint::Savepoints;

/// A session's transaction. A session owns one for its life; most of the time it is closed.
#[derive(Debug)]
pub struct Transaction<B: Backend> {
    pub(crate) state: State<B::Connection>,
}

#[derive(Debug)]
pub(crate) enum State<C> {
    /// Statements commit by themselves.
    Closed,
    /// BEGIN was said; groups join as they are used.
    Open(Open<C>),
    /// Something was lost, so nothing can be kept; the client has yet to hear of it and to end the transaction.
    Doomed(Doomed<C>),
}

#[derive(Debug)]
pub(crate) struct Open<C> {
    begin: Arc<str>,
    mode: TransactionMode,
    /// In the order of their groups.
    pub(crate) participants: Vec<Participant<C>>,
    pub(crate) savepoints: Savepoints,
}

#[derive(Debug)]
pub(crate) struct Doomed<C> {
    pub(crate) reason: String,
    /// Those that are left, to be rolled back.
    pub(crate) participants: Vec<Participant<C>>,
}

impl<B: Backend> Default for Transaction<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backend> Transaction<B> {
    /// A closed transaction.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::Closed }
    }

    /// Whether the client is inside a transaction, be it a doomed one.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed)
    }

    /// The groups that have joined, in their order.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupId> {
        match &self.state {
            State::Closed => Vec::new(),
            State::Open(Open { participants, .. }) | State::Doomed(Doomed { participants, .. }) => {
                participants.iter().map(|participant| participant.group).collect()
            }
        }
    }

    /// Opens a transaction. Nothing is sent: each group begins with `begin_sql` (START TRANSACTION, perhaps READ
    /// ONLY or WITH CONSISTENT SNAPSHOT) when it is first used.
    ///
    /// One that is open must be committed first, as MySQL does on BEGIN; participants left in it are rolled back.
    pub fn begin(&mut self, begin_sql: &str, mode: TransactionMode) {
        self.state = State::Open(Open {
            begin: begin_sql.into(),
            mode,
            participants: Vec::new(),
            savepoints: Savepoints::default(),
        });
    }

    /// The one connection of `group` (whose configured name is `name`) in this transaction, for one statement.
    ///
    /// # Errors
    /// [`RemoteError::Refused`] with 1235 for a second group in mode `single`, and with 1105 once the transaction is
    /// doomed; otherwise as [`Backend::acquire`], in which case the group has not joined.
    pub async fn lend(
        &mut self,
        backend: &B,
        group: GroupId,
        name: &str,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Lent<B>, RemoteError> {
        self.notice_lost_loans();
        match &mut self.state {
            State::Open(open) => open.lend(backend, group, name, state, deadline).await,
            State::Doomed(doomed) => Err(RemoteError::Refused(doomed.error())),
            State::Closed => Err(RemoteError::Refused(MysqlError::new(
                ErrorCode::Unknown,
                "The transaction has ended; run the statement again",
            ))),
        }
    }

    /// Undoes everything. From the client's point of view this always succeeds: a connection that cannot be rolled
    /// back is dropped, and its server rolls back when it notices.
    pub async fn rollback(&mut self) {
        // Taken first, so that a caller that gives up half-way drops, and so rolls back, what is left.
        let participants = match mem::replace(&mut self.state, State::Closed) {
            State::Closed => return,
            State::Open(open) => open.participants,
            State::Doomed(doomed) => doomed.participants,
        };
        roll_back(participants).await;
    }

    /// Dooms the transaction because `group` lost its connection: what was done there is gone, so the rest cannot
    /// stay either. Statements fail from now on until the client says ROLLBACK.
    pub fn mark_lost(&mut self, group: GroupId) {
        self.doom(group, "lost its connection");
    }

    /// Takes `group` out and dooms the rest.
    pub(crate) fn doom(&mut self, group: GroupId, what: &str) {
        let State::Open(open) = &mut self.state else { return };
        let Ok(at) = open.participants.binary_search_by_key(&group, |participant| participant.group) else {
            return;
        };
        let mut participants = mem::take(&mut open.participants);
        let reason = format!("group {} {what}", participants.remove(at).name);
        self.state = State::Doomed(Doomed { reason, participants });
    }

    /// A loan that was dropped belongs to a statement that was given up half-way; nobody came to say so.
    pub(crate) fn notice_lost_loans(&mut self) {
        let State::Open(open) = &self.state else { return };
        if let Some(gone) = open.participants.iter().find(|participant| participant.is_gone()) {
            self.mark_lost(gone.group);
        }
    }
}

impl<C: Connection> Open<C> {
    async fn lend<B: Backend<Connection = C>>(
        &mut self,
        backend: &B,
        group: GroupId,
        name: &str,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Lent<B>, RemoteError> {
        match self.participants.binary_search_by_key(&group, |participant| participant.group) {
            Ok(at) => lend_again(&mut self.participants[at], state),
            Err(at) => {
                self.admit(name)?;
                let mut connection = backend.acquire(group, Access::Primary, state, deadline).await?;
                let begin = self.savepoints.replay(&self.begin, &mut connection, state).await?;
                let participant = Participant::lent(group, name, state.clone());
                let loan = participant.loan();
                self.participants.insert(at, participant);
                Ok(Lent { connection, begin, group, loan })
            }
        }
    }

    fn admit(&self, name: &str) -> Result<(), RemoteError> {
        match (self.mode, self.participants.first()) {
            (TransactionMode::Single, Some(first)) => {
                Err(RemoteError::Refused(MysqlError::refused(format!(
                    "This transaction uses group {} and may not use group {name} as well, because the schema says \
                 transaction = \"single\"; use two transactions, or set transaction = \"best_effort\"",
                    first.name
                ))))
            }
            _ => Ok(()),
        }
    }
}

fn lend_again<B: Backend>(
    participant: &mut Participant<B::Connection>,
    state: &SessionState,
) -> Result<Lent<B>, RemoteError> {
    match mem::replace(&mut participant.place, Place::Lent) {
        Place::Here(connection) => {
            participant.state = state.clone();
            Ok(Lent { connection, begin: None, group: participant.group, loan: participant.loan() })
        }
        Place::Lent => Err(RemoteError::Refused(MysqlError::refused(
            "A statement of this transaction needs two connections to one group; split it into two statements",
        ))),
    }
}

impl<C> Doomed<C> {
    pub(crate) fn error(&self) -> MysqlError {
        MysqlError::new(
            ErrorCode::Unknown,
            format!(
                "The transaction was rolled back because {}; say ROLLBACK, then run it again from its start",
                self.reason
            ),
        )
    }
}

pub(crate) async fn roll_back<C: Connection>(participants: Vec<Participant<C>>) {
    for mut participant in participants {
        if let Err(error) = participant.run("ROLLBACK").await {
            tracing::debug!(group = &*participant.name, %error, "ROLLBACK not answered; the connection is closed");
        }
    }
}
