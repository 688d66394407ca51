//! One server: its pool, its health, and what is counted of it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use serval_catalog::Role;
use serval_remote::Burst;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::accepted::Accepted;
use crate::counters::Counters;
use crate::handshake::Login;
use crate::health::{Health, HealthCell};
use crate::pool::Pool;
use crate::timing::Timing;
use crate::version::ServerVersion;

/// How many connections may be made at a time to kill statements, beside the pool's.
const KILLERS: usize = 2;

/// What a reload may change about a server that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) role: Role,
    pub(crate) lag_limit: Option<Duration>,
    /// From the start of a connect to the end of the handshake.
    pub(crate) connect: Duration,
}

/// Where background work runs, and when it ends.
#[derive(Debug, Clone)]
pub(crate) struct Background {
    pub(crate) runtime: Handle,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

/// One server of a group.
pub(crate) struct Server {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) login: Login,
    pub(crate) timing: Timing,
    pub(crate) policy: RwLock<Policy>,
    pub(crate) pool: Pool,
    pub(crate) health: HealthCell,
    pub(crate) version: RwLock<Option<ServerVersion>>,
    pub(crate) accepted: Accepted,
    pub(crate) counters: Counters,
    /// Turns at killing statements.
    pub(crate) killers: Semaphore,
    /// Something happened that the monitor should look at before its time.
    pub(crate) doubt: Notify,
    /// Removed by a reload, or the proxy ends.
    pub(crate) retired: CancellationToken,
    background: Background,
}

impl Server {
    pub(crate) fn new(
        (group, name): (String, String),
        login: Login,
        (policy, max_connections): (Policy, usize),
        timing: Timing,
        background: Background,
    ) -> Self {
        Self {
            group,
            name,
            login,
            timing,
            policy: RwLock::new(policy),
            pool: Pool::new(max_connections),
            health: HealthCell::new(),
            version: RwLock::default(),
            accepted: Accepted::default(),
            counters: Counters::default(),
            killers: Semaphore::new(KILLERS),
            doubt: Notify::new(),
            retired: background.shutdown.child_token(),
            background,
        }
    }

    pub(crate) fn connect_limit(&self) -> Duration {
        self.policy.read().connect
    }

    pub(crate) fn note_version(&self, version: &ServerVersion) {
        if self.version.read().as_ref() != Some(version) {
            self.accepted.clear();
            *self.version.write() = Some(version.clone());
        }
    }

    /// Records the health and logs it where it changed, not at every attempt.
    pub(crate) fn set_health(&self, health: Health) {
        let Some(before) = self.health.set(health.clone()) else { return };
        let (group, server, address) = (&*self.group, &*self.name, &self.login.address);
        match health {
            // The scratch server that Serval runs is started after the proxy: nothing has failed yet.
            Health::Down { .. } if before == Health::Unknown && address.is_socket_to_come() => {
                info!(group, server, %address, "server is not there yet");
            }
            Health::Down { error } => warn!(group, server, %address, error, "server is down"),
            Health::Lagging { reason } => warn!(group, server, reason, "replica is not read from"),
            Health::Up | Health::Unknown => {
                info!(group, server, %address, before = before.word(), "server is up");
            }
        }
        if matches!(before, Health::Down { .. }) {
            self.accepted.clear();
        }
    }

    /// A connection broke in use: perhaps the server did, too.
    pub(crate) fn connection_lost(&self) {
        self.counters.lost.add(1);
        self.doubt.notify_one();
    }

    pub(crate) fn count(&self, burst: &Burst) {
        self.counters.bytes_in.add(burst.bytes.len() as u64);
        if burst.completion.as_ref().is_some_and(|completion| completion.error.is_some()) {
            self.counters.errors.add(1);
        }
    }

    /// Runs cleanup in the background; it is counted, so that a shutdown can wait for it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.tasks.spawn_on(task, &self.background.runtime);
    }

    /// Takes over a reload's changes.
    pub(crate) fn adjust(self: &Arc<Self>, policy: Policy, max_connections: usize) {
        *self.policy.write() = policy;
        let owed = self.pool.resize(max_connections);
        if owed > 0 {
            let server = Arc::clone(self);
            self.spawn(async move {
                for _ in 0..owed {
                    tokio::select! {
                        slot = server.pool.slots.acquire() => slot.into_iter().for_each(|slot| slot.forget()),
                        () = server.retired.cancelled() => return,
                    }
                }
            });
        }
    }

    /// Ends the monitor and closes idle links; those in use are closed when they come back.
    pub(crate) fn retire(&self) {
        self.retired.cancel();
        self.pool.clear();
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("group", &self.group).field("name", &self.name).finish_non_exhaustive()
    }
}
