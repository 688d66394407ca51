//! Deadlocks that no server sees: one transaction waits on one group for another, and that one on another group for it.
//!
//! Each server knows who waits for whom among its own connections. While a statement of a transaction over several groups
//! lasts longer than a moment, its groups are asked, and the answers are joined by the connections that this proxy's
//! transactions hold. The groups do not answer in the same instant, so only a circle that is seen twice counts. Then the
//! youngest of it is interrupted, and its client is told what one server would say: 1213, rolled back.
//!
//! Where a wait leads to a connection that is not this proxy's, all groups are asked, and each proxy tells the others, in
//! the group where the wait is, which transaction its connections there belong to ([`crate::notice`]). All proxies then
//! see the same circle and agree on the youngest; the one whose it is interrupts it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::Rng as _;
use serval_remote::{Backend, RemoteError};
use serval_types::GroupId;

use crate::circle::{Wait, Waiter, circle};
use crate::coordinator::{Coordinator, Running};
use crate::gtrid::Gtrid;
use crate::notice::{Notice, Notices};
use crate::together::together;

/// Between two looks, at the least and at the most, while nobody is seen to wait, and while somebody is. Drawn anew each
/// time: MariaDB keeps what it shows of lock waits for as long as it is asked for more often than every 100 ms, so several
/// proxies must not come in step.
const LOOK: [u64; 2] = [200, 320];
const CLOSE_LOOK: [u64; 2] = [130, 250];
/// Shorter transactions are left alone: servers that are not in trouble are not to be asked.
const LASTS: Duration = Duration::from_millis(300);
/// How long a group may take to answer before it is left out of a look.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// ER_UNKNOWN_TABLE.
const UNKNOWN_TABLE: u16 = 1109;

const MARIADB: &str = "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w JOIN \
                       information_schema.INNODB_TRX r ON r.trx_id=w.requesting_trx_id JOIN \
                       information_schema.INNODB_TRX b ON b.trx_id=w.blocking_trx_id";
const MYSQL: &str = "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM performance_schema.data_lock_waits w JOIN \
                     information_schema.INNODB_TRX r ON r.trx_id=w.REQUESTING_ENGINE_TRANSACTION_ID JOIN \
                     information_schema.INNODB_TRX b ON b.trx_id=w.BLOCKING_ENGINE_TRANSACTION_ID";

/// What one look leaves for the next.
#[derive(Debug, Default)]
struct Looks {
    seen: BTreeSet<Wait>,
    /// A wait led out of this proxy.
    wide: bool,
    told: Notices,
}

impl Looks {
    fn pause(&self) -> Duration {
        let global = |wait: &Wait| matches!(wait.who, Waiter::Global(_));
        let [least, most] = if self.seen.iter().any(global) { CLOSE_LOOK } else { LOOK };
        Duration::from_millis(rand::rng().random_range(least..most))
    }
}

/// Which transactions of this proxy hold which connections.
type Holders = BTreeMap<(GroupId, u32), Gtrid>;

impl<B: Backend> Coordinator<B> {
    /// Looks for deadlocks until `stop`.
    pub async fn watch_locks(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut looks = Looks::default();
        loop {
            tokio::select! {
                () = tokio::time::sleep(looks.pause()) => {}
                () = &mut stop => return,
            }
            tokio::select! {
                () = self.look_at_locks(&mut looks) => {}
                () = &mut stop => return,
            }
        }
    }

    /// One look, and what follows from it.
    async fn look_at_locks(&self, looks: &mut Looks) {
        let holders = self.holders();
        let waits = if holders.is_empty() { BTreeSet::new() } else { self.waits(&holders, looks.wide).await };
        let lasting: BTreeSet<Wait> = waits.intersection(&looks.seen).cloned().collect();
        looks.wide = waits.iter().any(|wait| matches!(wait.who, Waiter::Global(_)))
            && waits.iter().any(Wait::has_stranger);
        looks.seen = waits;
        let mut ages = self.ages();
        if self.end(&lasting, &ages).await {
            return;
        }
        let strange = looks.wide && lasting.iter().any(Wait::has_stranger);
        let own = if strange { self.notices(&lasting, &ages) } else { Vec::new() };
        self.tell(own, &mut looks.told).await;
        if strange {
            let groups = lasting.iter().map(|wait| wait.at.0).collect();
            let others = self.told_by_others(&groups).await;
            ages.extend(others.values().map(|notice| (notice.gtrid.clone(), notice.since)));
            let names = others.into_iter().map(|(connection, notice)| (connection, notice.gtrid)).collect();
            let joined = lasting.iter().map(|wait| wait.named(&names)).collect();
            self.end(&joined, &ages).await;
        }
    }

    /// Ends a circle if there is one and its youngest transaction is this proxy's.
    async fn end(&self, waits: &BTreeSet<Wait>, ages: &BTreeMap<Gtrid, u64>) -> bool {
        let Some((gtrid, (group, thread))) = self.victim(&circle(waits), ages) else { return false };
        tracing::info!(%gtrid, "a deadlock over several groups is ended by rolling this transaction back");
        let killed = tokio::time::timeout(ANSWER, self.ask(group, &format!("KILL QUERY {thread}"))).await;
        if let Ok(Ok(Err(error))) = killed {
            tracing::debug!(%gtrid, %error, "it has ended meanwhile");
        }
        true
    }

    /// Who waits for whom on the groups of `holders`, or on all groups.
    async fn waits(&self, holders: &Holders, all: bool) -> BTreeSet<Wait> {
        let groups: BTreeSet<GroupId> = match all {
            true => self.catalog.load().groups.iter().map(|group| group.id).collect(),
            false => holders.keys().map(|(group, _)| *group).collect(),
        };
        let asked = groups.iter().map(|&group| tokio::time::timeout(ANSWER, self.lock_waits(group)));
        let answers = together(asked).await;
        let mut waits = BTreeSet::new();
        for (&group, answer) in groups.iter().zip(answers) {
            let pairs = match answer {
                Ok(Ok(pairs)) => pairs,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a group was not asked for its lock waits");
                    continue;
                }
                Err(_) => continue,
            };
            let waiter = |thread: u32| match holders.get(&(group, thread)) {
                Some(gtrid) => Waiter::Global(gtrid.clone()),
                None => Waiter::Connection(group, thread),
            };
            waits.extend(pairs.into_iter().map(|(who, whom)| Wait {
                who: waiter(who),
                whom: waiter(whom),
                at: (group, who),
            }));
        }
        waits
    }

    /// The connections of transactions that have lasted and of which a statement runs: any other waits for nobody.
    fn holders(&self) -> Holders {
        let running = self.running.lock();
        let lasting = running
            .iter()
            .filter(|(_, running)| running.begun.elapsed() >= LASTS && !running.victim && running.is_busy());
        let connections = lasting.flat_map(|(gtrid, running)| {
            let thread = |(group, thread): &(GroupId, std::sync::Weak<_>)| {
                let thread: Arc<std::sync::atomic::AtomicU32> = thread.upgrade()?;
                Some(((*group, thread.load(Ordering::Relaxed)), gtrid.clone()))
            };
            running.connections.iter().filter_map(thread).collect::<Vec<_>>()
        });
        connections.collect()
    }

    fn ages(&self) -> BTreeMap<Gtrid, u64> {
        self.running.lock().iter().map(|(gtrid, running)| (gtrid.clone(), running.since)).collect()
    }

    /// What the others have to know of this proxy's part in `waits`.
    fn notices(&self, waits: &BTreeSet<Wait>, ages: &BTreeMap<Gtrid, u64>) -> Vec<Notice> {
        let running = self.running.lock();
        let concerned = |wait: &Wait| {
            let (group, _) = wait.at;
            let gtrids = [&wait.who, &wait.whom].into_iter().filter_map(|waiter| match waiter {
                Waiter::Global(gtrid) => Some(gtrid.clone()),
                Waiter::Connection(..) => None,
            });
            let notices = gtrids.filter_map(|gtrid| {
                let thread = running.get(&gtrid)?.thread_on(group)?;
                Some(Notice { group, thread, since: *ages.get(&gtrid)?, gtrid })
            });
            notices.collect::<Vec<_>>()
        };
        waits.iter().flat_map(concerned).collect()
    }

    async fn lock_waits(&self, group: GroupId) -> Result<Vec<(u32, u32)>, RemoteError> {
        let known = self.mysql.lock().contains(&group);
        let mut answer = self.ask(group, if known { MYSQL } else { MARIADB }).await?;
        if !known && answer.as_ref().is_err_and(|error| error.number == UNKNOWN_TABLE) {
            self.mysql.lock().insert(group);
            answer = self.ask(group, MYSQL).await?;
        }
        let rows = answer.map_err(RemoteError::Refused)?;
        let thread = |cell: &Option<String>| cell.as_deref().and_then(|cell| cell.parse().ok());
        Ok(rows.iter().filter_map(|row| Some((thread(row.first()?)?, thread(row.get(1)?)?))).collect())
    }

    /// The youngest transaction of a circle, if it is this proxy's, and the connection on which it waits.
    fn victim(&self, circle: &[Wait], ages: &BTreeMap<Gtrid, u64>) -> Option<(Gtrid, (GroupId, u32))> {
        let globals = circle.iter().filter_map(|wait| match &wait.who {
            Waiter::Global(gtrid) => Some((*ages.get(gtrid)?, gtrid, wait.at)),
            Waiter::Connection(..) => None,
        });
        let (_, gtrid, at) = globals.max()?;
        self.running.lock().get_mut(gtrid)?.victim = true;
        Some((gtrid.clone(), at))
    }
}

impl Running {
    /// Whether a connection is lent: its participant and its borrower hold one half each.
    fn is_busy(&self) -> bool {
        self.connections.iter().any(|(_, loan)| loan.strong_count() > 1)
    }

    fn thread_on(&self, group: GroupId) -> Option<u32> {
        let (_, loan) = self.connections.iter().find(|(joined, _)| *joined == group)?;
        Some(loan.upgrade()?.load(Ordering::Relaxed))
    }
}
