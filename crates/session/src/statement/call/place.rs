//! Where a procedure lies, and what its results may name.

use std::sync::Arc;

use serval_catalog::{Catalog, Placement, Schema};
use serval_planner::PlanTable;
use serval_remote::Backend;
use serval_types::{GroupId, NodeId};

use crate::failure::{Failure, no_schema, refused, unknown_schema};
use crate::session::{Session, is_system_schema};

/// The default node of a schema.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) node: NodeId,
    pub(super) group: GroupId,
    /// All tables of the schema that have a part there, for their names in columns and errors.
    pub(super) tables: Arc<[PlanTable]>,
}

impl Place {
    /// Where the procedures of a schema are.
    pub(super) fn find<B: Backend>(
        session: &Session<B>,
        catalog: &Catalog,
        schema: Option<&str>,
    ) -> Result<Self, Failure> {
        let name = schema.ok_or_else(no_schema)?;
        if is_system_schema(name) {
            return Err(refused("The servers' own procedures concern one server; call them there"));
        }
        let name = session.check_schema(name)?;
        let schema = catalog.schema(&name).ok_or_else(|| unknown_schema(&name))?;
        let Some(node) = schema.default_node else {
            return Err(refused(format!(
                "CALL needs a data node that the procedure lies on, and schema {name} has no default_node in the \
                 configuration"
            )));
        };
        Ok(Self { node, group: catalog.node(node).group, tables: tables(schema, node) })
    }
}

fn tables(schema: &Schema, node: NodeId) -> Arc<[PlanTable]> {
    let is_here = |placement: &Placement| match placement {
        Placement::Node(other) => *other == node,
        Placement::Sharded(sharding) => sharding.shards.iter().any(|shard| shard.node == node),
        Placement::Global(nodes) => nodes.contains(&node),
    };
    let declared = schema.tables.values().filter(|table| is_here(&table.placement)).cloned();
    // Any table that nobody declared, so that the database is known by the schema's name at least.
    let other = schema.table_or_default("any");
    declared.chain(other).map(|table| PlanTable { schema: schema.name.clone(), table }).collect()
}
