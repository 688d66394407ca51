//! One table of a gathered statement: its temporary table, and what reads its rows.

use serval_catalog::{ColumnDef, TableDefinition};
use serval_types::ColumnType;

use super::columns::Named;
use super::{Gathering, read, temporary_name};
use crate::analysis::TableRef;
use crate::error::PlanError;
use crate::physical::quote;
use crate::primitive::{GatherSource, Loading};

/// More keys than this cost more in loading than they bring.
const MOST_KEYS: usize = 4;
/// Longer texts are not indexed.
const LONGEST_KEY: u32 = 190;

impl Gathering<'_> {
    /// How the rows of one reference are brought.
    ///
    /// # Errors
    /// A refusal where the table's definition is not known or its types are not understood.
    pub(super) fn source(
        &self,
        index: usize,
        found: &TableRef,
        named: &Named,
    ) -> Result<GatherSource, PlanError> {
        let definition = found.table.table.definition.as_deref().ok_or_else(|| {
            PlanError::refused(format!(
                "The definition of table {}.{} is not known, so its rows cannot be gathered",
                found.table.schema, found.table.table.name
            ))
        })?;
        let columns = named.columns(index, &definition.columns);
        let filters = self.filters(found);
        let sql = select(found, &columns, &filters);
        let rows = read(self.planning, &found.table.schema, &sql, self.values)?;
        Ok(GatherSource {
            table: index,
            name: temporary_name(index),
            create: create(&temporary_name(index), definition, &columns, named)?,
            columns: columns.iter().map(|column| loading(&column.column_type)).collect(),
            rows: Box::new(rows),
            filters: filters.len(),
        })
    }
}

fn quoted(name: &str) -> String {
    let mut text = Vec::new();
    quote(name, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn select(found: &TableRef, columns: &[&ColumnDef], filters: &[String]) -> String {
    let alias = quoted(&found.exposed);
    let cells: Vec<String> = columns
        .iter()
        .map(|column| cell(&column.column_type, &format!("{alias}.{}", quoted(&column.name))))
        .collect();
    let (schema, table) = (quoted(&found.table.schema), quoted(&found.table.table.name));
    let mut sql = format!("SELECT {} FROM {schema}.{table} AS {alias}", cells.join(", "));
    if !filters.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&filters.join(" AND "));
    }
    sql
}

/// A column as text that loses nothing.
fn cell(column_type: &ColumnType, column: &str) -> String {
    match column_type {
        // As itself it is printed with six digits.
        ColumnType::Float => format!("{column} + 0e0"),
        // By number: the text of a member may be that of the error value, and bits are no text.
        ColumnType::Bit { .. } | ColumnType::Enum { .. } | ColumnType::Set { .. } => {
            format!("CAST({column} AS UNSIGNED)")
        }
        // In a time zone with summer time one hour stands twice.
        ColumnType::Timestamp { .. } => format!("UNIX_TIMESTAMP({column})"),
        _ => column.to_owned(),
    }
}

fn loading(column_type: &ColumnType) -> Loading {
    match column_type {
        ColumnType::Int { .. }
        | ColumnType::Decimal { .. }
        | ColumnType::Year
        | ColumnType::Bit { .. }
        | ColumnType::Enum { .. }
        | ColumnType::Set { .. } => Loading::Number,
        ColumnType::Timestamp { .. } => Loading::Timestamp,
        ColumnType::Json => Loading::Json,
        ColumnType::Other(name) if ["uuid", "inet4", "inet6"].contains(&&*name.to_lowercase()) => {
            Loading::Ascii
        }
        // As a string -0 keeps its sign.
        _ => Loading::Bytes,
    }
}

fn create(
    name: &str,
    definition: &TableDefinition,
    columns: &[&ColumnDef],
    named: &Named,
) -> Result<String, PlanError> {
    let mut items = Vec::with_capacity(columns.len() + MOST_KEYS);
    for column in columns {
        if column.declared.is_empty() {
            return Err(PlanError::refused(format!(
                "The type of column {} is not understood, so rows of table {} cannot be gathered",
                column.name, definition.name
            )));
        }
        let null = match (column.invisible, column.nullable) {
            (true, _) => "NULL INVISIBLE",
            // A TIMESTAMP that may be NULL has to say so.
            (false, true) => "NULL",
            (false, false) => "NOT NULL",
        };
        items.push(format!("{} {} {null}", quoted(&column.name), column.declared));
    }
    let keys = columns.iter().filter(|column| named.is_compared(&column.name) && is_indexable(column));
    items.extend(keys.take(MOST_KEYS).map(|column| format!("KEY ({})", quoted(&column.name))));
    let mut sql = format!("CREATE TEMPORARY TABLE {} ({})", quoted(name), items.join(", "));
    if let Some(charset) = &definition.charset {
        sql.push_str(&format!(" DEFAULT CHARSET={charset}"));
    }
    if let Some(collation) = &definition.collation {
        sql.push_str(&format!(" COLLATE={}", collation.name()));
    }
    Ok(sql)
}

fn is_indexable(column: &ColumnDef) -> bool {
    match &column.column_type {
        ColumnType::Text { length, .. } | ColumnType::Binary { length, .. } => {
            length.is_some_and(|length| length <= LONGEST_KEY)
        }
        ColumnType::Json | ColumnType::Other(_) => false,
        _ => true,
    }
}
