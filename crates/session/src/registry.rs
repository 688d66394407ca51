//! Who is connected and what each is doing: for SHOW PROCESSLIST, KILL, the console and max_connections.

mod entry;
mod signal;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use serval_types::SessionId;

pub(crate) use entry::Pace;
pub use entry::{Entry, Snapshot};
use signal::Level;

/// All sessions of a proxy.
#[derive(Debug, Default)]
pub struct Registry {
    sessions: Mutex<BTreeMap<SessionId, Arc<Entry>>>,
    /// What new sessions are told at once.
    level: Mutex<Option<Level>>,
    last_id: AtomicU32,
}

/// A session's place in the registry; dropping it takes the session out.
#[derive(Debug)]
pub struct Registration {
    registry: Arc<Registry>,
    entry: Arc<Entry>,
}

impl Registry {
    /// Adds a session, unless there are `limit` already.
    pub fn register(self: &Arc<Self>, peer: Option<SocketAddr>, limit: usize) -> Option<Registration> {
        let mut sessions = self.sessions.lock();
        if sessions.len() >= limit {
            return None;
        }
        let id = self.free_id(&sessions);
        let entry = Arc::new(Entry::new(id, peer));
        sessions.insert(id, Arc::clone(&entry));
        if let Some(level) = *self.level.lock() {
            entry.signal.raise(level);
        }
        Some(Registration { registry: Arc::clone(self), entry })
    }

    /// The session of this id.
    #[must_use]
    pub fn find(&self, id: SessionId) -> Option<Arc<Entry>> {
        self.sessions.lock().get(&id).cloned()
    }

    /// The session whose named locks are held by this connection of their server.
    pub(crate) fn holder_of(&self, thread: u32) -> Option<SessionId> {
        let sessions = self.sessions.lock();
        sessions.values().find(|entry| entry.lock_thread() == thread).map(|entry| entry.id)
    }

    /// Whether an open transaction works under a catalog older than `version`.
    #[must_use]
    pub fn anyone_before(&self, version: u64) -> bool {
        let sessions = self.sessions.lock();
        sessions.values().any(|entry| (1..version).contains(&entry.catalog()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Whether nobody is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets sessions end as soon as they are idle and outside a transaction.
    pub fn drain(&self) {
        self.raise(Level::Drain);
    }

    /// Ends all sessions, whatever they are doing.
    pub fn end(&self) {
        self.raise(Level::End);
    }

    fn raise(&self, level: Level) {
        *self.level.lock() = Some(level);
        let entries: Vec<_> = self.sessions.lock().values().cloned().collect();
        for entry in entries {
            entry.signal.raise(level);
        }
    }

    /// All sessions in the order of their ids. `full` keeps the whole text of their statements.
    #[must_use]
    pub fn snapshots(&self, full: bool) -> Vec<Snapshot> {
        let entries: Vec<_> = self.sessions.lock().values().cloned().collect();
        entries.iter().map(|entry| entry.snapshot(full)).collect()
    }

    /// Ids count upwards and start again after four thousand million connections; those in use are stepped over.
    fn free_id(&self, sessions: &BTreeMap<SessionId, Arc<Entry>>) -> SessionId {
        loop {
            let id = SessionId(self.last_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
            if id.0 != 0 && !sessions.contains_key(&id) {
                return id;
            }
        }
    }
}

impl Registration {
    /// The session itself.
    #[must_use]
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.sessions.lock().remove(&self.entry.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrations_end_by_themselves() {
        let registry = Arc::new(Registry::default());
        let first = registry.register(None, 1).expect("room for one");
        assert!(registry.register(None, 1).is_none());
        assert!(registry.find(first.entry().id).is_some());
        drop(first);
        assert!(registry.is_empty());
    }

    #[test]
    fn ids_in_use_are_stepped_over() {
        let registry = Arc::new(Registry::default());
        let first = registry.register(None, 9).expect("room");
        registry.last_id.store(u32::MAX - 1, Ordering::Relaxed);
        let last = registry.register(None, 9).expect("room");
        let next = registry.register(None, 9).expect("room");
        assert_eq!((first.entry().id.0, last.entry().id.0, next.entry().id.0), (1, u32::MAX, 2));
    }
}
