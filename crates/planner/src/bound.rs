//! A plan with its values filled in: what the executor runs and EXPLAIN prints.

use std::sync::Arc;

use serval_catalog::{Placement, Table};

use crate::primitive::Primitive;

/// A plan bound to nodes.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The tree to run.
    pub root: Primitive,
    /// The tables that the statement names, to map physical names in answers back to logical ones.
    pub tables: Arc<[PlanTable]>,
    /// Why the tree looks as it does: the rewrites that fired, in their order.
    pub notes: Arc<[Note]>,
}

/// One rewrite that fired, and what made it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The rewrite's name, for example `push_limit`.
    pub rewrite: &'static str,
    /// Its reason, for a reader of EXPLAIN.
    pub reason: String,
}

/// A table that a statement names.
#[derive(Debug, Clone)]
pub struct PlanTable {
    /// The logical schema.
    pub schema: String,
    /// The table.
    pub table: Arc<Table>,
}

impl PlanTable {
    /// The name of the table on the servers: that of the given shard, where the table is sharded.
    #[must_use]
    pub fn physical_name(&self, shard: Option<usize>) -> &str {
        match (&self.table.placement, shard) {
            (Placement::Sharded(sharding), Some(shard)) => {
                sharding.shards.get(shard).map_or(&*self.table.name, |shard| &shard.table)
            }
            _ => &self.table.name,
        }
    }
}
