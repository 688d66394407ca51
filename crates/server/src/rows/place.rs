//! Where a part or copy of a table is, in terms that two configs share.

use serval_catalog::{Address, Catalog, Placement, Table};
use serval_types::{GroupId, NodeId};

/// One physical table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The group's id in its catalog.
    pub group: GroupId,
    /// The group's name.
    pub group_name: String,
    /// The data node's name.
    pub node: String,
    /// The database on the group's servers.
    pub database: String,
    /// The table's name there.
    pub table: String,
    servers: Vec<Address>,
}

impl Place {
    fn new(catalog: &Catalog, node: NodeId, table: &str) -> Self {
        let node = catalog.node(node);
        let group = catalog.group(node.group);
        Self {
            group: node.group,
            group_name: group.name.clone(),
            node: node.name.clone(),
            database: node.database.clone(),
            table: table.to_owned(),
            servers: group.servers.iter().map(|server| server.address.clone()).collect(),
        }
    }

    /// Whether both are the same table. A group may have got another name, or other servers, but not both.
    pub fn is(&self, other: &Self) -> bool {
        let shares = || self.servers.iter().any(|address| other.servers.contains(address));
        self.database == other.database
            && self.table == other.table
            && (self.group_name == other.group_name || shares())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}.{})", self.node, self.database, self.table)
    }
}

/// Where a table's parts or copies are. Those of a sharded table are in the order of its shards.
pub fn places(catalog: &Catalog, table: &Table) -> Vec<Place> {
    match &table.placement {
        Placement::Node(node) => vec![Place::new(catalog, *node, &table.name)],
        Placement::Global(nodes) => {
            nodes.iter().map(|node| Place::new(catalog, *node, &table.name)).collect()
        }
        Placement::Sharded(sharding) => {
            sharding.shards.iter().map(|shard| Place::new(catalog, shard.node, &shard.table)).collect()
        }
    }
}
