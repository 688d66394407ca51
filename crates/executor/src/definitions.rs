//! Tables as their servers define them, to refresh the catalog after DDL and at the start.
//!
//! A table is read from its first shard whose group answers. Only base tables are read: views and temporary tables
//! have no rows to place. Nothing is compared between shards here; that is [`compare()`]'s business.

mod changes;
mod compare;
mod shape;
mod views;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serval_catalog::{Catalog, DataNode, Schema, Table};
use serval_remote::Backend;
use serval_transaction::together;
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

/// The question for a node's tables.
const LIST: &str = "SHOW FULL TABLES WHERE Table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')";

/// The tables of nodes, or why they could not be listed.
type Lists = HashMap<NodeId, Result<Vec<String>, ExecuteError>>;

struct Fetch<'a, B: Backend> {
    backend: &'a B,
    catalog: &'a Catalog,
    /// Groups that did not answer; asking them again for each table would wait each time.
    down: HashSet<GroupId>,
    found: Fetched,
}

impl<B: Backend> Fetch<'_, B> {
    async fn all(&mut self, schema: &Schema) {
        // A config may name hundreds of tables that are nowhere yet; each would be asked for in many places.
        let mut lists = self.lists(schema).await;
        let lower = |list: &Vec<String>| list.iter().map(|name| name.to_lowercase()).collect();
        let there: HashMap<NodeId, HashSet<String>> =
            lists.iter().filter_map(|(node, list)| Some((*node, lower(list.as_ref().ok()?)))).collect();
        for table in schema.tables.values().filter(|table| table.view.is_none()) {
            self.table(table, &there).await;
        }
        self.views(schema, None).await;
        let Some(default) = schema.default_node else { return };
        match lists.remove(&default) {
            Some(Ok(names)) => {
                for name in self.unnamed(schema, default, names) {
                    self.table(&Table::on_node(&name, default), &there).await;
                }
            }
            Some(Err(error)) => {
                self.found.failed.push((self.catalog.node(default).name.to_string(), error));
            }
            None => {}
        }
    }

    /// The tables of the nodes on which the schema's may be, one question per node, all groups at once.
    async fn lists(&mut self, schema: &Schema) -> Lists {
        let places = schema.tables.values().flat_map(|table| places(table).into_iter().take(MOST_PLACES));
        let nodes: BTreeSet<NodeId> = places.map(|(node, _)| node).chain(schema.default_node).collect();
        let mut groups: BTreeMap<GroupId, Vec<NodeId>> = BTreeMap::new();
        for node in nodes {
            groups.entry(self.catalog.node(node).group).or_default().push(node);
        }
        let (backend, catalog) = (self.backend, self.catalog);
        let asked = groups.into_iter().map(|(group, nodes)| async move {
            let mut lists = Vec::with_capacity(nodes.len());
            for node in nodes {
                let database = &catalog.node(node).database;
                let list = query_rows(backend, group, Some(database), LIST).await.map(first_cells);
                let is_down = matches!(list, Err(ExecuteError::Remote(_)));
                lists.push((node, list));
                if is_down {
                    return (lists, Some(group));
                }
            }
            (lists, None)
        });
        let (lists, down): (Vec<_>, Vec<_>) = together(asked).await.into_iter().unzip();
        self.down.extend(down.into_iter().flatten());
        lists.into_iter().flatten().collect()
    }

    /// A table, or the view that stands in its place.
    async fn named(&mut self, schema: &Schema, table: &Table) {
        let was_view = table.view.is_some();
        let anywhere = HashMap::new();
        if !was_view {
            self.table(table, &anywhere).await;
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
                self.table(&Table::on_node(&table.name, default), &anywhere).await;
            }
        }
    }

    /// Those of the default node's tables that the catalog does not know.
    fn unnamed(&self, schema: &Schema, default: NodeId, names: Vec<String>) -> Vec<String> {
        let node = self.catalog.node(default);
        let known = physical_names(self.catalog, &node.database, node.group);
        names
            .into_iter()
            .filter(|name| !schema.knows(name) && !known.contains(name.as_str()) && !name.starts_with(HIDDEN))
            .collect()
    }

    /// Asks the first place of a table whose group answers and that has it: after a definition that failed half-way
    /// others may lack it. Only where it is nowhere it counts as absent. Nodes whose tables are listed in `there` are asked
    /// for what they have.
    async fn table(&mut self, table: &Table, there: &HashMap<NodeId, HashSet<String>>) {
        let (mut failure, mut is_absent, mut unasked) = (None, false, false);
        for (node, physical) in places(table).into_iter().take(MOST_PLACES) {
            if there.get(&node).is_some_and(|names| !names.contains(&physical.to_lowercase())) {
                is_absent = true;
                continue;
            }
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

fn first_cells(rows: Vec<Vec<Option<Vec<u8>>>>) -> Vec<String> {
    let cells = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
    cells.map(|cell| String::from_utf8_lossy(&cell).into_owned()).collect()
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
