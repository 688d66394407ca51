//! A catalog as one session sees it: with its temporary tables in the place of others.

use std::sync::Arc;

use serval_types::NodeId;

use crate::{Catalog, Table};

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

impl Catalog {
    /// This catalog with temporary tables hiding those of the same names. `number` tells it from all other overlays
    /// that there have been in this process.
    #[must_use]
    pub fn with_temporary(&self, number: u64, tables: &[TemporaryTable]) -> Self {
        let mut catalog = Self { version: FIRST | number, ..self.clone() };
        for TemporaryTable { schema, name, node } in tables {
            let schemas = &mut catalog.schemas;
            if let Some(schema) = schemas.get_mut(&schema.to_lowercase()) {
                schema.tables.insert(name.to_lowercase(), Arc::new(Table::on_node(name, *node)));
            }
        }
        catalog
    }

    /// Whether it is one session's own, so that what is known of it is of no use to others.
    #[must_use]
    pub fn is_overlay(&self) -> bool {
        self.version >= FIRST
    }
}
