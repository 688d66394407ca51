//! What all transactions of a proxy share: the identities of groups, names, and which of them are under way.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serval_catalog::Catalog;
use serval_remote::{Backend, RemoteError};
use serval_types::GroupId;
use tokio::sync::Notify;

use crate::barrier::Barriers;
use crate::branch::Branch;
use crate::global::{Boxed, Decisions};
use crate::gtrid::{Gtrid, Names};
use crate::identity::{self, Identity};
use crate::loss::{Kept, Loss, Memory};
use crate::metric;
use crate::record::{self, Verdict};
use crate::recovery::Doubt;

/// How long a question of the coordinator's own waits for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The proxy's part in transactions over several groups. One for the life of the proxy; sessions'
/// [`Transaction`](crate::Transaction)s hold on to it, and its recovery finishes what they left.
pub struct Coordinator<B: Backend> {
    pub(crate) backend: Arc<B>,
    pub(crate) catalog: Arc<ArcSwap<Catalog>>,
    pub(crate) names: Names,
    /// Where each group keeps the records of this proxy.
    identities: Mutex<HashMap<GroupId, Arc<Identity>>>,
    /// Whose UUIDs are whose, of all that were ever seen.
    pub(crate) places: Mutex<HashMap<Box<str>, Arc<Identity>>>,
    /// Transactions that a session of this proxy is busy with.
    pub(crate) running: Mutex<HashMap<Gtrid, Running>>,
    /// Branches that were found on the groups.
    pub(crate) doubts: Mutex<BTreeMap<(GroupId, Branch), Doubt>>,
    /// A session has left something behind.
    pub(crate) wake: Notify,
    /// When old records were last looked for.
    pub(crate) swept: Mutex<Option<Instant>>,
    /// Groups whose lock waits are asked for in MySQL's way.
    pub(crate) mysql: Mutex<HashSet<GroupId>>,
    /// What was decided lately, to be missed after a failover.
    pub(crate) memories: Mutex<HashMap<GroupId, Memory>>,
    /// What a failover has lost.
    pub(crate) losses: Mutex<BTreeMap<Gtrid, Loss>>,
    /// Branches of committed transactions that have yet to be told, and since when.
    pub(crate) owing: Mutex<HashMap<(GroupId, Branch), Instant>>,
    barriers: Barriers,
}

/// A transaction that a session is busy with.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) begun: Instant,
    /// The same by the clock, in milliseconds: proxies compare it.
    pub(crate) since: u64,
    /// Its connections, as long as it has them.
    pub(crate) connections: Vec<(GroupId, Weak<AtomicU32>)>,
    /// It was chosen to end a deadlock.
    pub(crate) victim: bool,
}

impl<B: Backend> Coordinator<B> {
    /// A coordinator over `backend`. It asks nothing until there is something to do.
    #[must_use]
    pub fn new(backend: Arc<B>, catalog: Arc<ArcSwap<Catalog>>) -> Arc<Self> {
        metric::describe();
        Arc::new(Self {
            backend,
            catalog,
            names: Names::new(),
            identities: Mutex::default(),
            places: Mutex::default(),
            running: Mutex::default(),
            doubts: Mutex::default(),
            wake: Notify::new(),
            swept: Mutex::default(),
            mysql: Mutex::default(),
            memories: Mutex::default(),
            losses: Mutex::default(),
            owing: Mutex::default(),
            barriers: Barriers::default(),
        })
    }

    /// Whether a group lacks rows of a transaction that has been committed here, until recovery has told it: what other
    /// groups hold too is better not read there.
    #[must_use]
    pub fn owes(&self, group: GroupId) -> bool {
        self.owing.lock().keys().any(|(owing, _)| *owing == group)
    }

    /// Where a group keeps its records; made where there is no such place yet.
    pub(crate) async fn identify(&self, group: GroupId) -> Result<Arc<Identity>, RemoteError> {
        if let Some(known) = self.identities.lock().get(&group) {
            return Ok(Arc::clone(known));
        }
        let catalog = self.catalog.load_full();
        let deadline = Instant::now() + PATIENCE;
        let found = identity::find_or_make(&*self.backend, &catalog, group, deadline).await?;
        let found = Arc::new(found);
        self.learn(&found);
        self.identities.lock().insert(group, Arc::clone(&found));
        Ok(found)
    }

    /// Where a UUID's records are; asks all groups if nobody knows.
    pub(crate) async fn place(&self, uuid: &str) -> Option<Arc<Identity>> {
        if let Some(known) = self.places.lock().get(uuid) {
            return Some(Arc::clone(known));
        }
        let catalog = self.catalog.load_full();
        for group in &catalog.groups {
            let deadline = Instant::now() + PATIENCE;
            match identity::find(&*self.backend, &catalog, group.id, deadline).await {
                Ok(found) => found.into_iter().for_each(|identity| self.learn(&Arc::new(identity))),
                Err(error) => tracing::debug!(group = group.name, %error, "the group's UUID is not known"),
            }
        }
        self.places.lock().get(uuid).cloned()
    }

    fn learn(&self, identity: &Arc<Identity>) {
        let before = self.places.lock().insert(identity.uuid.clone(), Arc::clone(identity));
        if let Some(before) = before.filter(|before| before.group != identity.group) {
            let name = |group: GroupId| {
                let catalog = self.catalog.load();
                catalog.group_with(group).map_or_else(String::new, |group| group.name.clone())
            };
            tracing::error!(
                one = name(before.group),
                other = name(identity.group),
                "two groups say that they are the same one, perhaps because one is a copy of the other: delete the row \
                 of serval_group in the copy"
            );
        }
    }

    /// What was decided, durably; `wanted`, if nothing was.
    pub(crate) async fn settle(
        &self,
        place: &Identity,
        gtrid: &Gtrid,
        wanted: Verdict,
        limit: Duration,
    ) -> Result<Verdict, RemoteError> {
        let verdict = record::decide(&*self.backend, place, gtrid, wanted, limit).await?;
        if verdict == Verdict::Commit {
            // A record can be seen before a replica has it.
            self.pass_barrier(place.group).await?;
        }
        Ok(verdict)
    }

    async fn pass_barrier(&self, group: GroupId) -> Result<bool, RemoteError> {
        self.barriers.pass(&*self.backend, self.identify(group), group).await
    }

    /// Forgets where a group keeps its records, because they are no longer there.
    pub(crate) fn mistake(&self, group: GroupId) {
        self.identities.lock().remove(&group);
    }
}

impl<B: Backend> Decisions for Coordinator<B> {
    fn identity(&self, group: GroupId) -> Boxed<'_, Result<Arc<Identity>, RemoteError>> {
        Box::pin(self.identify(group))
    }

    fn name(&self, uuid: &str) -> Gtrid {
        let gtrid = self.names.make(uuid);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = u64::try_from(now.as_millis()).unwrap_or(0);
        let running = Running { begun: Instant::now(), since, connections: Vec::new(), victim: false };
        self.running.lock().insert(gtrid.clone(), running);
        gtrid
    }

    fn may_follow(&self, group: GroupId) -> bool {
        self.catalog.load().group_with(group).is_none_or(|group| group.xa)
    }

    fn joined(&self, gtrid: &Gtrid, group: GroupId, connection: &Arc<AtomicU32>) {
        if let Some(running) = self.running.lock().get_mut(gtrid) {
            running.connections.push((group, Arc::downgrade(connection)));
        }
    }

    fn is_victim(&self, gtrid: &Gtrid) -> bool {
        self.running.lock().get(gtrid).is_some_and(|running| running.victim)
    }

    fn barrier(&self, group: GroupId) -> Boxed<'_, Result<bool, RemoteError>> {
        Box::pin(self.pass_barrier(group))
    }

    fn decide<'a>(
        &'a self,
        place: &'a Identity,
        gtrid: &'a Gtrid,
        wanted: Verdict,
        limit: Duration,
    ) -> Boxed<'a, Result<Verdict, RemoteError>> {
        Box::pin(self.settle(place, gtrid, wanted, limit))
    }

    fn forget(&self, gtrid: &Gtrid, left: bool) {
        self.running.lock().remove(gtrid);
        if left {
            self.wake.notify_one();
        }
    }

    fn kept(&self, gtrid: &Gtrid, parts: Vec<(GroupId, Kept)>) {
        let now = Instant::now();
        let unfinished = parts.iter().filter_map(|(group, kept)| match kept {
            Kept::Branch { branch, finished: false, .. } => Some(((*group, branch.clone()), now)),
            Kept::Branch { .. } | Kept::Record(_) => None,
        });
        self.owing.lock().extend(unfinished);
        self.remember(gtrid, parts);
    }

    fn missing(&self, group: GroupId) {
        self.mistake(group);
    }

    fn count(&self, known: bool) {
        metric::count_commit(known);
    }
}

impl<B: Backend> fmt::Debug for Coordinator<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordinator").field("running", &self.running.lock().len()).finish_non_exhaustive()
    }
}
