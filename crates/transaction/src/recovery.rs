//! Finishing what others left: branches that are prepared and that no session is busy with any more.
//!
//! Every proxy does this for all groups it knows. A branch of this proxy's own that no session holds is finished at
//! once; one of another proxy only when it has been seen for the configured patience, because that proxy is most likely
//! just committing. Two proxies that recover the same transaction come to the same verdict, since only one of them can
//! insert the record, and the second to finish a branch is told that there is none.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_types::{GroupId, MysqlError};

use crate::branch::Branch;
use crate::coordinator::{Coordinator, PATIENCE};
use crate::exchange::{Row, ask};
use crate::gtrid::Gtrid;
use crate::metric;
use crate::record::Verdict;
use crate::together::together;

/// How long one transaction's verdict is looked for in one round.
pub(crate) const DECIDE: Duration = Duration::from_secs(5);
/// Between two rounds at the least, however often sessions ask for one.
const BREATH: Duration = Duration::from_millis(100);
/// How many transactions are recovered at once.
const AT_ONCE: usize = 8;
/// How often a branch is tried in one round.
const TRIES: usize = 3;
/// XAER_NOTA: no such branch, or one that hangs on a connection.
const NOTA: u16 = 1397;

/// A branch that was found.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    first_seen: Instant,
    verdict: Opinion,
}

/// What is known of a transaction that is in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Opinion {
    /// Nobody has looked yet.
    Waiting,
    Decided(Verdict),
    /// Why there is no verdict.
    Unknown(String),
}

/// A transaction of which prepared branches are on the groups, as the console shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// Its name.
    pub gtrid: Gtrid,
    /// The groups that hold branches of it, by their configured names.
    pub groups: Vec<String>,
    /// How long this proxy has known of it.
    pub age: Duration,
    /// `running` in a session of this proxy, `waiting`, `commit`, `abort`, or why that is not known; `lost` or `perhaps lost`
    /// where a failover has taken the groups' part of what is committed.
    pub verdict: String,
}

impl<B: Backend> Coordinator<B> {
    /// Recovers until `stop`.
    pub async fn recover(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = self.round() => {}
                () = &mut stop => return,
            }
            let interval = self.catalog.load().settings.recovery.interval;
            let pause = async {
                tokio::time::sleep(BREATH).await;
                // Nobody has to wait for what a session of this proxy left behind.
                let _ = tokio::time::timeout(interval, self.wake.notified()).await;
            };
            tokio::select! {
                () = pause => {}
                () = &mut stop => return,
            }
        }
    }

    /// One look at all groups, and what follows from it.
    pub async fn round(&self) {
        // Taken before: what is prepared while the groups are asked belongs to a session that is still at it.
        let running = self.running();
        let asked = Instant::now();
        let catalog = self.catalog.load_full();
        let groups: Vec<GroupId> = catalog.groups.iter().map(|group| group.id).collect();
        let listings = together(groups.iter().map(|&group| self.list(group))).await;
        let complete = listings.iter().all(Result::is_ok);
        for (group, listing) in groups.into_iter().zip(listings) {
            match listing {
                Ok(branches) => self.note(group, branches, asked),
                Err(error) => {
                    let name = &catalog.group(group).name;
                    tracing::debug!(group = name, %error, "the group was not asked for transactions in doubt");
                }
            }
        }
        // Before the verdicts: an abort record would stand where a lost one was.
        together(catalog.groups.iter().map(|group| self.look_for_losses(group.id))).await;
        let due = self.due(&running, catalog.settings.recovery.patience);
        for some in due.chunks(AT_ONCE) {
            together(some.iter().map(|gtrid| self.recover_one(gtrid))).await;
        }
        metric::note_in_doubt(
            self.branches_in_doubt().iter().filter(|doubt| doubt.verdict != "running").count(),
        );
        if complete {
            self.sweep(&catalog).await;
        }
    }

    /// The transactions of which branches are prepared on the groups, and those of which a failover has lost a part.
    #[must_use]
    pub fn in_doubt(&self) -> Vec<InDoubt> {
        let catalog = self.catalog.load();
        let name = |group: &GroupId| Some(catalog.group_with(*group)?.name.clone());
        let lost = self.losses.lock();
        let lost = lost.iter().map(|(gtrid, loss)| InDoubt {
            gtrid: gtrid.clone(),
            groups: loss.groups.iter().filter_map(name).collect(),
            age: loss.noticed.elapsed(),
            verdict: loss.verdict().to_owned(),
        });
        self.branches_in_doubt().into_iter().chain(lost).collect()
    }

    fn branches_in_doubt(&self) -> Vec<InDoubt> {
        let catalog = self.catalog.load();
        let running = self.running();
        let mut found: BTreeMap<Gtrid, InDoubt> = BTreeMap::new();
        for ((group, branch), doubt) in self.doubts.lock().iter() {
            let name = catalog.group_with(*group).map(|group| group.name.clone());
            let entry = found.entry(branch.gtrid.clone()).or_insert_with(|| InDoubt {
                gtrid: branch.gtrid.clone(),
                groups: Vec::new(),
                age: Duration::ZERO,
                verdict: if running.contains(&branch.gtrid) {
                    "running".to_owned()
                } else {
                    doubt.verdict.words()
                },
            });
            entry.groups.extend(name);
            entry.age = entry.age.max(doubt.first_seen.elapsed());
        }
        found.into_values().collect()
    }

    /// The branches of Serval's that are prepared on a group.
    pub(crate) async fn list(&self, group: GroupId) -> Result<Vec<Branch>, RemoteError> {
        let rows = self.ask(group, "XA RECOVER").await?.map_err(RemoteError::Refused)?;
        Ok(rows.into_iter().filter_map(branch).collect())
    }

    fn running(&self) -> HashSet<Gtrid> {
        self.running.lock().keys().cloned().collect()
    }

    fn note(&self, group: GroupId, branches: Vec<Branch>, asked: Instant) {
        let listed: HashSet<Branch> = branches.into_iter().collect();
        // What has been left since was not there to be listed.
        let mut owing = self.owing.lock();
        owing.retain(|(other, branch), since| *other != group || listed.contains(branch) || *since >= asked);
        drop(owing);
        let mut doubts = self.doubts.lock();
        doubts.retain(|(other, branch), _| *other != group || listed.contains(branch));
        for branch in listed {
            let fresh = || Doubt { first_seen: Instant::now(), verdict: Opinion::Waiting };
            doubts.entry((group, branch)).or_insert_with(fresh);
        }
    }

    /// The transactions that nobody else will finish.
    fn due(&self, running: &HashSet<Gtrid>, patience: Duration) -> Vec<Gtrid> {
        let now_running = self.running();
        let doubts = self.doubts.lock();
        let due = doubts.iter().filter(|((_, branch), doubt)| {
            let gtrid = &branch.gtrid;
            let busy = running.contains(gtrid) || now_running.contains(gtrid);
            !busy && (self.names.made(gtrid) || doubt.first_seen.elapsed() >= patience)
        });
        let names: std::collections::BTreeSet<Gtrid> =
            due.map(|((_, branch), _)| branch.gtrid.clone()).collect();
        names.into_iter().collect()
    }

    async fn recover_one(&self, gtrid: &Gtrid) {
        let Some(place) = self.place(gtrid.uuid()).await else {
            let text = "the group that decided it is not in this config, or does not answer";
            return self.judge(gtrid, Opinion::Unknown(text.to_owned()));
        };
        let verdict = match self.settle(&place, gtrid, Verdict::Abort, DECIDE).await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::debug!(%gtrid, %error, "no verdict yet");
                return self
                    .judge(gtrid, Opinion::Unknown(format!("no verdict yet: {}", error.to_mysql().message)));
            }
        };
        self.judge(gtrid, Opinion::Decided(verdict));
        for (group, branch) in self.branches(gtrid) {
            match self.finish(group, &branch, verdict).await {
                Ok(()) => {}
                Err(error) => tracing::info!(%gtrid, %error, "a branch is not finished yet"),
            }
        }
    }

    fn judge(&self, gtrid: &Gtrid, opinion: Opinion) {
        for ((_, branch), doubt) in self.doubts.lock().iter_mut() {
            if branch.gtrid == *gtrid {
                doubt.verdict = opinion.clone();
            }
        }
    }

    pub(crate) fn branches(&self, gtrid: &Gtrid) -> Vec<(GroupId, Branch)> {
        let doubts = self.doubts.lock();
        doubts.keys().filter(|(_, branch)| branch.gtrid == *gtrid).cloned().collect()
    }

    /// Commits or rolls back one branch.
    pub(crate) async fn finish(
        &self,
        group: GroupId,
        branch: &Branch,
        verdict: Verdict,
    ) -> Result<(), RemoteError> {
        let sql = branch.xa(match verdict {
            Verdict::Commit => "COMMIT",
            Verdict::Abort => "ROLLBACK",
        });
        let mut refused = None;
        for _ in 0..TRIES {
            match self.run(group, &sql).await? {
                Ok(()) => {
                    tracing::info!(gtrid = %branch.gtrid, verdict = verdict.word(), "a branch was recovered");
                    metric::count_recovered(verdict);
                    self.doubts.lock().remove(&(group, branch.clone()));
                    return Ok(());
                }
                Err(error) => refused = Some(error),
            }
            // MariaDB says "no such branch" also of one that is still attached to its connection: only when it is not
            // listed any more has somebody else finished it.
            let asked = Instant::now();
            let listed = self.list(group).await?;
            if !listed.contains(branch) {
                self.note(group, listed, asked);
                return Ok(());
            }
            if let (Some(NOTA), Some(owner)) = (refused.as_ref().map(|error| error.number), branch.owner()) {
                // Attached means that the server has not restarted since, so the number is still that connection's.
                let _ = self.run(group, &format!("KILL {owner}")).await?;
                tokio::time::sleep(BREATH).await;
            }
        }
        Err(refused.map_or_else(|| silent(group), RemoteError::Refused))
    }

    async fn run(&self, group: GroupId, sql: &str) -> Result<Result<(), MysqlError>, RemoteError> {
        Ok(self.ask(group, sql).await?.map(drop))
    }

    /// A statement of Serval's own on a group's primary, and its answer.
    pub(crate) async fn ask(
        &self,
        group: GroupId,
        sql: &str,
    ) -> Result<Result<Vec<Row>, MysqlError>, RemoteError> {
        let state = SessionState::default();
        let deadline = Instant::now() + PATIENCE;
        let mut connection = self.backend.acquire(group, Access::Primary, &state, deadline).await?;
        let answer = tokio::time::timeout(PATIENCE, ask(&mut connection, &state, sql)).await;
        answer.map_err(|_| silent(group))?
    }
}

impl Opinion {
    fn words(&self) -> String {
        match self {
            Self::Waiting => "waiting".to_owned(),
            Self::Decided(verdict) => verdict.word().to_owned(),
            Self::Unknown(why) => why.clone(),
        }
    }
}

/// A row of XA RECOVER: format, the lengths of both parts, both parts as one text.
fn branch(row: Vec<Option<String>>) -> Option<Branch> {
    let [_, gtrid, qualifier, data] = row.try_into().ok()?;
    let length = |cell: Option<String>| cell.and_then(|cell| cell.parse::<usize>().ok());
    let (gtrid, qualifier, data) = (length(gtrid)?, length(qualifier)?, data?);
    let (first, second) = data.split_at_checked(gtrid)?;
    (second.len() == qualifier).then(|| Branch::parse(first, second)).flatten()
}

fn silent(group: GroupId) -> RemoteError {
    RemoteError::Lost {
        group: group.to_string(),
        server: String::new(),
        sent: true,
        reason: "no answer in time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gtrid::{Names, new_uuid};

    #[test]
    fn rows_of_xa_recover() {
        let gtrid = Names::new().make(&new_uuid());
        let row = |gtrid: usize, qualifier: usize, data: &str| {
            let cells = ["1".to_owned(), gtrid.to_string(), qualifier.to_string(), data.to_owned()];
            branch(cells.map(Some).to_vec())
        };
        let (length, data) = (gtrid.as_str().len(), format!("{gtrid}2.7"));
        assert_eq!(row(length, 3, &data).map(|branch| branch.owner()), Some(Some(7)));
        assert_eq!(row(length, 2, &data), None);
        assert_eq!(row(length + 9, 3, &data), None);
        assert_eq!(row(1, 1, "ab"), None);
        assert_eq!(branch(vec![None]), None);
    }
}
