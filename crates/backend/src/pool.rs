//! The connections to one server: how many there may be, and those that nobody uses.
//!
//! Whoever holds a slot takes an idle link or, where there is none, makes a new one, and puts the link back before the
//! slot. So idle and used links together never exceed the slots. The lock is held for a push or a pop, never longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serval_remote::SessionState;
use tokio::sync::Semaphore;

use crate::link::Link;

/// One server's pool.
#[derive(Debug)]
pub(crate) struct Pool {
    /// First come, first served; several slots are taken all at once or not at all.
    pub(crate) slots: Arc<Semaphore>,
    size: AtomicUsize,
    /// The longest unused first.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    link: Box<Link>,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Self {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Self { slots: Arc::new(Semaphore::new(size)), size: AtomicUsize::new(size), idle: Mutex::default() }
    }

    pub(crate) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Slots in use, those of tasks that roll back and kill included.
    pub(crate) fn used(&self) -> usize {
        self.size().saturating_sub(self.slots.available_permits())
    }

    pub(crate) fn idle(&self) -> usize {
        self.idle.lock().len()
    }

    /// Adds slots at once; takes slots away as they come free, and returns how many are still owed.
    pub(crate) fn resize(&self, size: usize) -> usize {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        let before = self.size.swap(size, Ordering::Relaxed);
        if size > before {
            self.slots.add_permits(size - before);
            return 0;
        }
        let surplus = before - size;
        surplus - self.slots.forget_permits(surplus)
    }

    /// The link used last among those in this state, or else the one used last, with the time that it has been idle.
    /// One without autocommit is left for a branch where there is another.
    pub(crate) fn take(&self, state: &SessionState) -> Option<(Box<Link>, Duration)> {
        let mut idle = self.idle.lock();
        let same = idle.iter().rposition(|idle| !idle.link.manual && idle.link.state == *state);
        let same = same.or_else(|| idle.iter().rposition(|idle| idle.link.state == *state));
        let best = same.or(idle.len().checked_sub(1))?;
        let Idle { mut link, since } = idle.remove(best);
        drop(idle);
        if same.is_some() {
            // Whoever compares them again compares a pointer.
            link.state = state.clone();
        }
        Some((link, since.elapsed()))
    }

    /// Trades a link for an idle one that needs no preamble, where there is one that has only just become idle.
    pub(crate) fn trade(&self, link: &mut Box<Link>, state: &SessionState, database: &str, recent: Duration) {
        let mut idle = self.idle.lock();
        let fits = |idle: &Idle| {
            !idle.link.manual && idle.link.database.as_deref() == Some(database) && idle.link.state == *state
        };
        if let Some(found) = idle.iter_mut().rev().find(|idle| fits(idle))
            && found.since.elapsed() < recent
            && found.link.is_quiet()
        {
            std::mem::swap(&mut found.link, link);
        }
    }

    /// Trades a link for one in the same state in which autocommit is off already, if that has only just become idle.
    pub(crate) fn trade_for_manual(&self, link: &mut Box<Link>, recent: Duration) {
        let mut idle = self.idle.lock();
        let found = idle.iter_mut().rev().find(|idle| idle.link.manual && idle.link.state == link.state);
        if let Some(found) = found
            && found.since.elapsed() < recent
            && found.link.is_quiet()
        {
            std::mem::swap(&mut found.link, link);
        }
    }

    pub(crate) fn put(&self, mut link: Box<Link>, now: Instant) {
        link.shrink();
        self.idle.lock().push(Idle { link, since: now });
    }

    /// Closes links that have been idle or alive for too long, or that their server has closed.
    pub(crate) fn reap(&self, longest_idle: Duration, longest_life: Duration) {
        let spent = |idle: &mut Idle| {
            idle.since.elapsed() > longest_idle
                || idle.link.age(Instant::now()) > longest_life
                || !idle.link.is_quiet()
        };
        let spent: Vec<Idle> = self.idle.lock().extract_if(.., spent).collect();
        quit(spent);
    }

    /// Closes all idle links.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.idle.lock());
        quit(all);
    }
}

fn quit(links: Vec<Idle>) {
    for idle in links {
        idle.link.quit();
    }
}
