//! One table of a gathered statement: its temporary table, and what reads its rows.

use std::sync::Arc;

use serval_catalog::{ColumnDef, Table};
use serval_types::{ColumnType, NodeId};

use super::columns::Named;
use super::temporary::{Temporary, quoted};
use super::{Gathering, read, temporary_name};
use crate::analysis::TableRef;
use crate::bound::Note;
use crate::error::PlanError;
use crate::operand::ClientText;
use crate::primitive::{GatherSource, Held, Loading, Primitive, Reduction, Route, Target};

impl Gathering<'_> {
    /// How the rows of one reference are brought.
    ///
    /// # Errors
    /// [`PlanError::Undefined`] where the table's definition is not known yet, and a refusal where its types are not
    /// understood.
    pub(super) fn source(
        &self,
        index: usize,
        found: &TableRef,
        named: &Named,
        reductions: Vec<Reduction>,
    ) -> Result<GatherSource, PlanError> {
        let definition = found.table.table.definition.as_deref().ok_or_else(|| PlanError::Undefined {
            schema: found.table.schema.clone(),
            table: found.table.table.name.clone(),
        })?;
        let columns = named.columns(index, &definition.columns);
        // Names of ours in a text of the client's character set.
        let in_utf8 = self.values.text == ClientText::Other && !select(found, &columns, &[]).is_ascii();
        let mut filters = if in_utf8 { Vec::new() } else { self.filters(index) };
        let rewrites = if in_utf8 { Vec::new() } else { self.asked_at_source(index, &columns, &mut filters) };
        let reduced = reductions.iter().map(|reduction| reduction.marker.clone());
        let predicates: Vec<String> = filters.iter().cloned().chain(reduced).collect();
        let sql = select(found, &columns, &predicates) + &self.lock_of(index);
        let Table { derived, held, .. } = &*found.table.table;
        let rows = match (held, derived) {
            (Some(rows), _) => held_rows(rows, &definition.columns, &columns),
            (None, Some(_)) => of_node(found, sql),
            (None, None) => read(self.planning, &found.table.schema, &sql, self.values)?,
        };
        let table = Temporary { name: temporary_name(index), found, definition, columns: &columns, named };
        Ok(GatherSource {
            table: index,
            name: temporary_name(index),
            create: table.create()?,
            insert: table.insert(),
            in_utf8,
            copy_of: None,
            reductions,
            names: columns.iter().map(|column| quoted(&column.name)).collect(),
            columns: columns.iter().map(|column| loading(&column.column_type)).collect(),
            rows: Box::new(rows),
            filters: filters.len(),
            rewrites,
        })
    }

    /// Adds to the filters those that need other tables of the same shard; the rewrites that made them.
    fn asked_at_source(&self, index: usize, columns: &[&ColumnDef], filters: &mut Vec<String>) -> Vec<Note> {
        let found = &self.analysis.refs[index];
        let mut notes = Vec::new();
        if found.table.table.sharding().is_none() {
            return notes;
        }
        for (text, note) in self.nested(index).into_iter().chain(self.semi_joins(index)) {
            let tried: Vec<String> = filters.iter().chain([&text]).cloned().collect();
            let sql = select(found, columns, &tried);
            // Whether the rows lie together is the planner's to say.
            if let Ok(Primitive::Route(_)) = read(self.planning, &found.table.schema, &sql, self.values) {
                filters.push(text);
                notes.push(note);
            }
        }
        notes
    }
}

fn select(found: &TableRef, columns: &[&ColumnDef], filters: &[String]) -> String {
    let alias = quoted(&found.exposed);
    let cells: Vec<String> = columns
        .iter()
        .map(|column| cell(&column.column_type, &format!("{alias}.{}", quoted(&column.name))))
        .collect();
    let (schema, table) = (quoted(&found.table.schema), quoted(&found.table.table.name));
    let from = match &found.table.table.derived {
        Some(query) => format!("({query})"),
        None => format!("{schema}.{table}"),
    };
    let mut sql = format!("SELECT {} FROM {from} AS {alias}", cells.join(", "));
    if !filters.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&filters.join(" AND "));
    }
    sql
}

/// Rows that are here already: no predicate has to reach them, since the statement has it still.
fn held_rows(rows: &Arc<[Vec<u8>]>, all: &[ColumnDef], brought: &[&ColumnDef]) -> Primitive {
    let position = |column: &&ColumnDef| all.iter().position(|other| other.name == column.name);
    let cells = brought.iter().filter_map(position).collect();
    Primitive::Held(Held { rows: Arc::clone(rows), cells })
}

/// What reads rows of one node as they are.
fn of_node(found: &TableRef, sql: String) -> Primitive {
    let node = found.table.table.placement.nodes().first().copied().unwrap_or(NodeId(0));
    let targets = vec![Target::new(node, None, sql.into_bytes())];
    Primitive::Route(Route { targets, replica_safe: true, hidden: 0 })
}

/// A column as text that loses nothing.
fn cell(column_type: &ColumnType, column: &str) -> String {
    match column_type {
        // As itself it is printed with six digits.
        ColumnType::Float => format!("{column} * 1e0"),
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
