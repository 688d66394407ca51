//! The scratch server: where statements that need rows of several nodes at once are finished.

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
}

/// Who starts the scratch server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScratchHost {
    /// Serval does, beside itself.
    Managed,
    /// Somebody else does.
    Named,
}
