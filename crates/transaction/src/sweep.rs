//! Old records go.
//!
//! A record is needed as long as a branch of its transaction may be prepared somewhere, and an *abort* record as long as a
//! connection may exist that could still send the COMMIT it forbids. Which are old is judged by the clocks of a proxy and
//! of a server, which may be wrong or jump. So what is old goes only if all groups, asked *after* the record was
//! seen, hold no branch of its transaction: a decision comes when all are prepared, and none is prepared later. What is
//! simplified: a replica that is further behind than the age and is then promoted brings back branches whose record is
//! gone. They are rolled back, so the age has to be longer than any replica that might be promoted can lag.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_catalog::Catalog;
use serval_remote::{Backend, RemoteError};

use crate::coordinator::Coordinator;
use crate::gtrid::Gtrid;
use crate::identity::{Identity, quoted};
use crate::together::together;

/// How many records are looked at in one sweep; where there are more, the next round of recovery goes on.
const MOST: usize = 10_000;
/// How many are deleted in one statement.
const AT_ONCE: usize = 500;
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
            match self.sweep_one(catalog, &place, keep).await {
                Ok(true) => *self.swept.lock() = None,
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(database = &*place.database, %error, "old records of decisions were not deleted");
                }
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

    /// Deletes a group's old records. True where there may be more of them.
    async fn sweep_one(
        &self,
        catalog: &Catalog,
        place: &Identity,
        keep: Duration,
    ) -> Result<bool, RemoteError> {
        let table = format!("{}.`serval_transaction`", quoted(&place.database));
        let select = format!(
            "SELECT `gtrid` FROM {table} WHERE `created` < UNIX_TIMESTAMP() - {} AND (`verdict`='commit' OR `created` < \
             UNIX_TIMESTAMP() - {}) LIMIT {MOST}",
            keep.as_secs(),
            keep.max(ABORTS).as_secs(),
        );
        let rows = self.ask(place.group, &select).await?.map_err(RemoteError::Refused)?;
        let found: Vec<Gtrid> =
            rows.into_iter().filter_map(|row| Gtrid::parse(row.into_iter().next()??.as_str())).collect();
        if found.is_empty() {
            return Ok(false);
        }
        let needed = self.needed(catalog).await?;
        let old: Vec<String> =
            found.iter().filter(|gtrid| !needed.contains(gtrid)).map(|gtrid| format!("'{gtrid}'")).collect();
        for some in old.chunks(AT_ONCE) {
            // By key: a range would lock the gaps that running transactions insert into.
            let delete = format!("DELETE FROM {table} WHERE `gtrid` IN ({})", some.join(", "));
            self.ask(place.group, &delete).await?.map_err(RemoteError::Refused)?;
        }
        Ok(found.len() == MOST && !old.is_empty())
    }

    /// The transactions that may still need their record, as all groups say now.
    async fn needed(&self, catalog: &Catalog) -> Result<HashSet<Gtrid>, RemoteError> {
        let mut needed = HashSet::new();
        for listing in together(catalog.groups.iter().map(|group| self.list(group.id))).await {
            needed.extend(listing?.into_iter().map(|branch| branch.gtrid));
        }
        needed.extend(self.running.lock().keys().cloned());
        Ok(needed)
    }
}
