//! A running proxy: what is started in which order, and stopped in which.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serval_admin::{Admin, Http, Statistics};
use serval_backend::Servers;
use serval_catalog::Catalog;
use serval_executor::definitions::Changes;
use serval_session::{Doors, Proxy};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config_files::ConfigFiles;
use crate::definition_watch::watch;
use crate::definitions::Definitions;
use crate::failure::Failure;
use crate::listeners::Listeners;
use crate::local_listener::LocalListener;
use crate::periods::{self, Keeper};
use crate::reload::{Order, Reload, Switch};
use crate::scratch::ScratchPlace;
use crate::server_kind;
use crate::signals::{Signals, Wish};

/// How long a start waits for the servers before it goes on without those that are silent.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// What clients are told the version is when no server could be asked and the config does not say.
const UNKNOWN_VERSION: &str = "8.0.36";
/// How long rollbacks and KILLs that are under way get after the last session.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// How often recorded times are folded into buckets.
const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds of the buckets of every histogram of seconds.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// A proxy that accepts clients.
pub struct Running {
    servers: Arc<Servers>,
    reload: Arc<Reload>,
    tasks: TaskTracker,
    /// Cancelled first: no new clients, and sessions end as soon as they may.
    sessions: CancellationToken,
    /// Cancelled when the last session is gone.
    background: CancellationToken,
}

impl Running {
    /// Starts everything. A group that is down is reported and waited for in the background.
    pub async fn start(files: ConfigFiles, catalog: Catalog, listeners: Listeners) -> Result<Self, Failure> {
        let metrics = install_recorder()?;
        let (sessions, background) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let scratch = ScratchPlace::of(&catalog)?;
        let catalog = scratch.as_ref().map_or(catalog.clone(), |scratch| scratch.settle(catalog));
        let servers = Servers::start(&catalog, background.clone());
        if let (Some(place), Some(scratch)) = (&scratch, &catalog.scratch) {
            let (database, servers) = (scratch.node.database.clone(), Arc::clone(&servers));
            tokio::spawn(Arc::clone(place).keep(database, servers, background.clone()));
        }
        let catalog = Arc::new(ArcSwap::from_pointee(catalog));
        let mut changes = Changes::default();
        // Before they are read: what changes while they are is read again.
        changes.look(&*servers, &catalog.load()).await;
        let definitions = Definitions::new(Arc::clone(&catalog), Arc::clone(&servers));
        tokio::spawn(Arc::clone(&definitions).keep(background.clone()));
        definitions.first_round(START_PATIENCE).await;
        let version = announced_version(&catalog.load(), &servers);
        let _ = tokio::time::timeout(START_PATIENCE, server_kind::learn(&catalog, &servers)).await;
        let proxy = Arc::new(Proxy::new(catalog, Arc::clone(&servers), &version, sessions.clone()));
        let kept = Arc::clone(&definitions);
        let reload = Arc::new(Reload::new(files, Arc::clone(&proxy), definitions, scratch));
        tokio::spawn(watch(Arc::clone(&proxy), kept, changes, background.clone()));
        let ended = background.clone();
        tokio::spawn(Arc::clone(&proxy.coordinator).recover(async move { ended.cancelled().await }));
        let ended = background.clone();
        tokio::spawn(Arc::clone(&proxy.coordinator).watch_locks(async move { ended.cancelled().await }));
        let mut keeper = Keeper::default();
        // Before the first client: which tables a query reads depends on it.
        let _ = tokio::time::timeout(START_PATIENCE, keeper.look(&proxy)).await;
        tokio::spawn(periods::keep(Arc::clone(&proxy), keeper, background.clone()));
        let running = Self { servers, reload, tasks, sessions, background };
        running.listen(listeners, &proxy, metrics);
        Ok(running)
    }

    fn listen(&self, listeners: Listeners, proxy: &Arc<Proxy<Servers>>, metrics: PrometheusHandle) {
        let address = |listener: Option<&TcpListener>| {
            listener.and_then(|listener| listener.local_addr().ok()).map(tracing::field::display)
        };
        tracing::info!(
            mysql = address(Some(&listeners.mysql)),
            socket = listeners.socket.as_ref().map(|socket| tracing::field::display(socket.path().display())),
            admin = address(listeners.admin.as_ref()),
            http = address(listeners.http.as_ref()),
            version = proxy.server_version(),
            "ready"
        );
        let (socket, file) = listeners.socket.map(LocalListener::split).unzip();
        let doors = Doors { network: listeners.mysql, socket };
        let serve = serval_session::serve(doors, Arc::clone(proxy));
        self.tasks.spawn(async move {
            serve.await;
            drop(file);
        });
        let servers = Arc::clone(&self.servers);
        let statistics: Statistics = Arc::new(move || servers.statistics());
        if let Some(listener) = listeners.admin {
            let admin =
                Admin::new(Arc::clone(proxy), Arc::clone(&statistics), Switch(Arc::clone(&self.reload)));
            self.tasks.spawn(serval_admin::serve_console(listener, Arc::new(admin)));
        }
        tokio::spawn(upkeep(metrics.clone(), self.background.clone()));
        if let Some(listener) = listeners.http {
            // Not among the tasks that a drain waits for: a scraper must not hold up the end.
            tokio::spawn(serve_http(listener, Http { metrics, statistics }, self.sessions.clone()));
        }
    }

    /// Serves until SIGTERM or SIGINT; SIGHUP reloads. Then drains, unless another signal says to stop at once.
    pub async fn until_signal(self, signals: &mut Signals) {
        while signals.next().await == Wish::Reload {
            // Beside the signals: one that says stop does not wait for it.
            tokio::spawn(reload_and_log(Arc::clone(&self.reload)));
        }
        tracing::info!("draining; another signal stops at once");
        tokio::select! {
            () = self.drain() => tracing::info!("stopped"),
            () = signals.stop() => tracing::warn!("stopped at once"),
        }
    }

    async fn drain(&self) {
        self.sessions.cancel();
        self.tasks.close();
        // The servers are needed until the last session has ended; its listener's task ends with it.
        self.tasks.wait().await;
        self.background.cancel();
        self.servers.drained(LAST_WORDS).await;
    }
}

async fn reload_and_log(reload: Arc<Reload>) {
    match reload.reload(&Order { by: "SIGHUP".to_owned(), force: false }).await {
        Ok(lines) if lines.is_empty() => tracing::info!("reloaded: nothing is different"),
        Ok(lines) => lines.iter().for_each(|line| tracing::info!("reloaded: {line}")),
        Err(lines) => {
            lines.iter().for_each(|line| tracing::error!("not reloaded, the old config stays: {line}"));
        }
    }
}

/// What the handshake says: the config's word, or the lowest version among the servers.
fn announced_version(catalog: &Catalog, servers: &Servers) -> String {
    if let Some(version) = &catalog.settings.server_version {
        return version.clone();
    }
    servers.lowest_version().unwrap_or_else(|| {
        tracing::warn!("no server could be asked for its version: clients are told {UNKNOWN_VERSION}");
        UNKNOWN_VERSION.to_owned()
    })
}

/// Histograms keep what was recorded until somebody folds it into buckets; nobody might scrape.
async fn upkeep(metrics: PrometheusHandle, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            _ = ticks.tick() => metrics.run_upkeep(),
            () = shutdown.cancelled() => return,
        }
    }
}

async fn serve_http(listener: TcpListener, http: Http, shutdown: CancellationToken) {
    if let Err(error) = serval_admin::serve_http(listener, http, shutdown).await {
        tracing::error!(%error, "the HTTP endpoints ended");
    }
}

fn install_recorder() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Failure::other(format!("cannot start the metrics: {error}")))
}
