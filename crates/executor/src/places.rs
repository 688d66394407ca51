//! Where a table is on the servers.

use serval_catalog::{Placement, Table};
use serval_types::NodeId;

/// The nodes of a table's parts or copies, with its name there.
pub(crate) fn places(table: &Table) -> Vec<(NodeId, &str)> {
    match &table.placement {
        Placement::Node(node) => vec![(*node, &*table.name)],
        Placement::Global(nodes) => nodes.iter().map(|node| (*node, &*table.name)).collect(),
        Placement::Sharded(sharding) => {
            sharding.shards.iter().map(|shard| (shard.node, &*shard.table)).collect()
        }
    }
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
