//! The scratch server: where statements that need rows of several nodes at once are finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{DataNode, Group};

/// The scratch server. It holds nothing between two statements, and nothing of it may reach a binary log.
///
/// Its group and its node have ids of their own, [`GroupId::SCRATCH`](serval_types::GroupId::SCRATCH) and
/// [`NodeId::SCRATCH`](serval_types::NodeId::SCRATCH), and are in no list of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// Who starts it.
    pub host: ScratchHost,
    /// The server as the backend reaches it; of one that Serval starts the address is settled by then.
    pub group: Group,
    /// The database in which temporary tables are made.
    pub node: DataNode,
    /// How many bytes of rows one statement may bring there.
    pub limit: usize,
    /// How many bytes all statements may have there, and have now.
    pub total: Total,
}

/// A number of bytes that statements which run at the same time share. Copies of it, as a reload makes them, count
/// together.
#[derive(Debug, Clone)]
pub struct Total {
    limit: usize,
    taken: Arc<AtomicUsize>,
}

/// By the limit: what is taken at the moment is no part of a config.
impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.limit == other.limit
    }
}

impl Eq for Total {}

impl Total {
    /// So many bytes, of which none are taken.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// This limit, for what `other` has counted and will count.
    #[must_use]
    pub fn counting_with(&self, other: &Self) -> Self {
        Self { limit: self.limit, taken: Arc::clone(&other.taken) }
    }

    /// Takes bytes, unless they would be too many.
    #[must_use]
    pub fn take(&self, bytes: usize) -> bool {
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.limit);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Gives back what has been taken.
    pub fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Who starts the scratch server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScratchHost {
    /// Serval does, beside itself.
    Managed,
    /// Somebody else does.
    Named,
}
