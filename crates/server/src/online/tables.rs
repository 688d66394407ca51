//! Whether a table is the same on all its nodes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use mysql_async::Conn;
use serval_catalog::{Catalog, Placement, Severity, Table, TableDefinition};
use serval_executor::definitions::{Change, change, without_counter};
use serval_sql::{LexOptions, create_table};
use serval_types::{GroupId, NodeId};

use crate::probe;

/// Every difference between the nodes of a table, one sentence each. A group whose primary is down has been
/// reported already and is left out.
pub async fn compare_all(catalog: &Catalog) -> Vec<String> {
    let mut primaries = Primaries::default();
    let mut problems = Vec::new();
    let mut definitions = Vec::new();
    for schema in catalog.schemas.values() {
        for table in schema.tables.values() {
            problems.extend(compare(catalog, &mut primaries, &schema.name, table, &mut definitions).await);
        }
    }
    // What the config says of a table must fit what it is on the servers: its sharding columns above all.
    let (_, found) = catalog.with_definitions(definitions);
    let wrong = found.into_iter().filter(|finding| finding.severity == Severity::Error);
    problems.extend(wrong.map(|finding| finding.to_string()));
    problems
}

async fn compare(
    catalog: &Catalog,
    primaries: &mut Primaries,
    schema: &str,
    table: &Table,
    definitions: &mut Vec<(String, TableDefinition)>,
) -> Vec<String> {
    let mut first: Option<(String, String)> = None;
    let mut problems = Vec::new();
    for (node, physical) in places(table) {
        let place = format!("{} of node {}", physical, catalog.node(node).name);
        let definition = match primaries.definition(catalog, node, &physical).await {
            None => continue,
            Some(Err(error)) => {
                problems.push(format!("table {schema}.{}: {place}: {error}", table.name));
                continue;
            }
            Some(Ok(sql)) => {
                if first.is_none() && table.sharding().is_some() {
                    let read = create_table::parse(&sql, LexOptions::default());
                    let named = |read| TableDefinition { name: table.name.to_string(), ..read };
                    definitions.extend(read.ok().map(|read| (schema.to_owned(), named(read))));
                }
                comparable(&sql, &physical)
            }
        };
        match &first {
            None => first = Some((place, definition)),
            Some((there, expected)) if *expected != definition => {
                let Change { what, clauses } = change(&definition, expected);
                let name = format!("`{}`.`{physical}`", catalog.node(node).database);
                problems.push(format!(
                    "table {schema}.{}: {place} differs from {there}: {}; repaired by: ALTER TABLE {name} {}",
                    table.name,
                    what.join("; "),
                    clauses.join(", ")
                ));
            }
            Some(_) => {}
        }
    }
    problems
}

/// Where the parts or copies of a table are: node and physical name.
fn places(table: &Table) -> Vec<(NodeId, String)> {
    match &table.placement {
        Placement::Node(node) => vec![(*node, table.name.to_string())],
        Placement::Global(nodes) => nodes.iter().map(|node| (*node, table.name.to_string())).collect(),
        Placement::Sharded(sharding) => {
            sharding.shards.iter().map(|shard| (shard.node, shard.table.to_string())).collect()
        }
    }
}

/// A definition without what may differ: the table's own name and the counter.
fn comparable(create: &str, physical: &str) -> String {
    without_counter(&create.replacen(&format!("`{physical}`"), "``", 1))
}

/// One connection per group's primary, kept while tables are compared.
#[derive(Default)]
struct Primaries {
    connections: HashMap<GroupId, Option<Conn>>,
}

impl Primaries {
    /// What SHOW CREATE TABLE says of a table in a node; `None` when the node's primary cannot be reached.
    async fn definition(
        &mut self,
        catalog: &Catalog,
        node: NodeId,
        physical: &str,
    ) -> Option<Result<String, String>> {
        let node = catalog.node(node);
        let conn = self.connection(catalog, node.group).await?;
        let sql = format!("SHOW CREATE TABLE `{}`.`{physical}`", node.database);
        let row = match probe::rows(conn, &sql).await {
            Ok(rows) => rows.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten()),
            Err(error) => return Some(Err(error)),
        };
        Some(row.ok_or_else(|| "SHOW CREATE TABLE gave nothing".to_owned()))
    }

    async fn connection(&mut self, catalog: &Catalog, id: GroupId) -> Option<&mut Conn> {
        match self.connections.entry(id) {
            Entry::Occupied(known) => known.into_mut().as_mut(),
            Entry::Vacant(place) => {
                let group = catalog.group(id);
                let connected = probe::connect(group, group.primary()).await;
                place.insert(connected.ok()).as_mut()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_and_the_counter_may_differ() {
        let one = "CREATE TABLE `e_202601` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4";
        let two = "CREATE TABLE `e_202602` (\n  `id` int\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        assert_eq!(comparable(one, "e_202601"), comparable(two, "e_202602"));
    }
}
