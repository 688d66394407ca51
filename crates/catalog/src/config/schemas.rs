//! `[schemas]`.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serval_types::NodeId;

use super::nodes::parse;
use super::tables::{Entry, table};
use super::{NodeNames, Sink, children, raw};
use crate::{Consistency, Placement, Rule, Schema, Schemas, Table, TransactionMode};

/// Where each table stands in the config: schema and table in lower case → the two keys.
#[derive(Debug, Default)]
pub(crate) struct Located(HashMap<(String, String), (String, String)>);

impl Located {
    /// The keys of a table's schema and of the table, as the config writes them.
    pub fn keys(&self, schema: &str, table: &str) -> Option<(&str, &str)> {
        let (schema, table) = self.0.get(&(schema.to_lowercase(), table.to_lowercase()))?;
        Some((schema, table))
    }
}

/// What tables refer to.
#[derive(Clone, Copy)]
pub(crate) struct References<'r> {
    pub nodes: &'r NodeNames,
    pub rules: &'r IndexMap<String, Arc<Rule>>,
    /// The tables that are known already, of which children choose their parents.
    pub parents: &'r IndexMap<String, Arc<Table>>,
}

/// The schemas by name in lower case.
pub(crate) fn schemas(
    config: &raw::Config,
    nodes: &NodeNames,
    rules: &IndexMap<String, Arc<Rule>>,
    sink: &mut Sink<'_>,
) -> (Schemas, Located) {
    let parents = IndexMap::new();
    let references = References { nodes, rules, parents: &parents };
    let mut schemas = Schemas::default();
    let mut located = Located::default();
    for (name, raw) in &config.schemas {
        let lower = name.to_lowercase();
        if schemas.contains_key(&lower) {
            let fix = "names of schemas compare without case; use another name";
            sink.error_at_key(&["schemas", name], format!("the schema `{name}` is defined twice"), fix);
            continue;
        }
        let schema = schema(name, raw, &references, &mut located, sink);
        schemas.insert(lower, schema);
    }
    (schemas, located)
}

fn schema(
    name: &str,
    raw: &raw::Schema,
    references: &References<'_>,
    located: &mut Located,
    sink: &mut Sink<'_>,
) -> Schema {
    let default_node = raw.default_node.as_ref().and_then(|node| {
        let place = sink.document.span(&["schemas", name, "default_node"]);
        references.nodes.find(node, place, sink)
    });
    let mut tables: IndexMap<String, Arc<Table>> = IndexMap::new();
    // Tables of engines are planned by nobody: see [`super::engines`].
    let planned = raw.tables.iter().filter(|(_, table)| table.engine.is_none());
    let (mut children, roots): (Vec<_>, Vec<_>) = planned.partition(|(_, table)| children::is_child(table));
    let mut reader = Reader { schema: name, default_node, references: *references, located, sink };
    for (key, table) in roots {
        reader.entry(key, table, &mut tables);
    }
    // Children after their parents, whatever their order in the config.
    while !children.is_empty() {
        let waits = |(_, table): &(&String, &raw::Table)| children::waits(table, &children);
        let (waiting, ready): (Vec<_>, Vec<_>) = children.iter().copied().partition(waits);
        if ready.is_empty() {
            children::report_circle(name, &waiting, reader.sink);
            break;
        }
        for (key, table) in ready {
            reader.entry(key, table, &mut tables);
        }
        children = waiting;
    }
    children::note(&mut tables);
    report_shared_tables(name, &tables, located, sink);
    Schema {
        name: name.to_owned(),
        tables,
        names: Arc::default(),
        default_node,
        transaction: match raw.transaction {
            None | Some(raw::Transaction::Atomic) => TransactionMode::Atomic,
            Some(raw::Transaction::BestEffort) => TransactionMode::BestEffort,
            Some(raw::Transaction::Single) => TransactionMode::Single,
        },
        consistency: match raw.consistency {
            None | Some(raw::Consistency::Primary) => Consistency::Primary,
            Some(raw::Consistency::Any) => Consistency::Any,
        },
    }
}

/// Reads the tables of a schema.
struct Reader<'r, 's, 'd> {
    schema: &'r str,
    default_node: Option<NodeId>,
    references: References<'r>,
    located: &'r mut Located,
    sink: &'s mut Sink<'d>,
}

impl Reader<'_, '_, '_> {
    /// The tables of one entry, whose name may be a range.
    fn entry(&mut self, key: &str, raw: &raw::Table, tables: &mut IndexMap<String, Arc<Table>>) {
        let (schema, default_node) = (self.schema, self.default_node);
        let path = ["schemas", schema, "tables", key];
        let sink = &mut *self.sink;
        let Some(pattern) = parse(sink.document.key_span(&path), key, sink) else { return };
        for index in 0..pattern.count.unwrap_or(1) {
            let entry = Entry { path, schema, default_node, index, count: pattern.count };
            let table_name = pattern.name(index);
            let lower = table_name.to_lowercase();
            if tables.contains_key(&lower) {
                sink.error_at_key(
                    &path,
                    format!("the table `{table_name}` is defined twice"),
                    "keep one of the two",
                );
                continue;
            }
            let references = References { parents: tables, ..self.references };
            if let Some(table) = table(&entry, &table_name, raw, &references, sink) {
                self.located
                    .0
                    .insert((schema.to_lowercase(), lower.clone()), (schema.to_owned(), key.to_owned()));
                tables.insert(lower, Arc::new(table));
            } else if index == 0 {
                // The other tables of the range have the same mistakes.
                return;
            }
        }
    }
}

/// Two tables of a schema must not share a table in a node, or one would show the other's rows.
fn report_shared_tables(
    schema: &str,
    tables: &IndexMap<String, Arc<Table>>,
    located: &Located,
    sink: &mut Sink<'_>,
) {
    let mut owners: HashMap<(NodeId, String), &str> = HashMap::new();
    for (lower, table) in tables {
        let Some((_, key)) = located.keys(schema, lower) else { continue };
        let path = ["schemas", schema, "tables", key];
        let pieces: Vec<(NodeId, &str)> = match &table.placement {
            Placement::Node(node) => vec![(*node, &table.name)],
            Placement::Global(nodes) => nodes.iter().map(|node| (*node, table.name.as_str())).collect(),
            Placement::Sharded(sharding) => {
                sharding.shards.iter().map(|s| (s.node, s.table.as_str())).collect()
            }
        };
        for (node, physical) in pieces {
            if physical.chars().count() > 64 {
                let message =
                    format!("the table's name in a node, `{physical}`, is longer than 64 characters");
                sink.error_at_key(&path, message, "shorten the table's name or the rule's `tables` pattern");
                break;
            }
            if let Some(other) = owners.insert((node, physical.to_lowercase()), &table.name) {
                let message =
                    format!("`{}` and `{other}` would share the table `{physical}` in a node", table.name);
                sink.error_at_key(
                    &path,
                    message,
                    "rename one of them, or change the rule's `tables` pattern",
                );
                break;
            }
        }
    }
}
