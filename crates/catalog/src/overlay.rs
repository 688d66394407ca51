//! A catalog as one session sees it: with its temporary tables in the place of others.

use std::sync::Arc;

use indexmap::IndexMap;
use serval_types::NodeId;

use crate::{Catalog, Clock, Placement, Rule, Schema, Table, TableDefinition};

/// The first of the versions that only one session's catalogs have.
const FIRST: u64 = 1 << 63;

/// A temporary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryTable {
    /// The schema's name.
    pub schema: String,
    /// The table's name.
    pub name: String,
    /// The node in whose database it is.
    pub node: NodeId,
}

/// A table on one node with its definition.
#[derive(Debug, Clone)]
pub struct DescribedTable {
    /// The schema's name.
    pub schema: String,
    /// Its columns and keys, and its name.
    pub definition: TableDefinition,
    /// The node that has its rows.
    pub node: NodeId,
    /// The query whose rows stand for its own.
    pub derived: Option<String>,
    /// Instead: the rows themselves, as payloads of text rows.
    pub held: Option<Arc<[Vec<u8>]>>,
}

impl Catalog {
    /// The same catalog at this time, one version on; `None` where no rule's window has gone on with the clock.
    #[must_use]
    pub fn rolled(&self, clock: &Clock) -> Option<Self> {
        let rolled = self.rules.iter().filter_map(|(name, rule)| Some((name, Arc::new(rule.rolled(clock)?))));
        let rolled: Vec<(String, Arc<Rule>)> = rolled.map(|(name, rule)| (name.clone(), rule)).collect();
        if rolled.is_empty() {
            return None;
        }
        let known = self.clock.as_ref().filter(|known| known.trusted && !clock.trusted);
        let clock = Some(known.unwrap_or(clock).clone());
        let version = self.version + 1;
        let mut catalog = Self { version, placed: version, clock, ..self.clone() };
        for (name, rule) in rolled {
            for table in catalog.schemas.values_mut().flat_map(|schema| schema.tables.values_mut()) {
                let Some(old) = table.sharding().filter(|sharding| sharding.rule.name == name) else {
                    continue;
                };
                let sharding = old.under(Arc::clone(&rule), &table.name);
                let placement = Placement::Sharded(Arc::new(sharding));
                *table = Arc::new(Table { placement, ..Table::clone(table) });
            }
            catalog.rules.insert(name, rule);
        }
        catalog.note_pieces();
        Some(catalog)
    }

    /// This catalog with temporary tables hiding those of the same names. `number` tells it from all other overlays
    /// that there have been in this process.
    #[must_use]
    pub fn with_temporary(&self, number: u64, tables: &[TemporaryTable]) -> Self {
        let mut catalog = Self { version: FIRST | number, ..self.clone() };
        for TemporaryTable { schema, name, node } in tables {
            let schemas = &mut catalog.schemas;
            if let Some(schema) = schemas.get_mut(&schema.to_lowercase()) {
                schema.hide(name, Table::on_node(name, *node));
            }
        }
        catalog
    }

    /// This catalog with the definitions of tables that are known for one statement only: temporary ones, views, and those
    /// of the servers' own schemas.
    #[must_use]
    pub fn with_described(&self, number: u64, tables: Vec<DescribedTable>) -> Self {
        let mut catalog = Self { version: FIRST | number, ..self.clone() };
        for DescribedTable { schema, definition, node, derived, held } in tables {
            let like = catalog.schemas.values().next().map(|schema| (schema.transaction, schema.consistency));
            let (transaction, consistency) = like.unwrap_or_default();
            let schema = catalog.schemas.entry(schema.to_lowercase()).or_insert_with(|| Schema {
                name: schema,
                tables: IndexMap::new(),
                names: Arc::default(),
                default_node: None,
                transaction,
                consistency,
            });
            let mut table = Table::on_node(&definition.name, node);
            table.derived = derived.map(Arc::from);
            table.held = held;
            let name = definition.name.clone();
            table.definition = Some(Arc::new(definition));
            schema.hide(&name, table);
        }
        catalog
    }

    /// This catalog with the views of a newer one; `None` where it lacks none.
    #[must_use]
    pub fn with_views_of(&self, number: u64, newer: &Self) -> Option<Self> {
        let mut catalog = Self { version: FIRST | number, ..self.clone() };
        catalog.keep_views(newer).then_some(catalog)
    }

    /// Whether it is one session's own, so that what is known of it is of no use to others.
    #[must_use]
    pub fn is_overlay(&self) -> bool {
        self.version >= FIRST
    }
}
