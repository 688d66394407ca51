//! Another config while the proxy runs.
//!
//! A candidate (the files as they are now, or an older version) is validated, held against the rows on the servers,
//! kept as a version, and only then put into effect, in one step: a statement works under one catalog from its
//! beginning to its end, a transaction too.

mod candidate;
mod dry_run;
mod leaving;
mod masked;
mod rules;
mod successor;
mod switch;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serval_backend::Servers;
use serval_catalog::{Catalog, ScratchHost};
use serval_session::Proxy;
use tokio::sync::Mutex;

use crate::config_files::ConfigFiles;
use crate::definitions::Definitions;
use crate::rows;
use crate::scratch::ScratchPlace;
use candidate::Candidate;
use rules::Rules;
use successor::successor;
use versions::{History, replace_durably};

pub use switch::Switch;

/// Who wants another config, and how much they want it.
#[derive(Debug, Clone)]
pub struct Order {
    /// A user of the console, or `SIGHUP`.
    pub by: String,
    /// Even where rows would be stranded.
    pub force: bool,
}

/// What a reload needs to know and to change.
pub struct Reload {
    /// Held while a reload runs, so that two follow each other.
    running: Mutex<Running>,
    proxy: Arc<Proxy<Servers>>,
    definitions: Arc<Definitions>,
    scratch: Option<Arc<ScratchPlace>>,
    /// The version of the catalog with which groups left the config last.
    farewell: Arc<AtomicU64>,
}

/// The config that is in effect.
struct Running {
    files: ConfigFiles,
    /// Its number among the versions, where they are kept.
    version: Option<u64>,
    /// The next group that is new gets this id.
    fresh_group: u16,
}

impl Reload {
    /// The config that was loaded from `files` is running.
    pub fn new(
        files: ConfigFiles,
        proxy: Arc<Proxy<Servers>>,
        definitions: Arc<Definitions>,
        scratch: Option<Arc<ScratchPlace>>,
    ) -> Self {
        let catalog = proxy.catalog.load_full();
        let fresh_group = u16::try_from(catalog.groups.len()).unwrap_or(u16::MAX);
        let version = first_version(&files, &catalog);
        let running = Mutex::new(Running { files, version, fresh_group });
        Self { running, proxy, definitions, scratch, farewell: Arc::default() }
    }

    /// Reads the files again and takes them over as a whole: what became different, one line each. With a mistake in
    /// them nothing changes, and the lines are the mistakes.
    pub async fn reload(&self, order: &Order) -> Result<Vec<String>, Vec<String>> {
        let mut running = self.running.lock().await;
        let read = Candidate::of_files(running.files.path.clone()).await?;
        self.take_over(&mut running, read, order, "reload").await
    }

    /// Puts an older version into effect, and into the config's file.
    pub async fn roll_back(&self, to: Option<u64>, order: &Order) -> Result<Vec<String>, Vec<String>> {
        let mut running = self.running.lock().await;
        let history = self.history(&running)?;
        let to = match to {
            Some(number) => number,
            None => before(&history, running.version)?,
        };
        let version = history.read(to).map_err(|error| vec![error])?;
        let candidate = Candidate::of_text(running.files.clone(), version.text).await?;
        self.take_over(&mut running, candidate, order, &format!("rollback to {to}")).await
    }

    async fn take_over(
        &self,
        running: &mut Running,
        candidate: Candidate,
        order: &Order,
        how: &str,
    ) -> Result<Vec<String>, Vec<String>> {
        let old = self.proxy.catalog.load_full();
        let Candidate { files, catalog, warnings } = candidate;
        let (new, fresh_group) = self.settled(catalog, &old, running.fresh_group)?;
        let next = successor(&old, &new);
        let mut lines = warnings;
        lines.extend(self.differences(&old, &next));
        let obstacles = self.obstacles(&old, &next, running, &files, order.force).await;
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let how = if order.force { format!("{how}, forced") } else { how.to_owned() };
        let kept = keep_version(running, &files, &new, order, &how)?;
        if let Err(refused) = self.put_into_effect(&files, &new, &how) {
            kept.undo();
            return Err(refused);
        }
        running.fresh_group = fresh_group;
        running.version = kept.number.or(running.version.filter(|_| new.settings.versions.is_some()));
        running.files = files;
        lines.extend(kept.line);
        if lines.is_empty() {
            lines.push("nothing is different; the tables' definitions are read again".to_owned());
        }
        self.afterwards();
        Ok(lines)
    }

    fn put_into_effect(&self, files: &ConfigFiles, new: &Catalog, how: &str) -> Result<(), Vec<String>> {
        if how.starts_with("rollback") {
            // Otherwise the next start, or the next SIGHUP, would bring back what was rolled back.
            replace_durably(&files.path, &files.text)
                .map_err(|error| vec![format!("cannot write {}: {error}", files.path.display())])?;
        }
        // Refused, it has changed nothing; and it has to come before any statement is planned with the new catalog.
        self.proxy.backend.apply(new).map_err(|refused| vec![refused.to_string()])?;
        self.proxy.catalog.rcu(|current| successor(current, new));
        Ok(())
    }

    fn afterwards(&self) {
        let version = self.proxy.catalog.load().version;
        self.definitions.read_again();
        self.proxy.planner.forget_before(version);
        if !self.proxy.backend.leaving().is_empty() {
            self.farewell.store(version, Ordering::Release);
            tokio::spawn(leaving::see_off(Arc::clone(&self.proxy), Arc::clone(&self.farewell)));
        }
    }

    /// What becomes different, for a person.
    fn differences(&self, old: &Catalog, next: &Catalog) -> Vec<String> {
        let mut lines = serval_catalog::diff(old, next);
        if old.settings.listen != next.settings.listen {
            lines.push("listen: needs a restart; the proxy goes on listening where it did".to_owned());
        }
        lines
    }

    /// What stands in the way of a config that is right in itself.
    async fn obstacles(
        &self,
        old: &Catalog,
        next: &Catalog,
        running: &Running,
        files: &ConfigFiles,
        force: bool,
    ) -> Vec<String> {
        let leaving = leaving::leaving(old, next);
        let mut found = leaving::in_doubt(&self.proxy, &leaving).await;
        found.extend(leaving::homeless_locks(&self.proxy, old, next));
        if force {
            return found;
        }
        let rules = Rules::of(&running.files.text, &files.text);
        let alike = |old: &str, new: &str| rules.alike(old, new);
        let stranded = rows::stranded(&self.proxy.backend, old, next, &alike).await;
        if !stranded.is_empty() {
            found.extend(stranded);
            found.push("move the rows first, or say `force` if they may stay where they are".to_owned());
        }
        found
    }

    /// The catalog with the address of the scratch server that was started with the proxy, and with the ids that the
    /// groups have already; and the next id that is free.
    fn settled(&self, new: Catalog, old: &Catalog, fresh: u16) -> Result<(Catalog, u16), Vec<String>> {
        let managed = new.scratch.as_ref().is_some_and(|scratch| scratch.host == ScratchHost::Managed);
        let mut new = match &self.scratch {
            Some(place) => place.settle(new),
            None if managed => {
                let text = "[scratch] server = \"managed\" begins with a restart of the proxy";
                return Err(vec![text.to_owned()]);
            }
            None => new,
        };
        let fresh = new.keep_group_ids(old, fresh);
        let used_up = || vec!["so many groups have come and gone that a restart is needed".to_owned()];
        Ok((new, fresh.ok_or_else(used_up)?))
    }

    fn history(&self, running: &Running) -> Result<History, Vec<String>> {
        let catalog = self.proxy.catalog.load();
        let versions = catalog.settings.versions.as_ref();
        let history = versions.map(|versions| History::new(versions, &running.files.directory()));
        history.ok_or_else(|| {
            vec!["no versions of the config are kept; add `[versions]` with a `directory` to it".to_owned()]
        })
    }
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

/// A version that was kept, or need not be.
struct Kept {
    number: Option<u64>,
    fresh: Option<(History, u64)>,
    line: Option<String>,
}

impl Kept {
    fn undo(self) {
        if let Some((history, number)) = self.fresh {
            history.remove(number);
        }
    }
}

/// Keeps the text as a version, unless it is the newest one already. What cannot be kept is not put into effect.
fn keep_version(
    running: &Running,
    files: &ConfigFiles,
    new: &Catalog,
    order: &Order,
    how: &str,
) -> Result<Kept, Vec<String>> {
    let none = Kept { number: None, fresh: None, line: None };
    let Some(versions) = &new.settings.versions else { return Ok(none) };
    let history = History::new(versions, &files.directory());
    if running.version.is_some() && running.files.text == files.text {
        return Ok(none);
    }
    let number = history.add(&order.by, how, &files.text).map_err(|error| vec![error])?;
    let line = Some(format!("version {number} of the config is in effect"));
    Ok(Kept { number: Some(number), fresh: Some((history, number)), line })
}

/// The number of the config that the proxy starts with. A disk that is full must not keep a proxy from starting.
fn first_version(files: &ConfigFiles, catalog: &Catalog) -> Option<u64> {
    let history = History::new(catalog.settings.versions.as_ref()?, &files.directory());
    if let Some(newest) = history.newest().filter(|newest| newest.text == files.text) {
        return Some(newest.number);
    }
    match history.add("start", "start", &files.text) {
        Ok(number) => Some(number),
        Err(error) => {
            tracing::error!("the config of this start is not among the versions: {error}");
            None
        }
    }
}

/// The version before the running one.
fn before(history: &History, running: Option<u64>) -> Result<u64, Vec<String>> {
    let numbers = history.numbers().map_err(|error| vec![error])?;
    let earlier = numbers.into_iter().rev().find(|number| running.is_none_or(|running| *number < running));
    earlier.ok_or_else(|| vec!["there is no version before the running one".to_owned()])
}
