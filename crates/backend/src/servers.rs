//! All servers behind the proxy: [`Servers`], the real [`Backend`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use serval_catalog::{self as catalog, Catalog, Settings};
use serval_remote::{Access, Backend, Engines, RemoteError, SessionState};
use serval_types::GroupId;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::ServerConnection;
use crate::engine::EnginePools;
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
    groups: ArcSwap<Groups>,
    /// The scratch server's, where the catalog has one.
    scratch: ArcSwapOption<Group>,
    /// Servers of other kinds.
    engines: EnginePools,
    timing: Timing,
    background: Background,
    /// Held while a catalog is applied, so that two reloads follow each other.
    reload: Mutex<()>,
}

/// The groups of one config, and those of earlier ones that somebody may still use.
#[derive(Debug, Default)]
struct Groups {
    /// In the order of the config.
    configured: Vec<Arc<Group>>,
    /// By [`GroupId`]; those that the config no longer has are still here until [`Servers::retire`].
    by_id: Vec<Option<Arc<Group>>>,
}

impl Groups {
    fn of(&self, id: GroupId) -> Option<&Arc<Group>> {
        self.by_id.get(usize::from(id.0))?.as_ref()
    }

    /// Whether the config has it.
    fn is_configured(&self, group: &Arc<Group>) -> bool {
        self.configured.iter().any(|configured| Arc::ptr_eq(configured, group))
    }

    fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.by_id.iter().flatten().flat_map(|group| &group.members).map(|member| &member.server)
    }

    fn has(&self, server: &Arc<Server>) -> bool {
        self.servers().any(|known| Arc::ptr_eq(known, server))
    }

    fn put(&mut self, id: GroupId, group: Option<Arc<Group>>) {
        let place = usize::from(id.0);
        if self.by_id.len() <= place {
            self.by_id.resize(place + 1, None);
        }
        self.by_id[place] = group;
    }
}

/// Why a reload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    /// It would give a group's id to another group, while statements planned before still use it.
    #[error("group {new} would take the id of group {old}, which is still in use")]
    Reordered {
        /// The group that has the id now.
        old: String,
        /// The group that would have it.
        new: String,
    },
    /// An engine's authorities cannot be used.
    #[error("engine {engine}: {error}")]
    Engine {
        /// The engine.
        engine: String,
        /// What is wrong with them.
        error: TlsError,
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
        servers.engines.replace(catalog);
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
            groups: ArcSwap::from_pointee(Groups::default()),
            scratch: ArcSwapOption::empty(),
            engines: EnginePools::default(),
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
        for engine in catalog.engines.engines.values() {
            let tls = check_tls(&engine.tls);
            tls.map_err(|error| NotApplied::Engine { engine: engine.name.clone(), error })?;
        }
        self.apply_groups(&catalog.groups, &catalog.settings)?;
        self.replace_scratch(catalog);
        self.engines.replace(catalog);
        Ok(())
    }

    /// [`Servers::apply`] for groups without a catalog.
    ///
    /// # Errors
    /// [`NotApplied`], and nothing is changed.
    pub fn apply_groups(&self, groups: &[catalog::Group], settings: &Settings) -> Result<(), NotApplied> {
        let _one_at_a_time = self.reload.lock();
        let known = self.groups.load();
        for new in groups {
            if let Some(old) = known.of(new.id).filter(|old| old.name != new.name) {
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
        let all = groups.configured.iter().chain(scratch.iter());
        all.flat_map(|group| &group.members).map(ServerStatus::of).collect()
    }

    /// The lowest version among the servers that have been reached, of the first one's flavour (MySQL's and MariaDB's
    /// numbers mean different things), as `VERSION()` says it.
    #[must_use]
    pub fn lowest_version(&self) -> Option<String> {
        let groups = self.groups.load();
        let members = groups.configured.iter().flat_map(|group| &group.members);
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
        for member in groups.by_id.iter().flatten().chain(scratch.iter()).flat_map(|group| &group.members) {
            member.server.pool.clear();
        }
    }

    /// The groups that a reload took out of the config and that are still served, for those who began before.
    #[must_use]
    pub fn leaving(&self) -> Vec<GroupId> {
        let groups = self.groups.load();
        let ids = groups.by_id.iter().enumerate().filter_map(|(id, group)| Some((id, group.as_ref()?)));
        let ids = ids.filter(|(_, group)| !groups.is_configured(group));
        ids.filter_map(|(id, _)| u16::try_from(id).ok().map(GroupId)).collect()
    }

    /// Whether nobody has a connection of this group.
    #[must_use]
    pub fn is_idle(&self, id: GroupId) -> bool {
        let groups = self.groups.load();
        groups.of(id).is_none_or(|group| group.members.iter().all(|member| member.server.pool.used() == 0))
    }

    /// Closes a group that the config no longer has. Nobody may ask for it any more.
    pub fn retire(&self, id: GroupId) {
        let _one_at_a_time = self.reload.lock();
        let before = self.groups.load_full();
        let Some(gone) = before.of(id).filter(|group| !before.is_configured(group)) else { return };
        let mut groups = Groups { configured: before.configured.clone(), by_id: before.by_id.clone() };
        groups.put(id, None);
        let unused = gone.members.iter().map(|member| &member.server).filter(|server| !groups.has(server));
        let unused: Vec<Arc<Server>> = unused.cloned().collect();
        self.groups.store(Arc::new(groups));
        unused.iter().for_each(|server| server.retire());
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

    /// Takes these groups over. Those that are no longer among them serve on until [`Servers::retire`].
    fn replace(&self, configured: &[catalog::Group], settings: &Settings) {
        let before = self.groups.load_full();
        let known: Vec<&Arc<Server>> = before.servers().collect();
        let mut groups = Groups { configured: Vec::new(), by_id: before.by_id.clone() };
        for group in configured {
            let made = Arc::new(self.group(group, settings, &known));
            groups.put(group.id, Some(Arc::clone(&made)));
            groups.configured.push(made);
        }
        let gone: Vec<&Arc<Server>> = known.into_iter().filter(|server| !groups.has(server)).collect();
        let groups = Arc::new(groups);
        self.groups.store(groups);
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
            id => self.groups.load().of(id).cloned(),
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

    fn is_available(&self, group: GroupId, access: Access) -> bool {
        match group {
            GroupId::SCRATCH => true,
            id => self.groups.load().of(id).is_some_and(|group| group.is_available(access)),
        }
    }

    fn engines(&self) -> Option<&dyn Engines> {
        Some(&self.engines)
    }
}
