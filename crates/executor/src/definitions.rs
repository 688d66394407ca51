//! Tables as their servers define them, to refresh the catalog after DDL and at the start.
//!
//! A table is read from its first shard whose group answers. Only base tables are read: views and temporary tables
//! have no rows to place. Nothing is compared between shards here; that is [`compare()`]'s business.

mod changes;
mod compare;
mod shape;
mod views;

use std::collections::HashSet;

use serval_catalog::{Catalog, DataNode, Schema, Table};
use serval_remote::Backend;
use serval_types::{GroupId, NodeId};

use crate::error::ExecuteError;
use crate::places::{places, quoted};
use crate::query_rows::query_rows;

pub use changes::{Changes, announce};
pub use compare::{Change, Difference, change, compare};
pub use shape::{shape, without_counter};

/// What the names of Serval's own tables begin with, which no client sees.
pub(crate) const HIDDEN: &str = "serval_";

/// How many places of a table are asked for it, so that hundreds of monthly tables that are not there take no minute.
const MOST_PLACES: usize = 16;

/// ER_NO_SUCH_TABLE.
const NO_SUCH_TABLE: u16 = 1146;

/// What was found.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Logical names with the text of SHOW CREATE TABLE, in which the logical name stands too. A table that does
    /// not exist on its server is left out.
    pub definitions: Vec<(String, String)>,
    /// The logical names of tables that do not exist where they were looked for.
    pub absent: Vec<String>,
    /// What could not be asked, and why: a table's name, or the node whose tables could not be listed.
    pub failed: Vec<(String, ExecuteError)>,
    /// The schema's views that Serval expands: names with the text of SHOW CREATE VIEW, as the server that keeps them
    /// has it.
    pub views: Vec<(String, String)>,
    /// Whether those are all.
    pub all_views: bool,
}

/// Reads the definition of one table of a schema, or of all: those the catalog knows, and whatever else lies on the
/// default node.
pub async fn fetch<B: Backend>(backend: &B, catalog: &Catalog, schema: &str, table: Option<&str>) -> Fetched {
    let mut fetch = Fetch { backend, catalog, down: HashSet::new(), found: Fetched::default() };
    if let Some(schema) = catalog.schema(schema) {
        match table {
            Some(name) => {
                if let Some(table) = schema.table_or_default(name) {
                    fetch.named(schema, &table).await;
                }
            }
            None => fetch.all(schema).await,
        }
    }
    fetch.found
}

struct Fetch<'a, B: Backend> {
    backend: &'a B,
    catalog: &'a Catalog,
    /// Groups that did not answer; asking them again for each table would wait each time.
    down: HashSet<GroupId>,
    found: Fetched,
}

impl<B: Backend> Fetch<'_, B> {
    async fn all(&mut self, schema: &Schema) {
        for table in schema.tables.values().filter(|table| table.view.is_none()) {
            self.table(table).await;
        }
        self.views(schema, None).await;
        let Some(default) = schema.default_node else { return };
        for name in self.unnamed(schema, default).await {
            self.table(&Table::on_node(&name, default)).await;
        }
    }

    /// A table, or the view that stands in its place.
    async fn named(&mut self, schema: &Schema, table: &Table) {
        let was_view = table.view.is_some();
        if !was_view {
            self.table(table).await;
        }
        if was_view || self.found.absent.contains(&table.name) {
            self.views(schema, Some(&table.name)).await;
            if !self.found.views.is_empty() {
                self.found.absent.clear();
            }
        }
        if was_view && self.found.views.is_empty() {
            self.found.absent.push(table.name.clone());
            if let Some(default) = schema.default_node {
                self.table(&Table::on_node(&table.name, default)).await;
            }
        }
    }

    /// The tables on the default node that the catalog does not know.
    async fn unnamed(&mut self, schema: &Schema, default: NodeId) -> Vec<String> {
        let node = self.catalog.node(default);
        let sql = "SHOW FULL TABLES WHERE Table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')";
        let rows = match self.ask(node, sql).await {
            Ok(rows) => rows,
            Err(error) => {
                self.found.failed.push((node.name.to_string(), error));
                return Vec::new();
            }
        };
        let known = physical_names(self.catalog, &node.database, node.group);
        let names = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
        let names = names.map(|name| String::from_utf8_lossy(&name).into_owned());
        names
            .filter(|name| {
                schema.table(name).is_none() && !known.contains(name.as_str()) && !name.starts_with(HIDDEN)
            })
            .collect()
    }

    /// Asks the first place of a table whose group answers and that has it: after a definition that failed half-way
    /// others may lack it. Only where it is nowhere it counts as absent.
    async fn table(&mut self, table: &Table) {
        let (mut failure, mut is_absent, mut unasked) = (None, false, false);
        for (node, physical) in places(table).into_iter().take(MOST_PLACES) {
            let node = self.catalog.node(node);
            if self.down.contains(&node.group) {
                unasked = true;
                continue;
            }
            let sql = format!("SHOW CREATE TABLE {}", quoted(physical));
            match self.ask(node, &sql).await {
                Ok(rows) => return self.found.definitions.extend(definition(table, physical, rows)),
                Err(ExecuteError::Server(error)) if error.number == NO_SUCH_TABLE => is_absent = true,
                Err(ExecuteError::Remote(error)) => failure = Some(ExecuteError::Remote(error)),
                Err(error) => return self.found.failed.push((table.name.to_string(), error)),
            }
        }
        match failure {
            None if is_absent && !unasked => self.found.absent.push(table.name.clone()),
            failure => {
                let failure = failure.unwrap_or_else(|| ExecuteError::refused("None of its groups answers"));
                self.found.failed.push((table.name.to_string(), failure));
            }
        }
    }

    async fn ask(&mut self, node: &DataNode, sql: &str) -> Result<Vec<Vec<Option<Vec<u8>>>>, ExecuteError> {
        let answer = query_rows(self.backend, node.group, Some(&node.database), sql).await;
        if matches!(answer, Err(ExecuteError::Remote(_))) {
            self.down.insert(node.group);
        }
        answer
    }
}

/// The second cell of SHOW CREATE TABLE's row, which a view's row has not at this place as a CREATE TABLE.
fn definition(table: &Table, physical: &str, rows: Vec<Vec<Option<Vec<u8>>>>) -> Option<(String, String)> {
    let text = rows.into_iter().next()?.into_iter().nth(1)??;
    let text = String::from_utf8_lossy(&text);
    let is_table = text.starts_with("CREATE TABLE");
    is_table.then(|| (table.name.to_string(), text.replacen(&quoted(physical), &quoted(&table.name), 1)))
}

/// The names that the catalog's tables have in one database of a group.
fn physical_names<'a>(catalog: &'a Catalog, database: &str, group: GroupId) -> HashSet<&'a str> {
    let tables = catalog.schemas.values().flat_map(|schema| schema.tables.values());
    let places = tables.flat_map(|table| places(table));
    let here = places.filter(|(node, _)| {
        let node = catalog.node(*node);
        node.group == group && node.database == database
    });
    here.map(|(_, physical)| physical).collect()
}
