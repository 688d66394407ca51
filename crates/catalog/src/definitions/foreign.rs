//! Foreign keys: a server can check one only where the referenced row lies beside the referencing one.

use super::Finding;
use crate::{Catalog, ForeignKey, Placement, ReferentialAction, Sharding, Table, TableDefinition};

/// What is wrong with a table's foreign keys, as far as the referenced tables are known.
pub(super) fn check(catalog: &Catalog, schema: &str, table: &str) -> Vec<Finding> {
    let Some(table) = catalog.table(schema, table) else { return Vec::new() };
    let Some(definition) = &table.definition else { return Vec::new() };
    let findings = definition.foreign_keys.iter().filter_map(|key| wrong(catalog, schema, table, key));
    findings.map(|wrong| Finding::error("rule", wrong.message(table), wrong.fix())).collect()
}

/// What is wrong with the foreign keys of a table that is to be made with this definition; `None` if nothing is.
#[must_use]
pub fn check_foreign_keys(
    catalog: &Catalog,
    schema: &str,
    table: &Table,
    definition: &TableDefinition,
) -> Option<String> {
    let wrong = definition.foreign_keys.iter().find_map(|key| wrong(catalog, schema, table, key))?;
    Some(format!("{}; {}", wrong.message(table), wrong.fix()))
}

/// What is wrong with a foreign key.
enum Wrong<'a> {
    /// The referenced rows lie elsewhere.
    Apart(&'a ForeignKey),
    /// It changes a sharding column by this action.
    Moves(&'a ForeignKey, &'static str),
}

impl Wrong<'_> {
    fn message(&self, table: &Table) -> String {
        match self {
            Self::Apart(key) => format!(
                "a foreign key of `{}` references `{}`, whose rows do not lie on the same nodes, so no server can check it",
                table.name, key.table
            ),
            Self::Moves(key, action) => format!(
                "a foreign key of `{}` to `{}` says {action}, which would change the sharding column in rows that stay \
                 where they are",
                table.name, key.table
            ),
        }
    }

    fn fix(&self) -> &'static str {
        match self {
            Self::Apart(_) => {
                "shard both tables by one rule through the key's columns, make the referenced table global, or drop the \
                 foreign key"
            }
            Self::Moves(..) => {
                "leave the action out, and change or delete the referencing rows by statements of their own"
            }
        }
    }
}

fn wrong<'a>(catalog: &Catalog, schema: &str, table: &Table, key: &'a ForeignKey) -> Option<Wrong<'a>> {
    let schema = catalog.schema(key.schema.as_deref().unwrap_or(schema));
    let referenced = schema.and_then(|schema| schema.table_or_default(&key.table))?;
    if !lies_beside(table, &referenced, key) {
        return Some(Wrong::Apart(key));
    }
    moves(table, &referenced, key).map(|action| Wrong::Moves(key, action))
}

/// The action by which a key changes the values that rows lie by.
fn moves(table: &Table, referenced: &Table, key: &ForeignKey) -> Option<&'static str> {
    let sharding = table.sharding()?;
    key.columns.iter().find(|column| sharding.position(column).is_some())?;
    match (key.on_delete, key.on_update) {
        (ReferentialAction::SetNull, _) => Some("ON DELETE SET NULL"),
        (ReferentialAction::SetDefault, _) => Some("ON DELETE SET DEFAULT"),
        (_, ReferentialAction::SetNull) => Some("ON UPDATE SET NULL"),
        (_, ReferentialAction::SetDefault) => Some("ON UPDATE SET DEFAULT"),
        // Rows of a sharded table change their values on its shard only, where those that follow stay too.
        (_, ReferentialAction::Cascade) if matches!(referenced.placement, Placement::Global(_)) => {
            Some("ON UPDATE CASCADE")
        }
        _ => None,
    }
}

fn lies_beside(table: &Table, referenced: &Table, key: &ForeignKey) -> bool {
    match (&table.placement, &referenced.placement) {
        (_, Placement::Global(nodes)) => table.placement.nodes().iter().all(|node| nodes.contains(node)),
        (Placement::Node(node), Placement::Node(other)) => node == other,
        (Placement::Sharded(sharding), Placement::Sharded(other)) => {
            joins_on_shards(sharding, other, key) && !has_split_tables(sharding) && !has_split_tables(other)
        }
        _ => false,
    }
}

fn joins_on_shards(sharding: &Sharding, other: &Sharding, key: &ForeignKey) -> bool {
    let pairs = || key.columns.iter().zip(&key.referenced);
    let through = |one: &str, two: &str| {
        pairs().any(|(own, referenced)| own.eq_ignore_ascii_case(one) && referenced.eq_ignore_ascii_case(two))
    };
    let along = sharding.parent.as_ref().zip(sharding.columns.first());
    if along.is_some_and(|(parent, column)| {
        parent.table.eq_ignore_ascii_case(&key.table) && through(&column.name, &parent.column)
    }) {
        return sharding.rule.name == other.rule.name;
    }
    let through_key = sharding.columns.len() == other.columns.len()
        && sharding.columns.iter().zip(&other.columns).all(|(one, two)| through(&one.name, &two.name));
    // Types that are not known yet are checked when they are.
    through_key && (!sharding.is_known() || !other.is_known() || sharding.co_located(other))
}

/// A foreign key names one table, so it cannot follow months.
fn has_split_tables(sharding: &Sharding) -> bool {
    sharding.rule.tables.is_some()
}
