//! The copies of a global table: whether they hold the same rows, and making them do so.
//!
//! A table is gone through in chunks of its primary key, so that no statement runs long and nothing is locked for long.
//! Each server sums its rows up as checksums; rows travel only where chunks differ and only for a repair. A write that
//! is being committed may be seen on one node and not yet on another, so a chunk that differs is looked at again before
//! it counts.

mod check;
mod expressions;
mod key;
mod repair;

use serval_catalog::{Catalog, Placement, Table};
use serval_types::NodeId;

pub use check::{CopyState, check};
pub use repair::{Repaired, Wanted, repair};

use expressions::Columns;
use key::Range;

/// How many rows of the table make a chunk.
const CHUNK_ROWS: usize = 1000;

/// What is checked or repaired: the table, its nodes, and its columns as SQL sees them.
struct Subject<'a> {
    catalog: &'a Catalog,
    table: &'a Table,
    nodes: &'a [NodeId],
    columns: Columns,
}

impl<'a> Subject<'a> {
    fn of(catalog: &'a Catalog, schema: &str, table: &str) -> Result<Self, String> {
        let found = catalog.table(schema, table);
        let table = found.ok_or_else(|| format!("{schema}.{table} is not in the configuration"))?;
        let Placement::Global(nodes) = &table.placement else {
            return Err(format!("{schema}.{} is not a global table", table.name));
        };
        let definition = table.definition.as_deref().ok_or_else(|| {
            format!("the definition of {schema}.{} is not known; is it there on the servers?", table.name)
        })?;
        Ok(Self { catalog, table, nodes, columns: Columns::of(definition) })
    }

    fn name(&self, node: NodeId) -> String {
        self.catalog.node(node).name.clone()
    }
}
