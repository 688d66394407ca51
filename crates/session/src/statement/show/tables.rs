//! SHOW TABLES: the tables of a logical schema.

use std::collections::{BTreeMap, BTreeSet};

use serval_catalog::{Catalog, Placement, Schema, Table};
use serval_remote::Backend;
use serval_sql::Filter;
use serval_types::NodeId;

use super::place::is_hidden;
use crate::answer::Answer;
use crate::failure::{Failure, unknown_schema};
use crate::session::{Session, is_system_schema};

/// What is on one node: the kind of each table, by its physical name.
type Found = BTreeMap<String, String>;

/// The schema's tables in the order of their names.
pub(super) async fn rows<B: Backend>(
    session: &mut Session<B>,
    full: bool,
    schema: Option<&str>,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let name = session.schema_or_current(schema)?;
    let mut header = format!("Tables_in_{name}");
    if let Some(Filter::Like { pattern, .. }) = filter {
        header = format!("{header} ({pattern})");
    }
    let mut rows = Answer::of_text(if full { &["", "Table_type"] } else { &[""] });
    if let Some(column) = rows.columns.first_mut() {
        column.name = header.into();
    }
    for (table, kind) in list(session, &name).await? {
        if full { rows.push([table, kind]) } else { rows.push([table]) }
    }
    Ok(rows)
}

/// The tables of a schema and their kinds.
async fn list<B: Backend>(session: &mut Session<B>, name: &str) -> Result<Found, Failure> {
    let catalog = session.catalog();
    if is_system_schema(name) {
        let home = session.home(&catalog)?;
        return found(session, home, &format!("SHOW FULL TABLES FROM {name}")).await;
    }
    let schema = catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
    let mut nodes = BTreeMap::new();
    for node in nodes_of(schema) {
        nodes.insert(node, on_node(session, &catalog, node, schema.default_node == Some(node)).await?);
    }
    let mut tables = visible(schema, &nodes);
    let on_engines = catalog.engines.tables().filter(|table| table.schema.eq_ignore_ascii_case(name));
    tables.extend(on_engines.map(|table| (table.name.clone(), "BASE TABLE".to_owned())));
    Ok(tables)
}

/// The nodes to look at: the default one, and that of each table's first shard.
fn nodes_of(schema: &Schema) -> BTreeSet<NodeId> {
    let firsts = schema.tables.values().filter_map(|table| first_piece(table).map(|(node, _)| node));
    firsts.chain(schema.default_node).collect()
}

/// What is on a node; `None` where it cannot be reached, unless it is the default one.
async fn on_node<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    node: NodeId,
    needed: bool,
) -> Result<Option<Found>, Failure> {
    match found(session, node, "SHOW FULL TABLES").await {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Told(error)) if !needed && error.number == 1429 => {
            tracing::debug!(node = catalog.node(node).name, %error, "tables not listed");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn found<B: Backend>(session: &mut Session<B>, node: NodeId, sql: &str) -> Result<Found, Failure> {
    let answer = session.ask(node, sql).await?;
    let rows = 0..answer.rows.len();
    Ok(rows.filter_map(|row| Some((answer.text(row, 0)?, answer.text(row, 1)?))).collect())
}

/// Configured tables that exist, and what else is on the default node.
fn visible(schema: &Schema, nodes: &BTreeMap<NodeId, Option<Found>>) -> Found {
    let mut tables = Found::new();
    for table in schema.tables.values() {
        let Some((node, physical)) = first_piece(table) else { continue };
        match nodes.get(&node) {
            Some(Some(found)) => {
                let found = found.iter().find(|(name, _)| schema.is_called(table, physical, name));
                tables.extend(found.map(|(_, kind)| (table.name.clone(), kind.clone())));
            }
            // The node cannot be reached; a table with a definition existed when it could.
            _ if table.definition.is_some() => {
                tables.insert(table.name.clone(), "BASE TABLE".to_owned());
            }
            _ => {}
        }
    }
    let default = schema.default_node.and_then(|node| nodes.get(&node)).and_then(Option::as_ref);
    for (name, kind) in default.into_iter().flatten() {
        if !schema.knows(name) && !is_hidden(schema, name) {
            tables.insert(name.clone(), kind.clone());
        }
    }
    tables
}

/// The node and the physical name of a table's first shard.
pub(super) fn first_piece(table: &Table) -> Option<(NodeId, &str)> {
    match &table.placement {
        Placement::Node(node) => Some((*node, &table.name)),
        Placement::Global(nodes) => nodes.first().map(|node| (*node, &*table.name)),
        Placement::Sharded(sharding) => sharding.shards.first().map(|shard| (shard.node, &*shard.table)),
    }
}
