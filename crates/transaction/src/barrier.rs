//! Waiting until what a group has prepared is on a replica.
//!
//! MariaDB acknowledges COMMIT and XA COMMIT only once a semi-synchronous replica has the events, but XA PREPARE at
//! once. A failover between PREPARE and the decision could lose a prepared branch of a transaction that is then
//! committed. Replicas take events in order, so a commit that begins after the PREPARE and is acknowledged covers it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_types::GroupId;

use crate::exchange::ask;
use crate::identity::{Identity, quoted};

/// How long what a server says of its replication is believed.
const BELIEVED: Duration = Duration::from_secs(10);
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What waits for a replica on a MariaDB server; MySQL has no such table.
const MARIADB: &str = "SELECT COUNT(*) FROM information_schema.GLOBAL_VARIABLES WHERE \
                       VARIABLE_NAME='rpl_semi_sync_master_enabled' AND VARIABLE_VALUE='ON'";
const MYSQL: &str = "SELECT COUNT(*) FROM performance_schema.global_variables WHERE \
                     VARIABLE_NAME IN ('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled') \
                     AND VARIABLE_VALUE='ON'";

/// When a server answers an XA PREPARE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// When it has it itself: replication is asynchronous.
    Alone,
    /// When a replica has it.
    Acknowledged,
    /// Before a replica has it, though its commits wait for one.
    TooEarly,
}

/// The barriers of all groups.
#[derive(Debug, Default)]
pub(crate) struct Barriers(Mutex<HashMap<GroupId, Arc<Barrier>>>);

/// One group's.
#[derive(Debug, Default)]
struct Barrier {
    /// Whether one is needed, and when that was asked.
    answers: Mutex<Option<(Answers, Instant)>>,
    /// One at a time: those that come meanwhile share the next.
    turn: tokio::sync::Mutex<()>,
    begun: AtomicU64,
    done: AtomicU64,
}

impl Barriers {
    /// Returns when everything that `group` has written so far is where its commits are, and whether that is a replica.
    pub(crate) async fn pass<B: Backend>(
        &self,
        backend: &B,
        place: impl Future<Output = Result<Arc<Identity>, RemoteError>>,
        group: GroupId,
    ) -> Result<bool, RemoteError> {
        let barrier = Arc::clone(self.0.lock().entry(group).or_default());
        match barrier.answers(backend, group).await? {
            Answers::Alone => return Ok(false),
            Answers::Acknowledged => return Ok(true),
            Answers::TooEarly => {}
        }
        let place = place.await?;
        // Every barrier that begins from now on covers what the caller has prepared.
        let before = barrier.begun.load(Ordering::SeqCst);
        let _turn = barrier.turn.lock().await;
        if barrier.done.load(Ordering::SeqCst) > before {
            return Ok(true);
        }
        let number = barrier.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let sql = format!(
            "UPDATE {}.`serval_group` SET `barrier`=`barrier`+1 WHERE `id`=1",
            quoted(&place.database)
        );
        run(backend, group, &sql).await?;
        barrier.done.store(number, Ordering::SeqCst);
        Ok(true)
    }
}

impl Barrier {
    async fn answers<B: Backend>(&self, backend: &B, group: GroupId) -> Result<Answers, RemoteError> {
        if let Some((answers, asked)) = *self.answers.lock()
            && asked.elapsed() < BELIEVED
        {
            return Ok(answers);
        }
        let answers = ask_when(backend, group).await?;
        *self.answers.lock() = Some((answers, Instant::now()));
        Ok(answers)
    }
}

async fn ask_when<B: Backend>(backend: &B, group: GroupId) -> Result<Answers, RemoteError> {
    let state = SessionState::default();
    let mut connection = backend.acquire(group, Access::Primary, &state, Instant::now() + PATIENCE).await?;
    for (question, answers) in [(MARIADB, Answers::TooEarly), (MYSQL, Answers::Acknowledged)] {
        // A question that is refused is one for the other kind of server.
        if let Ok(rows) = ask(&mut connection, &state, question).await? {
            let is_on = rows.first().and_then(|row| row.first()?.as_deref()) == Some("1");
            return Ok(if is_on { answers } else { Answers::Alone });
        }
    }
    Ok(Answers::Alone)
}

async fn run<B: Backend>(backend: &B, group: GroupId, sql: &str) -> Result<(), RemoteError> {
    let state = SessionState::default();
    let mut connection = backend.acquire(group, Access::Primary, &state, Instant::now() + PATIENCE).await?;
    ask(&mut connection, &state, sql).await?.map(drop).map_err(RemoteError::Refused)
}
