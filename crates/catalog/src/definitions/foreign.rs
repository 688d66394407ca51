//! Foreign keys: a server can check one only where the referenced row lies beside the referencing one.

use super::Finding;
use crate::{Catalog, ForeignKey, Placement, Sharding, Table, TableDefinition};

/// What is wrong with a table's foreign keys, as far as the referenced tables are known.
pub(super) fn check(catalog: &Catalog, schema: &str, table: &str) -> Vec<Finding> {
    let Some(table) = catalog.table(schema, table) else { return Vec::new() };
    let Some(definition) = &table.definition else { return Vec::new() };
    wrong(catalog, schema, table, definition)
        .map(|key| Finding::error("rule", message(table, key), FIX))
        .collect()
}

const FIX: &str = "shard both tables by one rule through the key's columns, make the referenced table global, or drop \
                   the foreign key";

/// What is wrong with the foreign keys of a table that is to be made with this definition; `None` if nothing is.
#[must_use]
pub fn check_foreign_keys(
    catalog: &Catalog,
    schema: &str,
    table: &Table,
    definition: &TableDefinition,
) -> Option<String> {
    let key = wrong(catalog, schema, table, definition).next()?;
    Some(format!("{}, so no server can check it; {FIX}", message(table, key)))
}

fn message(table: &Table, key: &ForeignKey) -> String {
    format!(
        "a foreign key of `{}` references `{}`, whose rows do not lie on the same nodes",
        table.name, key.table
    )
}

fn wrong<'a>(
    catalog: &'a Catalog,
    schema: &'a str,
    table: &'a Table,
    definition: &'a TableDefinition,
) -> impl Iterator<Item = &'a ForeignKey> {
    definition.foreign_keys.iter().filter(move |key| {
        let referenced = catalog
            .schema(key.schema.as_deref().unwrap_or(schema))
            .and_then(|schema| schema.table_or_default(&key.table));
        referenced.is_some_and(|referenced| !lies_beside(table, &referenced, key))
    })
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
