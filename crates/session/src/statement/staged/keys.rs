//! The keys of rows: what tells each of them from all others, on whichever shard.

use serval_catalog::{ColumnDef, TableDefinition};
use serval_planner::PlanTable;
use serval_types::ColumnType;

use super::decides;
use crate::failure::{Failure, refused};
use crate::literal::identifier;

/// The columns that name one row of a table.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    pub(super) columns: Vec<&'a ColumnDef>,
    /// Which of them are sharding columns, where there are others too or these are several.
    sharding: Vec<usize>,
}

impl<'a> Keys<'a> {
    /// The primary key, and those of the sharding columns that it does not contain, since such a key is unique on each
    /// shard only.
    ///
    /// # Errors
    /// 1235 without a primary key, or where its values have no exact text.
    pub(super) fn of(table: &'a PlanTable) -> Result<Self, Failure> {
        let name = &table.table.name;
        let none = || {
            refused(format!(
                "This statement over several shards needs a primary key in {name}, by which it finds the rows again; add \
                 one, or fix the sharding column to one value"
            ))
        };
        let definition: &TableDefinition = table.table.definition.as_deref().ok_or_else(none)?;
        let whole = definition.unique_keys.iter().all(|key| key.name != "PRIMARY");
        if definition.primary_key.is_empty() || !whole {
            return Err(none());
        }
        let mut names: Vec<&str> = definition.primary_key.iter().map(String::as_str).collect();
        let sharding = table.table.sharding();
        for column in sharding.into_iter().flat_map(|sharding| &sharding.columns) {
            if !names.iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
                names.push(&column.name);
            }
        }
        let columns: Option<Vec<&ColumnDef>> = names.iter().map(|name| definition.column(name)).collect();
        let columns = columns.ok_or_else(none)?;
        if let Some(column) = columns.iter().find(|column| !is_exact(&column.column_type)) {
            return Err(refused(format!(
                "Rows of {name} cannot be found again by {}, whose type has no exact text; fix the sharding column to one \
                 value",
                column.name
            )));
        }
        let is_deciding = |at: &usize| decides(&table.table, &columns[*at].name);
        let sharding = (0..columns.len()).filter(is_deciding).filter(|_| columns.len() > 1).collect();
        Ok(Self { columns, sharding })
    }

    /// Whether one of them has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The select list.
    pub(super) fn list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| identifier(&column.name)).collect();
        names.join(", ")
    }

    /// Which of them decide about shards, as the planner has to read them.
    pub(super) fn decide(&self) -> Vec<bool> {
        let count = self.columns.len();
        (0..count).map(|at| count == 1 || self.sharding.contains(&at)).collect()
    }

    /// The condition that is true for these rows.
    pub(super) fn condition(&self, rows: &[Vec<String>]) -> String {
        if rows.is_empty() {
            return "0 = 1".to_owned();
        }
        if self.columns.len() == 1 {
            let values: Vec<&str> = rows.iter().filter_map(|row| row.first()).map(String::as_str).collect();
            return format!("{} IN ({})", self.list(), values.join(", "));
        }
        let tuples: Vec<String> = rows.iter().map(|row| format!("({})", row.join(", "))).collect();
        let all = format!("({}) IN ({})", self.list(), tuples.join(", "));
        // What routes, and what a server need not look at. The tuples themselves tell which of the combinations there are.
        let mut condition = String::new();
        for &at in &self.sharding {
            let mut values: Vec<&str> =
                rows.iter().filter_map(|row| row.get(at)).map(String::as_str).collect();
            values.sort_unstable();
            values.dedup();
            let name = identifier(&self.columns[at].name);
            condition.push_str(&format!("{name} IN ({}) AND ", values.join(", ")));
        }
        condition + &all
    }
}

/// Whether a literal finds exactly the row that has the value.
fn is_exact(column_type: &ColumnType) -> bool {
    !matches!(
        column_type,
        ColumnType::Float { .. }
            | ColumnType::Double { .. }
            | ColumnType::Timestamp { .. }
            | ColumnType::Enum { .. }
            | ColumnType::Set { .. }
            | ColumnType::Json
            | ColumnType::Other(_)
    )
}
