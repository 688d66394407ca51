//! Estimates of tables with several pieces: added up, as SHOW TABLE STATUS does.

use std::collections::HashMap;
use std::fmt::Write as _;

use serval_remote::Backend;

use super::layout::{Part, places};
use super::source::name;
use super::{Source, View};
use crate::failure::Failure;
use crate::literal::quote;
use crate::session::Session;
use crate::statement::show::table_status;

/// The columns of TABLES that add up, and those of SHOW TABLE STATUS that they are.
const SUMS: [(&str, &str); 4] = [
    ("TABLE_ROWS", "Rows"),
    ("DATA_LENGTH", "Data_length"),
    ("INDEX_LENGTH", "Index_length"),
    ("DATA_FREE", "Data_free"),
];

/// A counter or checksum of one piece says nothing of the table.
const UNKNOWN: [&str; 2] = ["AUTO_INCREMENT", "CHECKSUM"];

/// What is known of tables with several pieces.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// By schema, table and column of TABLES: the sum, or that there is none.
    sums: HashMap<(String, String, String), Option<u64>>,
}

/// The sums, where the query asks for them.
pub(super) async fn of<B: Backend>(
    session: &mut Session<B>,
    view: &View<'_>,
    source: &Source<'_>,
) -> Result<Sizes, Failure> {
    let mut sizes = Sizes::default();
    if source.shape.name != "TABLES" {
        return Ok(sizes);
    }
    let asks = |wanted: &str| source.columns.iter().any(|column| name(column).eq_ignore_ascii_case(wanted));
    let sums = SUMS.iter().any(|(column, _)| asks(column));
    if !sums && !UNKNOWN.iter().any(|column| asks(column)) {
        return Ok(sizes);
    }
    let mut schemas: Vec<&str> = view.layout.parts.iter().map(|part| &*part.schema).collect();
    schemas.dedup();
    for schema in schemas {
        sizes.add(session, view, schema, sums).await?;
    }
    Ok(sizes)
}

impl Sizes {
    async fn add<B: Backend>(
        &mut self,
        session: &mut Session<B>,
        view: &View<'_>,
        schema: &str,
        sums: bool,
    ) -> Result<(), Failure> {
        let tables = view.catalog.schema(schema).into_iter().flat_map(|schema| schema.tables.values());
        let split: Vec<String> = tables
            .filter(|table| table.sharding().is_some() && places(table).len() > 1)
            .map(|table| table.name.clone())
            .collect();
        if split.is_empty() {
            return Ok(());
        }
        for (table, column) in split.iter().flat_map(|table| UNKNOWN.map(|column| (table, column))) {
            self.sums.insert((schema.to_owned(), table.clone(), column.to_owned()), None);
        }
        if !sums {
            return Ok(());
        }
        let status = table_status::rows(session, Some(schema)).await?;
        let at =
            |wanted: &str| status.columns.iter().position(|column| column.name.as_ref() == wanted.as_bytes());
        for row in 0..status.rows.len() {
            let Some(table) = status.text(row, 0).filter(|table| split.contains(table)) else { continue };
            for (column, shown) in SUMS {
                let sum = at(shown).and_then(|at| status.text(row, at)).and_then(|sum| sum.parse().ok());
                self.sums.insert((schema.to_owned(), table.clone(), column.to_owned()), sum);
            }
        }
        Ok(())
    }

    /// The column's expression, where it is one of a sum.
    pub(super) fn column(&self, part: &Part, column: &str, table: &str, value: &str) -> Option<String> {
        let mut text = String::new();
        for (physical, logical) in &part.tables {
            let key = (part.schema.clone(), logical.clone(), column.to_owned());
            if let Some(sum) = self.sums.get(&key) {
                let sum = sum.map_or_else(|| "NULL".to_owned(), |sum| sum.to_string());
                let sum = format!("CAST({sum} AS UNSIGNED)");
                // Writing to a String cannot fail.
                let _ = write!(text, " WHEN {} THEN {sum}", quote(physical.as_bytes(), "utf8mb4"));
            }
        }
        (!text.is_empty()).then(|| format!("CASE {table}{text} ELSE {value} END"))
    }
}
