//! Deadlocks that no server sees: one transaction waits on one group for another, and that one on another group for it.
//!
//! Each server knows who waits for whom among its own connections. While transactions over several groups last longer than
//! a moment, their groups are asked, and the answers are joined by the connections that this proxy's transactions hold.
//! The groups do not answer in the same instant, so only a circle that is seen twice counts. Then the youngest of it is
//! interrupted, and its client is told what one server would say: 1213, rolled back.
//!
//! A circle that leads through another proxy's transaction is not seen; the servers' `innodb_lock_wait_timeout` ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_types::GroupId;

use crate::coordinator::{Coordinator, PATIENCE};
use crate::exchange::ask;
use crate::gtrid::Gtrid;
use crate::together::together;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(400);
/// Shorter transactions are left alone: servers that are not in trouble are not to be asked.
const LASTS: Duration = Duration::from_millis(400);
/// ER_UNKNOWN_TABLE.
const UNKNOWN_TABLE: u16 = 1109;

const MARIADB: &str = "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w JOIN \
                       information_schema.INNODB_TRX r ON r.trx_id=w.requesting_trx_id JOIN \
                       information_schema.INNODB_TRX b ON b.trx_id=w.blocking_trx_id";
const MYSQL: &str = "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM performance_schema.data_lock_waits w JOIN \
                     information_schema.INNODB_TRX r ON r.trx_id=w.REQUESTING_ENGINE_TRANSACTION_ID JOIN \
                     information_schema.INNODB_TRX b ON b.trx_id=w.BLOCKING_ENGINE_TRANSACTION_ID";

/// Somebody who waits or is waited for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Waiter {
    /// A transaction of this proxy over several groups.
    Global(Gtrid),
    /// Any other connection.
    Connection(GroupId, u32),
}

/// One waits for the other, on a connection of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wait {
    who: Waiter,
    whom: Waiter,
    at: (GroupId, u32),
}

impl<B: Backend> Coordinator<B> {
    /// Looks for deadlocks until `stop`.
    pub async fn watch_locks(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut before = BTreeSet::new();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = &mut stop => return,
            }
            before = tokio::select! {
                waits = self.look_at_locks(&before) => waits,
                () = &mut stop => return,
            };
        }
    }

    /// One look; the waits that were found.
    async fn look_at_locks(&self, before: &BTreeSet<Wait>) -> BTreeSet<Wait> {
        let holders = self.holders();
        let transactions: BTreeSet<&Gtrid> = holders.values().collect();
        if transactions.len() < 2 {
            return BTreeSet::new();
        }
        let groups: BTreeSet<GroupId> = holders.keys().map(|(group, _)| *group).collect();
        let answers = together(groups.iter().map(|&group| self.lock_waits(group))).await;
        let mut waits = BTreeSet::new();
        for (&group, answer) in groups.iter().zip(answers) {
            let pairs = answer.unwrap_or_else(|error| {
                tracing::debug!(%error, "a group was not asked for its lock waits");
                Vec::new()
            });
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
        let lasting: BTreeSet<Wait> = waits.intersection(before).cloned().collect();
        if let Some((gtrid, (group, thread))) = self.victim(&circle(&lasting)) {
            self.interrupt(&gtrid, group, thread).await;
        }
        waits
    }

    /// The connections of transactions that have lasted.
    fn holders(&self) -> BTreeMap<(GroupId, u32), Gtrid> {
        let running = self.running.lock();
        let lasting =
            running.iter().filter(|(_, running)| running.begun.elapsed() >= LASTS && !running.victim);
        let connections = lasting.flat_map(|(gtrid, running)| {
            let thread = |(group, thread): &(GroupId, std::sync::Weak<_>)| {
                let thread: Arc<std::sync::atomic::AtomicU32> = thread.upgrade()?;
                Some(((*group, thread.load(Ordering::Relaxed)), gtrid.clone()))
            };
            running.connections.iter().filter_map(thread).collect::<Vec<_>>()
        });
        connections.collect()
    }

    async fn lock_waits(&self, group: GroupId) -> Result<Vec<(u32, u32)>, RemoteError> {
        let state = SessionState::default();
        let mut connection =
            self.backend.acquire(group, Access::Primary, &state, Instant::now() + PATIENCE).await?;
        let known = self.mysql.lock().contains(&group);
        let question = if known { MYSQL } else { MARIADB };
        let limit = tokio::time::timeout(PATIENCE, ask(&mut connection, &state, question)).await;
        let Ok(answer) = limit else { return Ok(Vec::new()) };
        let rows = match answer? {
            Ok(rows) => rows,
            Err(error) if error.number == UNKNOWN_TABLE && !known => {
                self.mysql.lock().insert(group);
                return Ok(Vec::new());
            }
            Err(error) => return Err(RemoteError::Refused(error)),
        };
        let thread = |cell: &Option<String>| cell.as_deref().and_then(|cell| cell.parse().ok());
        Ok(rows.iter().filter_map(|row| Some((thread(row.first()?)?, thread(row.get(1)?)?))).collect())
    }

    /// The youngest transaction of a circle, and the connection on which it waits.
    fn victim(&self, circle: &[Wait]) -> Option<(Gtrid, (GroupId, u32))> {
        let mut running = self.running.lock();
        let globals = circle.iter().filter_map(|wait| match &wait.who {
            Waiter::Global(gtrid) => Some((running.get(gtrid)?.begun, gtrid.clone(), wait.at)),
            Waiter::Connection(..) => None,
        });
        let (_, gtrid, at) = globals.max_by_key(|(begun, gtrid, _)| (*begun, gtrid.clone()))?;
        running.get_mut(&gtrid)?.victim = true;
        Some((gtrid, at))
    }

    async fn interrupt(&self, gtrid: &Gtrid, group: GroupId, thread: u32) {
        tracing::info!(%gtrid, "a deadlock over several groups is ended by rolling this transaction back");
        let state = SessionState::default();
        let deadline = Instant::now() + PATIENCE;
        let killed = async {
            let mut connection = self.backend.acquire(group, Access::Primary, &state, deadline).await?;
            ask(&mut connection, &state, &format!("KILL QUERY {thread}")).await
        };
        if let Ok(Err(error)) = killed.await {
            tracing::debug!(%gtrid, %error, "the waiting statement was not interrupted");
        }
    }
}

/// The waits of one circle; empty where there is none.
fn circle(waits: &BTreeSet<Wait>) -> Vec<Wait> {
    waits
        .iter()
        .find_map(|wait| way_back(waits, vec![wait.clone()], &mut BTreeSet::new()))
        .unwrap_or_default()
}

/// Continues a way until it is where it began.
fn way_back(waits: &BTreeSet<Wait>, way: Vec<Wait>, seen: &mut BTreeSet<Waiter>) -> Option<Vec<Wait>> {
    let (first, last) = (way.first()?.who.clone(), way.last()?.whom.clone());
    if first == last {
        return Some(way);
    }
    if !seen.insert(last.clone()) {
        return None;
    }
    let onward = waits.iter().filter(|wait| wait.who == last);
    onward.into_iter().find_map(|wait| {
        let longer = way.iter().cloned().chain([wait.clone()]).collect();
        way_back(waits, longer, seen)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(who: u32, whom: u32) -> Wait {
        let waiter = |thread| Waiter::Connection(GroupId(0), thread);
        Wait { who: waiter(who), whom: waiter(whom), at: (GroupId(0), who) }
    }

    #[test]
    fn circles_are_found_among_queues() {
        assert!(circle(&[wait(1, 2), wait(2, 3), wait(4, 2)].into()).is_empty());
        let found = circle(&[wait(1, 2), wait(2, 3), wait(3, 4), wait(4, 2), wait(5, 1)].into());
        assert_eq!(found.iter().map(|wait| wait.at.1).collect::<BTreeSet<_>>(), [2, 3, 4].into());
        assert_eq!(circle(&[wait(7, 7)].into()).len(), 1);
    }
}
