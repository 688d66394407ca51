//! The node that holds an object.

use std::collections::BTreeSet;

use serval_catalog::{Catalog, Placement, Schema};
use serval_planner::PlanTable;
use serval_remote::Backend;
use serval_sql::{Stored, StoredAction, StoredObject, TableName};
use serval_types::NodeId;

use super::{schema_of, what};
use crate::failure::{Failure, no_schema, refused, unknown_schema};
use crate::literal::quote;
use crate::session::{Session, is_system_schema};

/// Where an object is, or goes.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) schema: String,
    pub(super) node: NodeId,
    /// The views or the trigger's table, for names in errors.
    pub(super) tables: Vec<PlanTable>,
}

impl Place {
    pub(super) async fn find<B: Backend>(session: &mut Session<B>, stored: &Stored) -> Result<Self, Failure> {
        let all = stored.names.iter().chain(&stored.table).chain(&stored.rename_to);
        let mut schemas = all.map(|name| schema(session, name)).collect::<Result<Vec<_>, _>>()?;
        schemas.dedup();
        let [schema] = &*schemas else {
            return Err(refused(format!(
                "{} and what it names have to be in one schema here; use one statement for each",
                what(stored)
            )));
        };
        let catalog = session.catalog();
        let found = catalog.schema(schema).ok_or_else(|| unknown_schema(schema))?;
        let mut place = Self { schema: schema.clone(), node: NodeId(0), tables: Vec::new() };
        place.node = match (stored.object, &stored.table) {
            (StoredObject::View, _) => place.of_tables(found, &stored.names, stored)?,
            (StoredObject::Trigger, Some(table)) => {
                place.of_tables(found, std::slice::from_ref(table), stored)?
            }
            (StoredObject::Trigger, None) => of_trigger(session, &catalog, found, &stored.names).await?,
            _ => default_node(found, stored)?,
        };
        Ok(place)
    }

    /// The one node of tables that are neither split nor copied.
    fn of_tables(
        &mut self,
        schema: &Schema,
        names: &[TableName],
        stored: &Stored,
    ) -> Result<NodeId, Failure> {
        let mut nodes = BTreeSet::new();
        for name in names {
            let name = &name.table.value;
            let table = schema.table_or_default(name).ok_or_else(|| no_default(schema, stored))?;
            match &table.placement {
                Placement::Node(node) => nodes.insert(*node),
                Placement::Global(_) | Placement::Sharded(_) => {
                    return Err(refused(format!(
                        "{} for table {name}, which lies on several data nodes, is not supported; define it on the \
                         servers of each of them",
                        what(stored)
                    )));
                }
            };
            self.tables.push(PlanTable { schema: schema.name.clone(), table });
        }
        match (nodes.len(), nodes.first()) {
            (1, Some(node)) => Ok(*node),
            _ => Err(refused("The views lie on several data nodes; use one statement for each")),
        }
    }
}

fn schema<B: Backend>(session: &Session<B>, name: &TableName) -> Result<String, Failure> {
    let named = schema_of(name, session.schema.as_deref()).ok_or_else(no_schema)?;
    if is_system_schema(named) {
        return Err(refused("Nothing can be defined in the servers' own schemas through Serval"));
    }
    Ok(session.check_schema(named)?)
}

fn default_node(schema: &Schema, stored: &Stored) -> Result<NodeId, Failure> {
    schema.default_node.ok_or_else(|| no_default(schema, stored))
}

fn no_default(schema: &Schema, stored: &Stored) -> Failure {
    refused(format!(
        "{} needs a data node to lie on, and schema {} has no default_node in the configuration",
        what(stored),
        schema.name
    ))
}

/// The nodes that may hold triggers: the default one, and those of tables that lie on one.
pub(in crate::statement) fn trigger_nodes(schema: &Schema) -> BTreeSet<NodeId> {
    let of_tables = schema.tables.values().filter_map(|table| match &table.placement {
        Placement::Node(node) => Some(*node),
        Placement::Global(_) | Placement::Sharded(_) => None,
    });
    of_tables.chain(schema.default_node).collect()
}

/// The node with a trigger of this name; it is not said which table it belongs to.
async fn of_trigger<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    schema: &Schema,
    names: &[TableName],
) -> Result<NodeId, Failure> {
    let nodes = trigger_nodes(schema);
    let Some(name) = names.first() else { return Err(no_schema().into()) };
    let quoted = quote(name.table.value.as_bytes(), "utf8mb4");
    for node in nodes.iter().copied().filter(|_| nodes.len() > 1) {
        let database = quote(catalog.node(node).database.as_bytes(), "utf8mb4");
        let sql = format!(
            "SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {database} AND TRIGGER_NAME = {quoted}"
        );
        if !session.ask(node, &sql).await?.rows.is_empty() {
            return Ok(node);
        }
    }
    let stored = Stored { ..of_drop(name) };
    schema.default_node.or(nodes.first().copied()).ok_or_else(|| no_default(schema, &stored))
}

fn of_drop(name: &TableName) -> Stored {
    Stored {
        action: StoredAction::Drop,
        object: StoredObject::Trigger,
        names: vec![name.clone()],
        rename_to: None,
        definer: None,
        table: None,
        query: None,
        columns: Vec::new(),
        check: false,
        or_replace: false,
        if_exists: false,
        body: serval_sql::Span::default(),
    }
}
