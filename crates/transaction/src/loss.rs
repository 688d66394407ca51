//! What a failover has lost.
//!
//! Where replication is asynchronous, a replica that is promoted may lack what the old primary had acknowledged: the record
//! of a decision with its group's rows, or a branch. Nothing can bring that back, but it can be noticed. A proxy keeps in
//! memory which two-phase commits it has decided lately, and how far each group's primary was now and then. When a group
//! is another server than before, the records have to be there, and what the old server had when it was last asked.
//!
//! A proxy that is started learns from the groups which decisions are recorded there, its own and those of others, and
//! misses them as its own afterwards. What is left out: branches that were finished after the old primary was last asked,
//! and those of other proxies (each looks itself, unless it was restarted); and what was lost while no proxy ran.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_remote::{Backend, RemoteError};
use serval_types::GroupId;

use crate::branch::Branch;
use crate::coordinator::{Coordinator, PATIENCE};
use crate::gtrid::Gtrid;
use crate::identity::{self, Identity, quoted};
use crate::metric;
use crate::position::Position;

/// How many commits are remembered of each group.
const COMMITS: usize = 2000;
/// How many positions, one of each round of recovery.
const POSITIONS: usize = 8;
/// How many losses are kept to be shown.
const LOSSES: usize = 1000;
/// How many records are asked for at once.
const AT_ONCE: usize = 200;
/// ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
const MISSING: [u16; 2] = [1146, 1049];

/// What a group keeps of a transaction that is decided.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    /// The record, and the first participant's rows.
    Record(Arc<Identity>),
    /// A branch that was prepared.
    Branch {
        branch: Branch,
        /// The server has said that it is committed.
        finished: bool,
        /// A replica had it when the transaction was decided. If it is gone from a server that lacks nothing, then it
        /// is committed, though the answer was lost with the old primary.
        acknowledged: bool,
    },
}

#[derive(Debug)]
struct Commit {
    gtrid: Gtrid,
    kept: Kept,
    when: Instant,
}

/// What is remembered of a group.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    commits: VecDeque<Commit>,
    positions: VecDeque<(Instant, Position)>,
    /// What was recorded before this proxy looked is among the commits.
    recalled: bool,
}

/// A transaction that a failover has taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    pub(crate) groups: Vec<GroupId>,
    pub(crate) noticed: Instant,
    pub(crate) certain: bool,
}

impl Loss {
    pub(crate) fn verdict(&self) -> &'static str {
        if self.certain { "lost" } else { "perhaps lost" }
    }
}

impl<B: Backend> Coordinator<B> {
    /// Remembers a transaction that is decided, and what its groups keep of it.
    pub(crate) fn remember(&self, gtrid: &Gtrid, parts: Vec<(GroupId, Kept)>) {
        let mut memories = self.memories.lock();
        let mut fresh = false;
        for (group, kept) in parts {
            let memory = memories.entry(group).or_default();
            fresh |= memory.positions.is_empty();
            if memory.commits.len() == COMMITS {
                memory.commits.pop_front();
            }
            memory.commits.push_back(Commit { gtrid: gtrid.clone(), kept, when: Instant::now() });
        }
        if fresh {
            // Which server it is has to be known before the next one is there.
            self.wake.notify_one();
        }
    }

    /// Asks a group which server it is, if it has kept anything.
    pub(crate) async fn look_for_losses(&self, group: GroupId) {
        if let Err(error) = self.try_look_for_losses(group).await {
            tracing::debug!(%error, "a group was not asked which server it is");
        }
    }

    async fn try_look_for_losses(&self, group: GroupId) -> Result<(), RemoteError> {
        self.recall(group).await?;
        if self.memories.lock().get(&group).is_none_or(|memory| memory.commits.is_empty()) {
            return Ok(());
        }
        // A position that was asked for after a commit covers it, so the time is taken before.
        let asked = Instant::now();
        let Some(now) = self.position(group).await? else { return Ok(()) };
        let before: Vec<(Instant, Position)> = match self.memories.lock().get(&group) {
            Some(memory) => memory.positions.iter().cloned().collect(),
            None => Vec::new(),
        };
        if before.last().is_some_and(|(_, before)| before.server != now.server) {
            let lost = self.lost(group, &now, &before).await?;
            tracing::warn!(group = %group, server = &*now.server, lost = lost.len(), "the group's primary is another server");
            self.note_losses(group, lost);
            self.memories.lock().entry(group).or_default().forget();
        }
        self.memories.lock().entry(group).or_default().note(asked, now);
        Ok(())
    }

    /// Remembers what others have recorded on a group, or this proxy before it was started again.
    async fn recall(&self, group: GroupId) -> Result<(), RemoteError> {
        if self.memories.lock().get(&group).is_some_and(|memory| memory.recalled) {
            return Ok(());
        }
        let catalog = self.catalog.load_full();
        let deadline = Instant::now() + PATIENCE;
        let places = identity::find(&*self.backend, &catalog, group, deadline).await?;
        let mut found = VecDeque::new();
        for place in places.into_iter().map(Arc::new) {
            let sql = format!(
                "SELECT `gtrid` FROM {}.`serval_transaction` WHERE `verdict`='commit' AND `created` >= UNIX_TIMESTAMP() - {} \
                 ORDER BY `created` DESC LIMIT {COMMITS}",
                quoted(&place.database),
                catalog.settings.recovery.keep.as_secs() / 2
            );
            let rows = self.ask(group, &sql).await?.unwrap_or_default();
            let names = rows.into_iter().filter_map(|row| Gtrid::parse(row.into_iter().next()??.as_str()));
            let when = Instant::now();
            found.extend(names.map(|gtrid| Commit { gtrid, kept: Kept::Record(Arc::clone(&place)), when }));
        }
        let mut memories = self.memories.lock();
        let memory = memories.entry(group).or_default();
        found.truncate(COMMITS.saturating_sub(memory.commits.len()));
        found.into_iter().for_each(|commit| memory.commits.push_front(commit));
        memory.recalled = true;
        Ok(())
    }

    /// What of the remembered commits is not there, and whether that is certain.
    async fn lost(
        &self,
        group: GroupId,
        now: &Position,
        before: &[(Instant, Position)],
    ) -> Result<BTreeMap<Gtrid, bool>, RemoteError> {
        let mut lost: BTreeMap<Gtrid, bool> =
            self.records_lost(group).await?.into_iter().map(|gtrid| (gtrid, true)).collect();
        let prepared: HashSet<Branch> = self.list(group).await?.into_iter().collect();
        let (mut good, mut bad) = (None, None);
        // Without GTIDs nothing can be said of branches that were finished.
        for (asked, position) in before.iter().filter(|(_, position)| !position.gtids.is_empty()) {
            match self.has_all(group, now, position).await? {
                true => good = Some(*asked),
                false => bad = bad.or(Some(*asked)),
            }
        }
        let memories = self.memories.lock();
        for commit in memories.get(&group).iter().flat_map(|memory| &memory.commits) {
            let Kept::Branch { branch, finished, acknowledged } = &commit.kept else { continue };
            if prepared.contains(branch) || good.is_some_and(|good| commit.when <= good) {
                continue;
            }
            // Writes are replicated in order: what came after something that is missing is missing.
            let certain = bad.is_some_and(|bad| commit.when > bad);
            if bad.is_some() || !(*finished || *acknowledged) {
                let before = lost.entry(commit.gtrid.clone()).or_insert(certain);
                *before |= certain;
            }
        }
        Ok(lost)
    }

    async fn records_lost(&self, group: GroupId) -> Result<Vec<Gtrid>, RemoteError> {
        let keep = self.catalog.load().settings.recovery.keep / 2;
        let mut places: BTreeMap<Box<str>, Vec<Gtrid>> = BTreeMap::new();
        for commit in self.memories.lock().get(&group).iter().flat_map(|memory| &memory.commits) {
            if let Kept::Record(place) = &commit.kept
                && commit.when.elapsed() < keep
            {
                places.entry(place.database.clone()).or_default().push(commit.gtrid.clone());
            }
        }
        let mut lost = Vec::new();
        for (database, gtrids) in places {
            for some in gtrids.chunks(AT_ONCE) {
                let there = self.records_there(group, &database, some).await?;
                lost.extend(some.iter().filter(|gtrid| !there.contains(*gtrid)).cloned());
            }
        }
        Ok(lost)
    }

    async fn records_there(
        &self,
        group: GroupId,
        database: &str,
        gtrids: &[Gtrid],
    ) -> Result<HashSet<Gtrid>, RemoteError> {
        let list: Vec<String> = gtrids.iter().map(|gtrid| format!("'{gtrid}'")).collect();
        let sql = format!(
            "SELECT `gtrid` FROM {}.`serval_transaction` WHERE `verdict`='commit' AND `gtrid` IN ({})",
            quoted(database),
            list.join(", ")
        );
        match self.ask(group, &sql).await? {
            Ok(rows) => Ok(rows
                .into_iter()
                .filter_map(|row| Gtrid::parse(row.into_iter().next()??.as_str()))
                .collect()),
            Err(error) if MISSING.contains(&error.number) => Ok(HashSet::new()),
            Err(error) => Err(RemoteError::Refused(error)),
        }
    }

    fn note_losses(&self, group: GroupId, lost: BTreeMap<Gtrid, bool>) {
        let mut losses = self.losses.lock();
        for (gtrid, certain) in lost {
            tracing::error!(
                %gtrid, group = %group, certain,
                "a failover has lost a group's part of a transaction that is committed on others"
            );
            let known = losses.len() < LOSSES || losses.contains_key(&gtrid);
            metric::count_lost();
            if known {
                let fresh = || Loss { groups: Vec::new(), noticed: Instant::now(), certain };
                let loss = losses.entry(gtrid).or_insert_with(fresh);
                loss.groups.push(group);
                loss.certain |= certain;
            }
        }
    }
}

impl Memory {
    /// What was judged is not judged again.
    fn forget(&mut self) {
        *self = Self::default();
    }

    fn note(&mut self, asked: Instant, position: Position) {
        // One a second is enough, and they are to reach back for a while.
        let recent =
            self.positions.back().is_some_and(|(last, _)| last.elapsed() < Duration::from_millis(400));
        if recent {
            return;
        }
        if self.positions.len() == POSITIONS {
            self.positions.pop_front();
        }
        self.positions.push_back((asked, position));
    }
}
