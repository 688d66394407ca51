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

const QUESTION: &str = "SELECT VERSION(), (SELECT COUNT(*) FROM information_schema.GLOBAL_VARIABLES WHERE \
                        VARIABLE_NAME='rpl_semi_sync_master_enabled' AND VARIABLE_VALUE='ON')";

/// The barriers of all groups.
#[derive(Debug, Default)]
pub(crate) struct Barriers(Mutex<HashMap<GroupId, Arc<Barrier>>>);

/// One group's.
#[derive(Debug, Default)]
struct Barrier {
    /// Whether one is needed, and when that was asked.
    needed: Mutex<Option<(bool, Instant)>>,
    /// One at a time: those that come meanwhile share the next.
    turn: tokio::sync::Mutex<()>,
    begun: AtomicU64,
    done: AtomicU64,
}

impl Barriers {
    /// Returns when everything that `group` has written so far is where its commits are.
    pub(crate) async fn pass<B: Backend>(
        &self,
        backend: &B,
        place: impl Future<Output = Result<Arc<Identity>, RemoteError>>,
        group: GroupId,
    ) -> Result<(), RemoteError> {
        let barrier = Arc::clone(self.0.lock().entry(group).or_default());
        if !barrier.is_needed(backend, group).await? {
            return Ok(());
        }
        let place = place.await?;
        // Every barrier that begins from now on covers what the caller has prepared.
        let before = barrier.begun.load(Ordering::SeqCst);
        let _turn = barrier.turn.lock().await;
        if barrier.done.load(Ordering::SeqCst) > before {
            return Ok(());
        }
        let number = barrier.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let sql = format!(
            "UPDATE {}.`serval_group` SET `barrier`=`barrier`+1 WHERE `id`=1",
            quoted(&place.database)
        );
        run(backend, group, &sql).await?;
        barrier.done.store(number, Ordering::SeqCst);
        Ok(())
    }
}

impl Barrier {
    async fn is_needed<B: Backend>(&self, backend: &B, group: GroupId) -> Result<bool, RemoteError> {
        if let Some((needed, asked)) = *self.needed.lock()
            && asked.elapsed() < BELIEVED
        {
            return Ok(needed);
        }
        let needed = semi_sync_mariadb(backend, group).await?;
        *self.needed.lock() = Some((needed, Instant::now()));
        Ok(needed)
    }
}

async fn semi_sync_mariadb<B: Backend>(backend: &B, group: GroupId) -> Result<bool, RemoteError> {
    let state = SessionState::default();
    let mut connection = backend.acquire(group, Access::Primary, &state, Instant::now() + PATIENCE).await?;
    let answer = ask(&mut connection, &state, QUESTION).await?;
    // MySQL has no such table (its PREPARE waits by itself), so an error answers the question too.
    let rows = answer.unwrap_or_default();
    let cell = |at: usize| rows.first().and_then(|row| row.get(at).cloned().flatten()).unwrap_or_default();
    Ok(cell(0).contains("MariaDB") && cell(1) == "1")
}

async fn run<B: Backend>(backend: &B, group: GroupId, sql: &str) -> Result<(), RemoteError> {
    let state = SessionState::default();
    let mut connection = backend.acquire(group, Access::Primary, &state, Instant::now() + PATIENCE).await?;
    ask(&mut connection, &state, sql).await?.map(drop).map_err(RemoteError::Refused)
}
