//! What all sessions of one proxy share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serval_catalog::Catalog;
use serval_executor::sequence::Sequences;
use serval_planner::Planner;
use serval_remote::Backend;
use serval_transaction::Coordinator;
use serval_types::NodeId;
use tokio_util::sync::CancellationToken;

use crate::counters::Counters;
use crate::defined::Defined;
use crate::flavour::Flavour;
use crate::handshake::Entrance;
use crate::registry::Registry;
use crate::statement::prepared::Shared;

/// How long sessions in a transaction may go on after a shutdown began.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What a plan takes in the cache, about.
const PLAN_BYTES: u64 = 8 * 1024;

/// One running proxy: the catalog of the moment, the servers behind it, and who is connected.
pub struct Proxy<B: Backend> {
    /// The catalog that statements take their snapshots of. A reload stores another one.
    pub catalog: Arc<ArcSwap<Catalog>>,
    /// The servers.
    pub backend: Arc<B>,
    /// What its transactions over several groups share; its recovery is for whoever starts the proxy to run.
    pub coordinator: Arc<Coordinator<B>>,
    /// Plans and their cache.
    pub planner: Planner,
    /// What is known of statements that sessions prepared.
    pub(crate) prepared: Shared,
    /// Numbers for the catalogs that sessions with temporary tables have for themselves.
    pub(crate) overlays: AtomicU64,
    /// AUTO_INCREMENT values of sharded tables.
    pub sequences: Sequences,
    /// Definitions that other proxies have yet to be told of.
    pub defined: Defined,
    /// What stands in the way of tables of periods, by their nodes and names there: why one could not be made or dropped.
    pub blocked_periods: Mutex<BTreeMap<(NodeId, String), String>>,
    /// Held by the one statement that makes tables of periods which it has missed.
    pub(crate) making: tokio::sync::Mutex<()>,
    /// What all handshakes share.
    pub entrance: Entrance,
    /// Who is connected.
    pub sessions: Arc<Registry>,
    /// What is counted.
    pub counters: Counters,
    /// Stops the proxy: listeners close, and [`serve`](crate::serve) lets the sessions go.
    pub shutdown: CancellationToken,
    server_version: String,
    greeting_version: String,
    flavour: Flavour,
    grace: Duration,
    started: Instant,
}

impl<B: Backend> Proxy<B> {
    /// A proxy over `backend` that shows clients `server_version`, for example `10.11.6-MariaDB`.
    ///
    /// The process's metrics recorder must be installed before.
    #[must_use]
    pub fn new(
        catalog: Arc<ArcSwap<Catalog>>,
        backend: Arc<B>,
        server_version: &str,
        shutdown: CancellationToken,
    ) -> Self {
        let coordinator = Coordinator::new(Arc::clone(&backend), Arc::clone(&catalog));
        let cache_bytes = catalog.load().settings.plan_cache as u64 * PLAN_BYTES;
        Self {
            catalog,
            backend,
            coordinator,
            planner: Planner::new(cache_bytes),
            prepared: Shared::default(),
            overlays: AtomicU64::new(1),
            sequences: Sequences::default(),
            defined: Defined::default(),
            blocked_periods: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            entrance: Entrance::default(),
            sessions: Arc::default(),
            counters: Counters::register(),
            shutdown,
            server_version: server_version.to_owned(),
            greeting_version: Flavour::of_version(server_version).greeting(server_version),
            flavour: Flavour::of_version(server_version),
            grace: DEFAULT_GRACE,
            started: Instant::now(),
        }
    }

    /// The same with another time that sessions in a transaction get after a shutdown began.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The version that clients see.
    #[must_use]
    pub fn server_version(&self) -> &str {
        &self.server_version
    }

    /// The version in the greeting, which may differ from [`Proxy::server_version`] as it does on servers.
    pub(crate) fn greeting_version(&self) -> &str {
        &self.greeting_version
    }

    /// The kind of server that clients see.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// How long sessions in a transaction may go on after a shutdown began.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// How long the proxy has been running.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

impl<B: Backend> std::fmt::Debug for Proxy<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("server_version", &self.server_version).finish_non_exhaustive()
    }
}
