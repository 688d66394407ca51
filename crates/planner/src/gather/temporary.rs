//! The temporary table that stands for one mention of a table.

use serval_catalog::{ColumnDef, Placement, TableDefinition, Uniqueness};
use serval_types::ColumnType;

use super::columns::Named;
use crate::analysis::TableRef;
use crate::error::PlanError;
use crate::physical::quote;

/// More keys than this cost more in loading than they bring.
const MOST_KEYS: usize = 4;
/// Longer texts are not indexed.
const LONGEST_KEY: u32 = 190;

/// A temporary table to be made.
pub(super) struct Temporary<'a> {
    pub(super) name: String,
    pub(super) found: &'a TableRef,
    pub(super) definition: &'a TableDefinition,
    /// The columns that are brought.
    pub(super) columns: &'a [&'a ColumnDef],
    pub(super) named: &'a Named,
}

impl Temporary<'_> {
    /// Its CREATE TEMPORARY TABLE.
    ///
    /// # Errors
    /// A refusal where a column's type is not understood.
    pub(super) fn create(&self) -> Result<String, PlanError> {
        let mut items = Vec::with_capacity(self.columns.len() + MOST_KEYS);
        for column in self.columns {
            items.push(self.column(column)?);
        }
        items.extend(self.keys());
        let mut sql = format!("CREATE TEMPORARY TABLE {} ({})", quoted(&self.name), items.join(", "));
        if let Some(charset) = &self.definition.charset {
            sql.push_str(&format!(" DEFAULT CHARSET={charset}"));
        }
        if let Some(collation) = &self.definition.collation {
            sql.push_str(&format!(" COLLATE={}", collation.name()));
        }
        Ok(sql)
    }

    /// The beginning of an INSERT into it. A list of columns is needed only for those that are not seen otherwise.
    pub(super) fn insert(&self) -> String {
        let name = quoted(&self.name);
        if !self.columns.iter().any(|column| column.invisible) {
            return format!("INSERT INTO {name} VALUES ");
        }
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        format!("INSERT INTO {name} ({}) VALUES ", columns.join(", "))
    }

    fn column(&self, column: &ColumnDef) -> Result<String, PlanError> {
        if column.declared.is_empty() {
            return Err(PlanError::refused(format!(
                "The type of column {} is not understood, so rows of table {} cannot be gathered",
                column.name, self.definition.name
            )));
        }
        let name = quoted(&column.name);
        let null = match (column.invisible, column.nullable) {
            (true, _) => "NULL INVISIBLE",
            // A TIMESTAMP that may be NULL has to say so.
            (false, true) => "NULL",
            (false, false) => "NOT NULL",
        };
        let default = match &column.default {
            Some(default) if self.named.asks_defaults() => format!(" DEFAULT {default}"),
            _ => String::new(),
        };
        let check = if column.json_checked { format!(" CHECK (json_valid({name}))") } else { String::new() };
        Ok(format!("{name} {} {null}{default}{check}", column.declared))
    }

    /// The unique keys, by which servers know that one column follows from another, and those that rows are found by.
    fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut leading: Vec<String> = Vec::new();
        let primary = &self.definition.primary_key;
        if self.is_unique(primary) {
            keys.push(format!("PRIMARY KEY ({})", list(primary)));
            leading.push(primary[0].to_lowercase());
        }
        for key in self.definition.unique_keys.iter().filter(|key| key.whole && self.is_unique(&key.columns))
        {
            keys.push(format!("UNIQUE KEY ({})", list(&key.columns)));
            leading.push(key.columns[0].to_lowercase());
        }
        let is_sought = |column: &&&ColumnDef| {
            let known = leading.contains(&column.name.to_lowercase());
            !known && self.named.is_compared(&column.name) && is_indexable(column)
        };
        let sought = self.columns.iter().filter(is_sought).take(MOST_KEYS);
        keys.extend(sought.map(|column| format!("KEY ({})", quoted(&column.name))));
        keys
    }

    /// Whether a unique key holds among the rows of all shards, and all of its columns are brought.
    fn is_unique(&self, columns: &[String]) -> bool {
        let is = |one: &str, two: &str| one.eq_ignore_ascii_case(two);
        // Of a longer text a key has no more than the beginning.
        let brought = |name: &String| {
            let is_whole = |column: &ColumnDef| !column.invisible && has_whole_keys(column);
            self.columns.iter().any(|column| is(&column.name, name) && is_whole(column))
        };
        if columns.is_empty() || !columns.iter().all(brought) {
            return false;
        }
        let table = &self.found.table.table;
        match &table.placement {
            Placement::Node(_) | Placement::Global(_) => true,
            Placement::Sharded(sharding) => {
                let holds = |column: &str| columns.iter().any(|name| is(name, column));
                let holds_key = sharding.columns.iter().all(|column| holds(&column.name));
                let automatic = self.definition.auto_increment();
                let sequenced = table.unique == Uniqueness::Sequence
                    && automatic
                        .is_some_and(|automatic| columns.iter().any(|name| is(name, &automatic.name)));
                sequenced || holds_key && sharding.equal_values_share_a_shard()
            }
        }
    }
}

pub(super) fn quoted(name: &str) -> String {
    let mut text = Vec::new();
    quote(name, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    quoted.join(", ")
}

/// Whether a key may hold the whole of it.
fn has_whole_keys(column: &ColumnDef) -> bool {
    match &column.column_type {
        ColumnType::Text { length, .. } | ColumnType::Binary { length, .. } => length.is_some(),
        ColumnType::Json => false,
        _ => true,
    }
}

/// Whether a key of it is worth its price.
fn is_indexable(column: &ColumnDef) -> bool {
    match &column.column_type {
        ColumnType::Text { length, .. } | ColumnType::Binary { length, .. } => {
            length.is_some_and(|length| length <= LONGEST_KEY)
        }
        // With a key MySQL takes the MAX of members by their numbers, without one by their texts, and finds 2004 for 4.
        ColumnType::Enum { .. } | ColumnType::Set { .. } | ColumnType::Year | ColumnType::Other(_) => false,
        _ => has_whole_keys(column),
    }
}
