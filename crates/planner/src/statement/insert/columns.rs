//! Which value of a row belongs to the sharding column, and which to the one that the sequence fills.

use serval_catalog::{Child, Sharding, ShardingColumn, Table};
use sqlparser::ast::{AssignmentTarget, Insert, ObjectName};

use crate::error::PlanError;

/// The columns of an INSERT.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<String>,
    sequence: Option<String>,
    keys: Vec<KeyColumn>,
    generated: GeneratedColumn,
}

/// Where the sharding column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyColumn {
    /// The value at this place.
    Listed(usize),
    /// The sequence fills it; the value at its place, if it is listed, may still bring its own.
    Generated,
    /// It is left out, and its default is the statement's instant.
    Now,
}

/// Where the sequence's column stands in a row.
#[derive(Debug)]
pub(super) enum GeneratedColumn {
    /// The table has no sequence.
    None,
    /// It is the value at this place.
    Listed(usize),
    /// It is not among the columns, so it is added behind them under this name.
    Appended(String),
}

impl Columns {
    /// The columns that the statement lists, or all visible ones of the table.
    ///
    /// # Errors
    /// Refusals where the sharding column is missing, or the table's columns are not known.
    pub(super) fn of(insert: &Insert, table: &Table, sharding: Option<&Sharding>) -> Result<Self, PlanError> {
        let names = listed(insert, table)?;
        let position = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let sequence = table.sequence.as_ref().map(|sequence| &*sequence.column);
        let generated = match sequence {
            None => GeneratedColumn::None,
            Some(column) => position(column)
                .map_or_else(|| GeneratedColumn::Appended(column.to_owned()), GeneratedColumn::Listed),
        };
        let keys = sharding.map_or(&[][..], |sharding| &sharding.columns);
        let key = |column: &ShardingColumn| key_column(table, &column.name, sequence, position(&column.name));
        let keys = keys.iter().map(key).collect::<Result<_, _>>()?;
        let sequence = sequence.map(str::to_owned);
        Ok(Self { names, sequence, keys, generated })
    }

    /// Where the keys stand that these children hold; `None` where the statement gives none.
    pub(super) fn led(&self, children: &[Child]) -> Vec<Option<KeyColumn>> {
        let place = |child: &Child| {
            let is_key = |name: &String| name.eq_ignore_ascii_case(&child.key.column);
            match self.sequence.as_ref().is_some_and(is_key) {
                true => Some(KeyColumn::Generated),
                false => self.names.iter().position(is_key).map(KeyColumn::Listed),
            }
        };
        children.iter().map(place).collect()
    }

    /// The name of the column of the value at this place.
    pub(super) fn name(&self, at: usize) -> &str {
        &self.names[at]
    }

    /// How many values a row has.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// Where the values of the sharding columns come from; none where rows go to every copy.
    pub(super) fn keys(&self) -> &[KeyColumn] {
        &self.keys
    }

    /// Where the sequence's column stands.
    pub(super) fn generated(&self) -> &GeneratedColumn {
        &self.generated
    }

    /// The name to add to the column list.
    pub(super) fn appended(&self) -> Option<&str> {
        match &self.generated {
            GeneratedColumn::Appended(name) => Some(name),
            GeneratedColumn::None | GeneratedColumn::Listed(_) => None,
        }
    }
}

/// Where the column's value stands in each row; `None` where the statement gives none, or nobody knows.
pub(super) fn position(insert: &Insert, table: &Table, column: &str) -> Option<usize> {
    listed(insert, table).ok()?.iter().position(|name| name.eq_ignore_ascii_case(column))
}

fn listed(insert: &Insert, table: &Table) -> Result<Vec<String>, PlanError> {
    let last =
        |name: &ObjectName| name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone());
    if !insert.assignments.is_empty() {
        let names = insert.assignments.iter().map(|assignment| match &assignment.target {
            AssignmentTarget::ColumnName(name) => last(name),
            AssignmentTarget::Tuple(_) => None,
        });
        return names
            .collect::<Option<_>>()
            .ok_or_else(|| PlanError::refused("This INSERT … SET is not understood"));
    }
    if !insert.columns.is_empty() {
        return insert
            .columns
            .iter()
            .map(last)
            .collect::<Option<_>>()
            .ok_or_else(|| PlanError::refused("The column list of this INSERT is not understood"));
    }
    let definition = table.definition.as_ref().ok_or_else(|| {
        PlanError::refused(format!(
            "The columns of {} are not known yet; list them in the INSERT, or write the schema snapshot (serval \
             snapshot)",
            table.name
        ))
    })?;
    Ok(definition
        .columns
        .iter()
        .filter(|column| !column.invisible)
        .map(|column| column.name.clone())
        .collect())
}

fn key_column(
    table: &Table,
    key: &str,
    sequence: Option<&str>,
    listed: Option<usize>,
) -> Result<KeyColumn, PlanError> {
    if sequence.is_some_and(|column| column.eq_ignore_ascii_case(key)) {
        return Ok(KeyColumn::Generated);
    }
    match listed {
        Some(at) => Ok(KeyColumn::Listed(at)),
        None if defaults_to_now(table, key) => Ok(KeyColumn::Now),
        None => Err(PlanError::refused(format!(
            "INSERT into the sharded table {} must give its sharding column {}",
            table.name, key
        ))),
    }
}

fn defaults_to_now(table: &Table, column: &str) -> bool {
    let column = table.definition.as_ref().and_then(|definition| definition.column(column));
    let default = column.and_then(|column| column.default.as_deref()).unwrap_or_default();
    default.get(..17).is_some_and(|start| start.eq_ignore_ascii_case("current_timestamp"))
}

/// Whether the last part of a name is `column`.
pub(super) fn is_named(name: &ObjectName, column: &str) -> bool {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(column))
}
