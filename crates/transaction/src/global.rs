//! What a transaction over several groups holds beside its participants: its name, and the right not to be recovered.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use serval_remote::RemoteError;
use serval_types::GroupId;

use crate::gtrid::Gtrid;
use crate::identity::Identity;
use crate::loss::Kept;
use crate::record::Verdict;

/// A future behind a pointer.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a session's transaction asks of the proxy's [`Coordinator`](crate::Coordinator). A session's connections are of
/// another type than the coordinator's own, hence a trait.
pub(crate) trait Decisions: Send + Sync {
    /// Where `group` keeps its records.
    fn identity(&self, group: GroupId) -> Boxed<'_, Result<Arc<Identity>, RemoteError>>;
    /// A new name, which recovery leaves alone until [`Decisions::forget`].
    fn name(&self, uuid: &str) -> Gtrid;
    /// Whether `group` may come into a transaction that has begun on another.
    fn may_follow(&self, group: GroupId) -> bool;
    /// A group has joined on this connection.
    fn joined(&self, gtrid: &Gtrid, group: GroupId, connection: &Arc<AtomicU32>);
    /// Whether the transaction was chosen to end a deadlock.
    fn is_victim(&self, gtrid: &Gtrid) -> bool;
    /// Returns when what `group` has prepared so far is as durable as a commit there, and whether a replica has it too.
    fn barrier(&self, group: GroupId) -> Boxed<'_, Result<bool, RemoteError>>;
    /// What was decided; `wanted`, if nothing was.
    fn decide<'a>(
        &'a self,
        place: &'a Identity,
        gtrid: &'a Gtrid,
        wanted: Verdict,
        limit: Duration,
    ) -> Boxed<'a, Result<Verdict, RemoteError>>;
    /// The transaction is over for its session; `left` says that branches may be left to recovery.
    fn forget(&self, gtrid: &Gtrid, left: bool);
    /// The transaction is committed; a failover must not lose what its groups keep of it.
    fn kept(&self, gtrid: &Gtrid, parts: Vec<(GroupId, Kept)>);
    /// The group's records are not where they were.
    fn missing(&self, group: GroupId);
    /// Counts a two-phase commit, and whether its client was told the outcome.
    fn count(&self, known: bool);
}

/// The part of a transaction that only exists once a second group has joined.
pub(crate) struct Global {
    pub(crate) gtrid: Gtrid,
    /// The first participant's.
    pub(crate) place: Arc<Identity>,
    pub(crate) decisions: Arc<dyn Decisions>,
    /// Branches may be prepared on servers.
    left: bool,
}

impl Global {
    /// A name under the group that is the first participant.
    pub(crate) async fn begin(decisions: &Arc<dyn Decisions>, first: GroupId) -> Result<Self, RemoteError> {
        let place = decisions.identity(first).await?;
        let gtrid = decisions.name(&place.uuid);
        Ok(Self { gtrid, place, decisions: Arc::clone(decisions), left: false })
    }

    /// From here on a session that goes away leaves work to recovery.
    pub(crate) fn prepares(&mut self) {
        self.left = true;
    }

    /// Every branch is finished.
    pub(crate) fn is_finished(&mut self) {
        self.left = false;
    }
}

impl Drop for Global {
    fn drop(&mut self) {
        self.decisions.forget(&self.gtrid, self.left);
    }
}

impl fmt::Debug for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Global").field("gtrid", &self.gtrid).field("left", &self.left).finish_non_exhaustive()
    }
}
