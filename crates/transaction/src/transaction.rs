//! The transaction of one session, through its whole life.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serval_catalog::TransactionMode;
use serval_remote::{Access, Backend, Connection, RemoteError, Request, SessionState};
use serval_types::{ErrorCode, GroupId, MysqlError};

use crate::branch::Branch;
use crate::coordinator::Coordinator;
use crate::exchange::exchange;
use crate::global::{Decisions, Global};
use crate::lent::Lent;
use crate::participant::{Part, Participant, Place};
use crate::savepoint::Savepoints;
use crate::two_phase;

/// A session's transaction. A session owns one for its life; most of the time it is closed.
pub struct Transaction<B: Backend> {
    pub(crate) state: State<B::Connection>,
    coordinator: Option<Arc<dyn Decisions>>,
    /// The last one was rolled back to end a deadlock, and nobody has said so yet.
    pub(crate) victim: bool,
    /// A commit over several groups is under way.
    pub(crate) committing: Arc<AtomicBool>,
}

#[derive(Debug)]
pub(crate) enum State<C: Connection> {
    /// Statements commit by themselves.
    Closed,
    /// BEGIN was said; groups join as they are used.
    Open(Open<C>),
    /// Something was lost, so nothing can be kept; the client has yet to hear of it and to end the transaction.
    Doomed(Doomed<C>),
}

#[derive(Debug)]
pub(crate) struct Open<C: Connection> {
    begin: Arc<str>,
    mode: TransactionMode,
    /// Present once a second group has joined a transaction that is atomic.
    pub(crate) global: Option<Global>,
    /// In the order of their groups.
    pub(crate) participants: Vec<Participant<C>>,
    pub(crate) savepoints: Savepoints,
}

#[derive(Debug)]
pub(crate) struct Doomed<C: Connection> {
    pub(crate) reason: String,
    /// Those that are left, to be rolled back.
    pub(crate) participants: Vec<Participant<C>>,
    /// It may have been committed all the same.
    pub(crate) unknown: bool,
}

impl<B: Backend> Default for Transaction<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backend> Transaction<B> {
    /// A closed transaction without a coordinator: in mode `atomic` it cannot have a second group.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::Closed, coordinator: None, victim: false, committing: Arc::default() }
    }

    /// A closed transaction of one of the sessions that share `coordinator`.
    #[must_use]
    pub fn with<R: Backend>(coordinator: &Arc<Coordinator<R>>) -> Self {
        let coordinator: Arc<dyn Decisions> = Arc::<Coordinator<R>>::clone(coordinator);
        Self {
            state: State::Closed,
            coordinator: Some(coordinator),
            victim: false,
            committing: Arc::default(),
        }
    }

    /// Another closed transaction over the same coordinator, for a statement that is one by itself.
    #[must_use]
    pub fn sibling(&self) -> Self {
        let committing = Arc::clone(&self.committing);
        Self { state: State::Closed, coordinator: self.coordinator.clone(), victim: false, committing }
    }

    /// Whether a commit over several groups is under way, here or in a [sibling](Transaction::sibling). It ends by itself, and
    /// is better not given up before: its outcome would be recovery's.
    #[must_use]
    pub fn committing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.committing)
    }

    /// Whether the error 1317 that a statement has just ended with was Serval's doing, to end a deadlock over several
    /// groups: the transaction is rolled back, and the client is to be told 1213 instead. True once.
    pub fn was_victim(&mut self) -> bool {
        mem::take(&mut self.victim)
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
            global: None,
            participants: Vec::new(),
            savepoints: Savepoints::default(),
        });
    }

    /// The one connection of `group` (whose configured name is `name`) in this transaction, for one statement.
    ///
    /// In mode `atomic` the first group begins an ordinary transaction, and every later one a branch of an XA
    /// transaction; a plain one could not become a branch any more. A transaction that may only read has no branches.
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
            State::Open(open) => {
                open.lend(backend, self.coordinator.as_ref(), Joining { group, name, state, deadline }).await
            }
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
        self.state = State::Doomed(Doomed { reason, participants, unknown: false });
    }

    /// A loan that was dropped belongs to a statement that was given up half-way; nobody came to say so.
    pub(crate) fn notice_lost_loans(&mut self) {
        let State::Open(open) = &self.state else { return };
        if let Some(gone) = open.participants.iter().find(|participant| participant.is_gone()) {
            self.mark_lost(gone.group);
        }
    }
}

/// A group that is to be used.
#[derive(Clone, Copy)]
struct Joining<'a> {
    group: GroupId,
    name: &'a str,
    state: &'a SessionState,
    deadline: Instant,
}

impl<C: Connection> Open<C> {
    async fn lend<B: Backend<Connection = C>>(
        &mut self,
        backend: &B,
        coordinator: Option<&Arc<dyn Decisions>>,
        joining: Joining<'_>,
    ) -> Result<Lent<B>, RemoteError> {
        let Joining { group, name, state, deadline } = joining;
        match self.participants.binary_search_by_key(&group, |participant| participant.group) {
            Ok(at) => lend_again(&mut self.participants[at], state),
            Err(at) => {
                self.admit(name)?;
                if backend.allows_xa() {
                    self.name_itself(coordinator).await?;
                }
                if self.global.as_ref().is_some_and(|global| !global.decisions.may_follow(group)) {
                    return Err(RemoteError::Refused(no_follower(name, "its config says xa = false")));
                }
                let mut connection = backend.acquire(group, Access::Primary, state, deadline).await?;
                let (part, begin) = self.start(&mut connection, &joining).await?;
                let begin = self.savepoints.replay(begin, &mut connection, state).await?;
                let participant = Participant::lent(group, name, state.clone(), part);
                let loan = participant.loan();
                loan.store(connection.thread_id(), Ordering::Relaxed);
                if let Some(global) = &self.global {
                    global.decisions.joined(&global.gtrid, group, &loan);
                }
                self.participants.insert(at, participant);
                Ok(Lent { connection, begin, only_reads: false, group, loan })
            }
        }
    }

    /// Becomes a transaction with a name, if a second group joins one that is atomic.
    async fn name_itself(&mut self, coordinator: Option<&Arc<dyn Decisions>>) -> Result<(), RemoteError> {
        if self.global.is_some() || self.mode != TransactionMode::Atomic || self.only_reads() {
            return Ok(());
        }
        let Some(first) = self.participants.first() else { return Ok(()) };
        let Some(coordinator) = coordinator else {
            return Err(RemoteError::Refused(MysqlError::refused(format!(
                "This transaction uses group {} and may use no other, because nobody could finish it if it were \
                 interrupted",
                first.name
            ))));
        };
        let (group, loan) = (first.group, first.loan());
        let global = Global::begin(coordinator, group).await?;
        coordinator.joined(&global.gtrid, group, &loan);
        self.global = Some(global);
        Ok(())
    }

    /// What a group that joins becomes, and the statement that still has to begin it.
    async fn start(
        &self,
        connection: &mut C,
        joining: &Joining<'_>,
    ) -> Result<(Part, Option<Arc<str>>), RemoteError> {
        let Joining { group, state, .. } = *joining;
        let Some(global) = &self.global else { return Ok((Part::Local, Some(Arc::clone(&self.begin)))) };
        let known = connection.begins_branch();
        let branch = Branch::new(&global.gtrid, group, connection.thread_id());
        let start = branch.xa("START");
        if known {
            return Ok((Part::Active(branch), Some(start.into())));
        }
        let request = Request { database: None, state, begin: Some(&start), sql: b"DO 0", execution: None };
        match exchange(connection, &request).await.and_then(|answer| answer.map_err(RemoteError::Refused)) {
            Ok(()) => Ok((Part::Active(branch), None)),
            Err(RemoteError::Refused(error)) if NO_XA.contains(&error.number) => {
                Err(RemoteError::Refused(no_follower(joining.name, &error.message)))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the client said READ ONLY: then no group has anything to decide.
    fn only_reads(&self) -> bool {
        self.begin.to_ascii_uppercase().contains("READ ONLY")
    }

    fn admit(&self, name: &str) -> Result<(), RemoteError> {
        match (self.mode, self.participants.first()) {
            (TransactionMode::Single, Some(first)) => {
                Err(RemoteError::Refused(MysqlError::refused(format!(
                    "This transaction uses group {} and may not use group {name} as well, because the schema says \
                 transaction = \"single\"; use two transactions, or set transaction = \"atomic\"",
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
            Ok(Lent {
                connection,
                begin: None,
                only_reads: false,
                group: participant.group,
                loan: participant.loan(),
            })
        }
        Place::Lent => Err(RemoteError::Refused(MysqlError::refused(
            "A statement of this transaction needs two connections to one group; split it into two statements",
        ))),
    }
}

/// ER_PARSE_ERROR, ER_NOT_SUPPORTED_YET, ER_UNKNOWN_COM_ERROR and TiDB's word for what it does not do: what XA START is
/// answered by servers that have no XA.
const NO_XA: [u16; 4] = [1064, 1235, 1047, 8108];

/// The refusal of a group that cannot be told by others whether to commit.
fn no_follower(name: &str, why: &str) -> MysqlError {
    MysqlError::refused(format!(
        "Group {name} cannot join a transaction that has begun on another group, because it has no dependable XA ({why}); \
         use it first in the transaction, or in one of its own"
    ))
}

impl<C: Connection> Doomed<C> {
    pub(crate) fn error(&self) -> MysqlError {
        if let Some(error) = self.outcome_unknown() {
            return error;
        }
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
    for participant in participants {
        // One that does not answer is closed, and its server rolls back when it notices.
        two_phase::undo(participant).await;
    }
}

impl<B: Backend> fmt::Debug for Transaction<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("groups", &self.groups()).finish_non_exhaustive()
    }
}
