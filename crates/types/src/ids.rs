//! Newtypes for what Serval counts, so that a group's number is never taken for a node's.

use std::fmt;

/// A replication group, a primary and its replicas, as the catalog counts them. A reload keeps it for a group that stays.
///
/// Statements that need several groups take their connections in the order of this number, so that two of them
/// never wait for each other in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u16);

/// A data node: the index of one physical database on one group in the catalog's list of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u16);

/// One client connection, as `CONNECTION_ID()` and `SHOW PROCESSLIST` name it. Unique within a proxy process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u32);

impl GroupId {
    /// The scratch server's group, which is in no list: it holds no data of its own.
    pub const SCRATCH: Self = Self(u16::MAX);
}

impl NodeId {
    /// The scratch server's database, where statements that need rows of several nodes at once are finished.
    pub const SCRATCH: Self = Self(u16::MAX);
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
