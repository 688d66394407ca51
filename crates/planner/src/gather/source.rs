//! One table of a gathered statement: its temporary table, and what reads its rows.

use std::sync::Arc;

use serval_catalog::{ColumnDef, Table};
use serval_types::{ColumnType, NodeId};

use super::columns::Named;
use super::derived::{Outcome, restricted};
use super::temporary::{Temporary, quoted};
use super::{Gathering, read, read_under};
use crate::analysis::{Nested, TableRef};
use crate::bound::Note;
use crate::error::PlanError;
use crate::operand::ClientText;
use crate::primitive::{GatherSource, GatheredResult, Held, Loading, Primitive, Reduction, Route, Target};

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
        if let Some(outcome) = self.outcome_of(index) {
            return self.result(index, outcome, named, reductions);
        }
        let columns = named.columns(index, &definition.columns);
        // Names of ours in a text of the client's character set.
        let in_utf8 = self.values.text == ClientText::Other && !self.select(found, &columns, &[]).is_ascii();
        let mut filters = if in_utf8 { Vec::new() } else { self.filters(index) };
        let rewrites = if in_utf8 { Vec::new() } else { self.asked_at_source(index, &columns, &mut filters) };
        let reduced = reductions.iter().map(|reduction| reduction.marker.clone());
        let predicates: Vec<String> = filters.iter().cloned().chain(reduced).collect();
        let sql = self.select(found, &columns, &predicates) + &self.lock_of(index);
        let Table { derived, held, .. } = &*found.table.table;
        let plain = reductions.is_empty() && !in_utf8 && held.is_none() && derived.is_none();
        let first = if plain { self.first_rows(index, &sql) } else { None };
        let rows = match (held, derived) {
            (Some(rows), _) => held_rows(rows, &definition.columns, &columns),
            (None, Some(_)) => of_node(found, sql),
            (None, None) => match &first {
                Some((rows, _)) => rows.clone(),
                None => read(self.planning, &found.table.schema, &sql, self.values)?,
            },
        };
        let first = first.map(|(_, first)| first);
        let rewrites = rewrites.into_iter().chain(first.map(|first| Note {
            rewrite: "top_at_source",
            reason: format!("the rows that LIMIT leaves are made of the first {first} of {}", found.exposed),
        }));
        let name = self.temporary_name(index);
        let table = Temporary { name: name.clone(), found, definition, columns: &columns, named };
        Ok(GatherSource {
            tables: index..index + 1,
            result: None,
            name,
            create: table.create()?,
            insert: table.insert(),
            in_utf8,
            copy_of: None,
            reductions,
            names: columns.iter().map(|column| quoted(&column.name)).collect(),
            columns: columns.iter().map(|column| loading(&column.column_type)).collect(),
            rows: Box::new(rows),
            filters: filters.len(),
            first,
            rewrites: rewrites.collect(),
        })
    }

    /// Whether the nodes can answer a term that asks a subquery, each for its own rows.
    pub(super) fn is_asked_at_source(&self, nested: &Nested) -> bool {
        let found = &self.analysis.refs[nested.table];
        let Some(definition) = found.table.table.definition.as_deref() else { return false };
        let columns: Vec<&ColumnDef> = definition.columns.iter().take(1).collect();
        let own = self.nested(nested.table).into_iter().any(|(text, _)| {
            let sql = self.select(found, &columns, &[text]);
            matches!(read(self.planning, &found.table.schema, &sql, self.values), Ok(Primitive::Route(_)))
        });
        own && found.table.table.sharding().is_some()
    }

    /// What reads the first rows of a reference, where others cannot count, and how many these are.
    fn first_rows(&self, index: usize, sql: &str) -> Option<(Primitive, u64)> {
        let found = &self.analysis.refs[index];
        let top = self.top(index)?;
        let sql = format!("{sql}{}", top.clauses);
        // Whether the order can be merged is the planner's to say.
        let rows = read(self.planning, &found.table.schema, &sql, self.values).ok()?;
        Some((rows, top.rows))
    }

    /// How the result of a query is brought.
    fn result(
        &self,
        index: usize,
        outcome: &Outcome,
        named: &Named,
        reductions: Vec<Reduction>,
    ) -> Result<GatherSource, PlanError> {
        let read = |text: &str| read_under(self.planning, self.planning.schema, text, self.values);
        let narrowed = reductions
            .iter()
            .try_fold(outcome.inner.clone(), |text, reduction| {
                restricted(&text, self.planning.options, &reduction.marker)
            })
            .and_then(|text| read(&text).ok());
        let (rows, reductions) = match narrowed {
            Some(rows) => (rows, reductions),
            None => (read(&outcome.inner)?, Vec::new()),
        };
        let name = self.temporary_name(index);
        let keys = keys_of_result(outcome, named);
        Ok(GatherSource {
            tables: 0..0,
            result: Some(GatheredResult {
                shown: outcome.shown.clone(),
                origins: outcome.columns.iter().map(|column| column.origin.clone()).collect(),
                typed: outcome.typed.clone(),
            }),
            // A query without groups gives a row of no rows, too.
            create: format!(
                "CREATE TEMPORARY TABLE {}{keys} AS SELECT * FROM ({}) AS `serval_typed` LIMIT 0",
                quoted(&name),
                outcome.select
            ),
            insert: format!("INSERT INTO {} VALUES ", quoted(&name)),
            name,
            in_utf8: false,
            copy_of: None,
            reductions,
            names: outcome.columns.iter().map(|column| quoted(&column.name)).collect(),
            columns: outcome.columns.iter().map(|column| column.loading).collect(),
            rows: Box::new(rows),
            filters: outcome.filters,
            first: None,
            rewrites: Vec::new(),
        })
    }

    /// What reads columns of a reference.
    fn select(&self, found: &TableRef, columns: &[&ColumnDef], filters: &[String]) -> String {
        let alias = quoted(&found.exposed);
        let cells: Vec<String> = columns
            .iter()
            .map(|column| cell(&column.column_type, &format!("{alias}.{}", quoted(&column.name))))
            .collect();
        let (schema, table) = (quoted(&found.table.schema), quoted(&found.table.table.name));
        let from = match &found.table.table.derived {
            Some(query) => format!("({query})"),
            None => {
                let partitions = self.partitions(found).map_or("", |at| at.text(self.planning.readable));
                format!("{schema}.{table}{partitions}")
            }
        };
        let mut sql = format!("SELECT {} FROM {from} AS {alias}", cells.join(", "));
        if !filters.is_empty() {
            sql.push_str(" WHERE ");
            sql.push_str(&filters.join(" AND "));
        }
        sql
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
            let sql = self.select(found, columns, &tried);
            // Whether the rows lie together is the planner's to say.
            if let Ok(Primitive::Route(_)) = read(self.planning, &found.table.schema, &sql, self.values) {
                filters.push(text);
                notes.push(note);
            }
        }
        notes
    }
}

/// The keys of a result, in parentheses: those that rows are found by, and what servers know of its groups.
fn keys_of_result(outcome: &Outcome, named: &Named) -> String {
    let unique = outcome.unique.iter().map(|columns| {
        let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        format!("UNIQUE KEY ({})", columns.join(", "))
    });
    let leads =
        |name: &str| outcome.unique.iter().any(|columns| columns.first().is_some_and(|first| first == name));
    let sought = outcome.columns.iter().filter(|column| {
        let number = matches!(column.loading, Loading::Number) && column.key.is_some();
        number && named.is_compared(&column.name) && !leads(&column.name)
    });
    let sought = sought.map(|column| format!("KEY ({})", quoted(&column.name)));
    let keys: Vec<String> = unique.chain(sought).collect();
    if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) }
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
        ColumnType::Float { .. } => format!("{column} * 1e0"),
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
