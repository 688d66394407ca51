//! What proxies tell each other of who waits: whose a connection is.
//!
//! Servers know connections by number, and only the proxy that holds one knows its transaction. Where a lock wait between
//! connections of different proxies lasts, each proxy writes which transaction its own ones belong to into `serval_wait`, a
//! table of the group where the wait is. Nothing is written or read as long as nobody waits. A notice counts for a few
//! seconds of the server's clock; it is renewed as long as the wait lasts. An outdated one could at worst let a
//! transaction be taken for part of a deadlock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serval_remote::{Backend, RemoteError};
use serval_types::GroupId;

use crate::coordinator::Coordinator;
use crate::deadlock::ANSWER;
use crate::gtrid::Gtrid;
use crate::identity::quoted;
use crate::together::together;

/// How long a notice counts, in seconds.
const COUNTS: u32 = 4;
/// When it is renewed.
const RENEWED: Duration = Duration::from_millis(1500);
/// ER_NO_SUCH_TABLE.
const NO_TABLE: u16 = 1146;

/// A connection of a group and its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) group: GroupId,
    pub(crate) thread: u32,
    pub(crate) gtrid: Gtrid,
    /// When the transaction got its name, in milliseconds of its proxy's clock.
    pub(crate) since: u64,
}

/// What this proxy has told, and when.
pub(crate) type Notices = BTreeMap<(GroupId, u32), (Gtrid, Instant)>;

impl<B: Backend> Coordinator<B> {
    /// Makes what is told what `notices` say. What cannot be written now is tried again at the next look.
    pub(crate) async fn tell(&self, notices: Vec<Notice>, told: &mut Notices) {
        let current: BTreeSet<(GroupId, u32, &Gtrid)> =
            notices.iter().map(|notice| (notice.group, notice.thread, &notice.gtrid)).collect();
        let over: Vec<(GroupId, u32)> = told
            .iter()
            .filter(|((group, thread), (gtrid, _))| !current.contains(&(*group, *thread, gtrid)))
            .map(|(connection, _)| *connection)
            .collect();
        for (group, thread) in over {
            let Some((gtrid, _)) = told.remove(&(group, thread)) else { continue };
            let withdrawn = tokio::time::timeout(ANSWER, self.withdraw(group, thread, &gtrid)).await;
            if let Ok(Err(error)) = withdrawn {
                tracing::debug!(%gtrid, %error, "a notice was not withdrawn");
            }
        }
        for notice in notices {
            let connection = (notice.group, notice.thread);
            if told.get(&connection).is_some_and(|(_, when)| when.elapsed() < RENEWED) {
                continue;
            }
            match tokio::time::timeout(ANSWER, self.tell_one(&notice)).await {
                Ok(Ok(())) => drop(told.insert(connection, (notice.gtrid, Instant::now()))),
                Ok(Err(error)) => tracing::debug!(gtrid = %notice.gtrid, %error, "a notice was not written"),
                Err(_) => {}
            }
        }
    }

    /// The connections of other proxies that have part in a wait, and their transactions.
    pub(crate) async fn told_by_others(
        &self,
        groups: &BTreeSet<GroupId>,
    ) -> BTreeMap<(GroupId, u32), Notice> {
        let asked = groups.iter().map(|&group| tokio::time::timeout(ANSWER, self.told_on(group)));
        let answers = together(asked).await;
        let notices = answers.into_iter().filter_map(|answer| answer.ok()?.ok()).flatten();
        // One of its own that it does not hold any more says nothing of who has the connection now.
        let others = notices.filter(|notice| !self.names.made(&notice.gtrid));
        others.map(|notice| ((notice.group, notice.thread), notice)).collect()
    }

    async fn tell_one(&self, notice: &Notice) -> Result<(), RemoteError> {
        let place = self.identify(notice.group).await?;
        let table = format!("{}.`serval_wait`", quoted(&place.database));
        let sql = format!(
            "REPLACE INTO {table} (`thread`, `gtrid`, `since`, `seen`) VALUES ({}, '{}', {}, UNIX_TIMESTAMP())",
            notice.thread, notice.gtrid, notice.since
        );
        match self.ask(notice.group, &sql).await? {
            Err(error) if error.number == NO_TABLE => {}
            answer => return answer.map(drop).map_err(RemoteError::Refused),
        }
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {table} (`thread` BIGINT UNSIGNED NOT NULL PRIMARY KEY, `gtrid` VARCHAR(64) \
             CHARACTER SET ascii COLLATE ascii_bin NOT NULL, `since` BIGINT UNSIGNED NOT NULL, `seen` BIGINT UNSIGNED \
             NOT NULL) ENGINE=InnoDB"
        );
        self.ask(notice.group, &create).await?.map_err(RemoteError::Refused)?;
        self.ask(notice.group, &sql).await?.map(drop).map_err(RemoteError::Refused)
    }

    async fn withdraw(&self, group: GroupId, thread: u32, gtrid: &Gtrid) -> Result<(), RemoteError> {
        let place = self.identify(group).await?;
        let sql = format!(
            "DELETE FROM {}.`serval_wait` WHERE `thread`={thread} AND `gtrid`='{gtrid}'",
            quoted(&place.database)
        );
        self.ask(group, &sql).await?.map(drop).map_err(RemoteError::Refused)
    }

    async fn told_on(&self, group: GroupId) -> Result<Vec<Notice>, RemoteError> {
        let place = self.identify(group).await?;
        let sql = format!(
            "SELECT `thread`, `gtrid`, `since` FROM {}.`serval_wait` WHERE `seen` >= UNIX_TIMESTAMP() - {COUNTS}",
            quoted(&place.database)
        );
        let rows = match self.ask(group, &sql).await? {
            Ok(rows) => rows,
            Err(error) if error.number == NO_TABLE => Vec::new(),
            Err(error) => return Err(RemoteError::Refused(error)),
        };
        Ok(rows.iter().filter_map(|row| notice(group, row)).collect())
    }
}

fn notice(group: GroupId, row: &[Option<String>]) -> Option<Notice> {
    let [thread, gtrid, since] = row else { return None };
    Some(Notice {
        group,
        thread: thread.as_deref()?.parse().ok()?,
        gtrid: Gtrid::parse(gtrid.as_deref()?)?,
        since: since.as_deref()?.parse().ok()?,
    })
}
