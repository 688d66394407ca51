//! `Route`: the leaf of every plan.

use serval_types::NodeId;

/// SQL for one or more targets.
///
/// With one target and nothing above it, the answer is relayed to the client undecoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Whom to ask, in the order of their groups. Never empty.
    pub targets: Vec<Target>,
    /// Whether a replica may answer, if the session's consistency allows it: plain reads, not locking ones.
    pub replica_safe: bool,
    /// How many columns at the end of each row are hidden.
    pub hidden: usize,
}

/// One statement for one data node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The data node, whose database is the connection's current one.
    pub node: NodeId,
    /// The shard of the sharded tables involved, where there are any: with it, physical names in metadata are
    /// mapped back to logical ones.
    pub shard: Option<usize>,
    /// The statement.
    pub sql: Vec<u8>,
    /// For each `?` of `sql` in order, which parameter of the client's statement it is. Empty for plain queries.
    pub parameters: Vec<u16>,
}

impl Target {
    /// A statement without parameters for a node, and the shard that its tables are there.
    #[must_use]
    pub fn new(node: NodeId, shard: Option<usize>, sql: Vec<u8>) -> Self {
        Self { node, shard, sql, parameters: Vec::new() }
    }
}
