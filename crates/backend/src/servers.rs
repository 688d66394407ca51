//! All servers behind the proxy: [`Servers`], the real [`Backend`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use serval_catalog::{self as catalog, Catalog, Settings};
use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_types::GroupId;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::ServerConnection;
use crate::group::{Group, Member};
use crate::handshake::Login;
use crate::metric;
use crate::monitor;
use crate::server::{Background, Policy, Server};
use crate::status::ServerStatus;
use crate::timing::Timing;
use crate::tls::{TlsError, check_tls};
use crate::version;

/// The servers of all groups. One for the life of the proxy.
#[derive(Debug)]
pub struct Servers {
    /// By [`GroupId`].
    groups: ArcSwap<Vec<Arc<Group>>>,
    /// The scratch server's, where the catalog has one.
    scratch: ArcSwapOption<Group>,
    timing: Timing,
    background: Background,
    /// Held while a catalog is applied, so that two reloads follow each other.
    reload: Mutex<()>,
}

/// Why a reload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    /// It would give a group's id to another group, while statements planned before still use it.
    #[error(
        "group {new} would take the place of group {old} in the configuration; while the proxy runs, groups keep their order: \
         add new ones after the others, and restart to remove or reorder them"
    )]
    Reordered {
        /// The group that has the id now.
        old: String,
        /// The group that would have it.
        new: String,
    },
    /// A group's certificates or key cannot be used.
    #[error("group {group}: {error}")]
    Tls {
        /// The group.
        group: String,
        /// What is wrong with them.
        error: TlsError,
    },
}

impl Servers {
    /// Starts to watch the catalog's servers. Those that are down are waited for in the background.
    ///
    /// When `shutdown` is cancelled the monitors end and connections are closed as they come back.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn start(catalog: &Catalog, shutdown: CancellationToken) -> Arc<Self> {
        metric::describe();
        let servers = Self::start_with(&catalog.groups, &catalog.settings, Timing::default(), shutdown);
        servers.replace_scratch(catalog);
        servers
    }

    /// [`Servers::start`] for groups without a catalog, with other times than the usual ones.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn start_with(
        groups: &[catalog::Group],
        settings: &Settings,
        timing: Timing,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let background = Background { runtime: Handle::current(), tasks: TaskTracker::new(), shutdown };
        let servers = Self {
            groups: ArcSwap::from_pointee(Vec::new()),
            scratch: ArcSwapOption::empty(),
            timing,
            background,
            reload: Mutex::new(()),
        };
        servers.replace(groups, settings);
        Arc::new(servers)
    }

    /// Takes over a reloaded catalog. Servers that stay keep their connections; those that are gone, or that have
    /// another address, login or TLS setting now, finish what they are doing and are closed.
    ///
    /// # Errors
    /// [`NotApplied`], and nothing is changed.
    pub fn apply(&self, catalog: &Catalog) -> Result<(), NotApplied> {
        self.apply_groups(&catalog.groups, &catalog.settings)?;
        self.replace_scratch(catalog);
        Ok(())
    }

    /// [`Servers::apply`] for groups without a catalog.
    ///
    /// # Errors
    /// [`NotApplied`], and nothing is changed.
    pub fn apply_groups(&self, groups: &[catalog::Group], settings: &Settings) -> Result<(), NotApplied> {
        let _one_at_a_time = self.reload.lock();
        for (old, new) in self.groups.load().iter().zip(groups) {
            if old.name != new.name {
                return Err(NotApplied::Reordered { old: old.name.clone(), new: new.name.clone() });
            }
        }
        for group in groups {
            check_tls(&group.tls).map_err(|error| NotApplied::Tls { group: group.name.clone(), error })?;
        }
        self.replace(groups, settings);
        Ok(())
    }

    /// How every server is, in the order of the configuration.
    #[must_use]
    pub fn statistics(&self) -> Vec<ServerStatus> {
        let (groups, scratch) = (self.groups.load(), self.scratch.load());
        let all = groups.iter().chain(scratch.iter());
        all.flat_map(|group| &group.members).map(ServerStatus::of).collect()
    }

    /// The lowest version among the servers that have been reached, of the first one's flavour (MySQL's and MariaDB's
    /// numbers mean different things), as `VERSION()` says it.
    #[must_use]
    pub fn lowest_version(&self) -> Option<String> {
        let groups = self.groups.load();
        let members = groups.iter().flat_map(|group| &group.members);
        let versions = members.filter_map(|member| member.server.version.read().clone());
        version::lowest(versions).map(|version| version.text)
    }

    /// After a shutdown: waits for rollbacks and kills that are under way, at most for `limit`, and closes all idle
    /// connections.
    pub async fn drained(&self, limit: Duration) {
        self.background.tasks.close();
        // What is not done by then is cut off with the process.
        let _ = tokio::time::timeout(limit, self.background.tasks.wait()).await;
        let (groups, scratch) = (self.groups.load(), self.scratch.load());
        for member in groups.iter().chain(scratch.iter()).flat_map(|group| &group.members) {
            member.server.pool.clear();
        }
    }

    /// The scratch server of this catalog; one that stays keeps its connections.
    fn replace_scratch(&self, catalog: &Catalog) {
        let before = self.scratch.load_full();
        let known: Vec<&Arc<Server>> =
            before.iter().flat_map(|group| &group.members).map(|member| &member.server).collect();
        let scratch = catalog.scratch.as_ref();
        let group = scratch.map(|scratch| Arc::new(self.group(&scratch.group, &catalog.settings, &known)));
        let kept = |server: &Arc<Server>| {
            group.iter().flat_map(|group| &group.members).any(|member| Arc::ptr_eq(&member.server, server))
        };
        let gone: Vec<&Arc<Server>> = known.into_iter().filter(|server| !kept(server)).collect();
        gone.into_iter().for_each(|server| server.retire());
        self.scratch.store(group);
    }

    fn replace(&self, configured: &[catalog::Group], settings: &Settings) {
        let before = self.groups.load_full();
        let known: Vec<&Arc<Server>> =
            before.iter().flat_map(|group| &group.members).map(|member| &member.server).collect();
        let groups: Vec<Arc<Group>> =
            configured.iter().map(|group| Arc::new(self.group(group, settings, &known))).collect();
        let is_kept = |server: &Arc<Server>| {
            groups.iter().flat_map(|group| &group.members).any(|member| Arc::ptr_eq(&member.server, server))
        };
        let gone: Vec<&Arc<Server>> = known.into_iter().filter(|server| !is_kept(server)).collect();
        self.groups.store(Arc::new(groups));
        gone.into_iter().for_each(|server| server.retire());
    }

    fn group(&self, group: &catalog::Group, settings: &Settings, known: &[&Arc<Server>]) -> Group {
        let connect = settings.connect_timeout;
        let member = |configured: &catalog::Server| {
            let policy = Policy { role: configured.role, lag_limit: group.lag_limit, connect };
            let same = |server: &&&Arc<Server>| {
                server.group == group.name
                    && server.name == configured.name
                    && server.login.is_of(group, configured)
            };
            let server = match known.iter().find(same) {
                Some(server) => {
                    server.adjust(policy, group.max_connections);
                    Arc::clone(server)
                }
                None => self.begin(group, configured, policy),
            };
            Member { server, role: configured.role, weight: configured.weight }
        };
        Group::new(group.name.clone(), group.servers.iter().map(member).collect(), group.max_connections)
    }

    /// A server that was not there before, with its monitor.
    fn begin(&self, group: &catalog::Group, configured: &catalog::Server, policy: Policy) -> Arc<Server> {
        let (address, user, password) =
            (configured.address.clone(), group.user.clone(), group.password.clone());
        let login = Login::new(address, user, password, group.tls.clone());
        let names = (group.name.clone(), configured.name.clone());
        let limits = (policy, group.max_connections);
        let server = Arc::new(Server::new(names, login, limits, self.timing, self.background.clone()));
        server.spawn(monitor::watch(Arc::clone(&server)));
        server
    }

    fn by_id(&self, id: GroupId) -> Result<Arc<Group>, RemoteError> {
        let found = match id {
            GroupId::SCRATCH => self.scratch.load_full(),
            id => self.groups.load().get(usize::from(id.0)).cloned(),
        };
        found.ok_or_else(|| RemoteError::Unavailable {
            group: id.to_string(),
            reason: "the configuration no longer has it".to_owned(),
        })
    }
}

impl Backend for Servers {
    type Connection = ServerConnection;

    async fn acquire(
        &self,
        group: GroupId,
        access: Access,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<ServerConnection, RemoteError> {
        let group = self.by_id(group)?;
        let mut others = group.others(access);
        loop {
            match group.choose(access)?.acquire(state, deadline).await {
                // Found to be down only now: the group may have another one.
                Err(RemoteError::Unavailable { .. }) if others > 0 => others -= 1,
                outcome => return outcome,
            }
        }
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<ServerConnection>, RemoteError> {
        let group = self.by_id(group)?;
        let mut others = group.others(access);
        loop {
            match group.choose(access)?.acquire_many(count, state, deadline).await {
                Err(RemoteError::Unavailable { .. }) if others > 0 => others -= 1,
                outcome => return outcome,
            }
        }
    }

    fn fan_out(&self, group: GroupId) -> usize {
        self.by_id(group).map_or(1, |group| group.fan_out())
    }
}
