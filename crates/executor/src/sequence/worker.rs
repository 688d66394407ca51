//! The lease of a worker: a row of `serval_worker` in a node's database.
//!
//! A row says who has the worker, until when by the server's clock, and the horizon of its numbers. A proxy takes a
//! worker whose lease is over, or a new one, and renews the lease while it takes numbers. One that comes too late to
//! renew, because it was asleep or cut off, has not given a number beyond its horizon; it takes another worker.

use std::time::Instant;

use serval_catalog::{Catalog, DataNode, Sequence};
use serval_remote::{Access, Backend, Connection, Request, SessionState};

use super::snowflake::{Snowflake, WORKERS};
use crate::error::ExecuteError;
use crate::query_rows::{CONNECTION_WAIT, Row, ask};

/// How long a lease lasts, and how far its horizon is ahead, in seconds.
pub(super) const LEASE: u64 = 60;
/// A lease that has less left is renewed with the next statement.
pub(super) const RENEW: u64 = 20;
/// How often to try again after losing to another proxy.
const ATTEMPTS: usize = 8;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS `serval_worker` (`worker` INT UNSIGNED NOT NULL PRIMARY KEY, `owner` \
                      VARCHAR(64) NOT NULL, `expires` BIGINT UNSIGNED NOT NULL, `horizon` BIGINT UNSIGNED NOT NULL) \
                      ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

/// Who asks for a lease, and where leases are kept.
pub(super) struct Leases<'a, B: Backend> {
    pub(super) backend: &'a B,
    pub(super) catalog: &'a Catalog,
    pub(super) sequence: &'a Sequence,
    /// A name that no other process has; letters and digits.
    pub(super) owner: &'a str,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lease {
    worker: u64,
    horizon: u64,
    over: bool,
}

impl<B: Backend> Leases<'_, B> {
    /// Takes a worker. `now` is in [seconds](super::snowflake::seconds).
    pub(super) async fn take(&self, now: u64) -> Result<Snowflake, ExecuteError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.try_take(now).await {
                Err(ExecuteError::Server(error)) if error.number == 1146 => {
                    drop(self.outside(CREATE).await?);
                }
                // Another proxy was faster; whatever it took, the next try sees.
                Err(ExecuteError::Server(error)) if matches!(error.number, 1062 | 1205 | 1213) => {
                    last = Some(ExecuteError::Server(error));
                }
                outcome => return outcome,
            }
        }
        Err(last.unwrap_or_else(none_free))
    }

    /// Extends the lease up to `horizon`; `false` where somebody else has the worker by now.
    pub(super) async fn renew(&self, worker: u64, horizon: u64) -> Result<bool, ExecuteError> {
        let owner = self.owner;
        let update = format!(
            "UPDATE `serval_worker` SET `expires`=UNIX_TIMESTAMP()+{LEASE}, `horizon`={horizon} WHERE `worker`={worker} \
             AND `owner`='{owner}' AND `horizon`<={horizon}"
        );
        self.outside(&update).await?;
        // Affected rows do not tell a lease that says so already from one that is another's.
        let select = format!(
            "SELECT `worker` FROM `serval_worker` WHERE `worker`={worker} AND `owner`='{owner}' AND `horizon`={horizon}"
        );
        Ok(!self.outside(&select).await?.is_empty())
    }

    async fn try_take(&self, now: u64) -> Result<Snowflake, ExecuteError> {
        let node = self.node();
        let state = SessionState::default();
        let deadline = Instant::now() + CONNECTION_WAIT;
        let mut connection = self.backend.acquire(node.group, Access::Primary, &state, deadline).await?;
        let mut run = Run { connection: &mut connection, database: &node.database, state: &state };
        let taken = self.in_transaction(&mut run, now).await;
        let ended = run.ask(None, if taken.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
        let taken = taken?;
        ended?;
        Ok(taken)
    }

    async fn in_transaction<C: Connection>(
        &self,
        run: &mut Run<'_, C>,
        now: u64,
    ) -> Result<Snowflake, ExecuteError> {
        let select = "SELECT `worker`, `horizon`, `expires`<UNIX_TIMESTAMP() FROM `serval_worker` ORDER BY `worker` FOR \
                      UPDATE";
        let rows = run.ask(Some("START TRANSACTION"), select).await?;
        let leases: Vec<Lease> = rows.iter().map(|row| lease(row)).collect::<Result<_, _>>()?;
        let chosen = choose(&leases, now).ok_or_else(none_free)?;
        let begin = now.max(chosen.horizon);
        let (worker, owner, horizon) = (chosen.worker, self.owner, begin + LEASE);
        run.ask(
            None,
            &format!(
                "REPLACE INTO `serval_worker` (`worker`, `owner`, `expires`, `horizon`) VALUES ({worker}, '{owner}', \
                 UNIX_TIMESTAMP()+{LEASE}, {horizon})"
            ),
        )
        .await?;
        Ok(Snowflake::new(worker, begin, horizon))
    }

    async fn outside(&self, sql: &str) -> Result<Vec<Row>, ExecuteError> {
        let node = self.node();
        crate::query_rows(self.backend, node.group, Some(&node.database), sql).await
    }

    fn node(&self) -> &DataNode {
        self.catalog.node(self.sequence.node)
    }
}

/// The worker to take: one whose lease is over and whose numbers are not ahead of the clock, or one that nobody has had
/// yet, or the one that is least ahead.
fn choose(leases: &[Lease], now: u64) -> Option<Lease> {
    let free = leases.iter().filter(|lease| lease.over).min_by_key(|lease| lease.horizon).copied();
    if let Some(free) = free.filter(|free| free.horizon <= now + LEASE) {
        return Some(free);
    }
    let unused = (0..WORKERS).find(|worker| leases.iter().all(|lease| lease.worker != *worker));
    unused.map(|worker| Lease { worker, horizon: 0, over: true }).or(free)
}

fn lease(row: &[Option<Vec<u8>>]) -> Result<Lease, ExecuteError> {
    let cell =
        |at: usize| -> Option<u64> { std::str::from_utf8(row.get(at)?.as_deref()?).ok()?.parse().ok() };
    let read = || Some(Lease { worker: cell(0)?, horizon: cell(1)?, over: cell(2)? != 0 });
    read().ok_or_else(|| ExecuteError::malformed("a node", "lease of a worker"))
}

fn none_free() -> ExecuteError {
    super::not_read(&format!("all {WORKERS} workers of serval_worker are leased"))
}

/// A connection in the leases' database.
struct Run<'a, C> {
    connection: &'a mut C,
    database: &'a str,
    state: &'a SessionState,
}

impl<C: Connection> Run<'_, C> {
    async fn ask(&mut self, begin: Option<&str>, sql: &str) -> Result<Vec<Row>, ExecuteError> {
        let request = Request {
            database: Some(self.database),
            state: self.state,
            begin,
            sql: sql.as_bytes(),
            execution: None,
        };
        ask(self.connection, &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(worker: u64, horizon: u64, over: bool) -> Lease {
        Lease { worker, horizon, over }
    }

    #[test]
    fn a_lease_that_is_over_is_taken_again() {
        let leases = [lease(0, 500, false), lease(1, 400, true), lease(2, 300, true)];
        assert_eq!(choose(&leases, 1000), Some(lease(2, 300, true)));
    }

    #[test]
    fn a_new_worker_is_better_than_one_that_is_ahead_of_the_clock() {
        let leases = [lease(0, 900, false), lease(1, 5000, true)];
        assert_eq!(choose(&leases, 1000), Some(lease(2, 0, true)));
        assert_eq!(choose(&[], 1000), Some(lease(0, 0, true)));
    }

    #[test]
    fn when_all_are_taken_there_is_none() {
        let mut leases: Vec<Lease> = (0..WORKERS).map(|worker| lease(worker, 900, false)).collect();
        assert_eq!(choose(&leases, 1000), None);
        leases[7] = lease(7, 5000, true);
        assert_eq!(choose(&leases, 1000), Some(lease(7, 5000, true)));
    }
}
