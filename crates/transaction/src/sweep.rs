//! Old records go.
//!
//! A record is needed as long as a branch of its transaction may be prepared somewhere, and an *abort* record as long as a
//! connection may exist that could still send the COMMIT it forbids. Both are judged by age, and only while every group
//! has said which branches it holds. What is simplified: a replica that is further behind than the age and is then
//! promoted brings back branches whose record is gone. They are rolled back, so the age has to be longer than any
//! replica that might be promoted can lag.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_catalog::Catalog;
use serval_remote::{Access, Backend, RemoteError, SessionState};

use crate::coordinator::{Coordinator, PATIENCE};
use crate::exchange::ask;
use crate::gtrid::Gtrid;
use crate::identity::{Identity, quoted};

/// How many records are deleted in one statement, and in one sweep.
const MOST: usize = 500;
const STATEMENTS: usize = 20;
/// Abort records are rare and live longer: the connection that they stand against may hang for hours.
const ABORTS: Duration = Duration::from_secs(24 * 3600);

impl<B: Backend> Coordinator<B> {
    /// Deletes records that are older than the config says, now and then.
    pub(crate) async fn sweep(&self, catalog: &Catalog) {
        let keep = catalog.settings.recovery.keep;
        let pause = (keep / 10).max(Duration::from_secs(30));
        let places: Vec<Arc<Identity>> = self.places.lock().values().cloned().collect();
        if places.is_empty() || !self.is_sweep_due(pause) {
            return;
        }
        for place in places {
            if let Err(error) = self.sweep_one(&place, keep).await {
                tracing::debug!(database = &*place.database, %error, "old records of decisions were not deleted");
            }
        }
    }

    fn is_sweep_due(&self, pause: Duration) -> bool {
        let mut swept = self.swept.lock();
        let due = swept.is_none_or(|last| last.elapsed() >= pause);
        if due {
            *swept = Some(Instant::now());
        }
        due
    }

    async fn sweep_one(&self, place: &Identity, keep: Duration) -> Result<(), RemoteError> {
        let state = SessionState::default();
        let deadline = Instant::now() + PATIENCE;
        let mut connection = self.backend.acquire(place.group, Access::Primary, &state, deadline).await?;
        let table = format!("{}.`serval_transaction`", quoted(&place.database));
        let select = format!(
            "SELECT `gtrid` FROM {table} WHERE `created` < UNIX_TIMESTAMP() - {} AND (`verdict`='commit' OR `created` < \
             UNIX_TIMESTAMP() - {}) LIMIT {MOST}",
            keep.as_secs(),
            keep.max(ABORTS).as_secs(),
        );
        for _ in 0..STATEMENTS {
            let rows = ask(&mut connection, &state, &select).await?.map_err(RemoteError::Refused)?;
            let found = rows.into_iter().filter_map(|row| Gtrid::parse(row.into_iter().next()??.as_str()));
            let needed = self.needed();
            let old: Vec<String> =
                found.filter(|gtrid| !needed.contains(gtrid)).map(|gtrid| format!("'{gtrid}'")).collect();
            if old.is_empty() {
                break;
            }
            // By key: a range would lock the gaps that running transactions insert into.
            let delete = format!("DELETE FROM {table} WHERE `gtrid` IN ({})", old.join(", "));
            ask(&mut connection, &state, &delete).await?.map_err(RemoteError::Refused)?;
        }
        Ok(())
    }

    fn needed(&self) -> BTreeSet<Gtrid> {
        let prepared = self.doubts.lock().keys().map(|(_, branch)| branch.gtrid.clone()).collect::<Vec<_>>();
        let running = self.running.lock().keys().cloned().collect::<Vec<_>>();
        prepared.into_iter().chain(running).collect()
    }
}
