//! Foreign keys: a server can check one only where the referenced row lies beside the referencing one.

use super::Finding;
use crate::{Catalog, ForeignKey, Placement, Sharding, Table};

/// What is wrong with a table's foreign keys, as far as the referenced tables are known.
pub(super) fn check(catalog: &Catalog, schema: &str, table: &str) -> Vec<Finding> {
    let Some(table) = catalog.table(schema, table) else { return Vec::new() };
    let Some(definition) = &table.definition else { return Vec::new() };
    let wrong = definition.foreign_keys.iter().filter(|key| {
        let referenced = catalog
            .schema(key.schema.as_deref().unwrap_or(schema))
            .and_then(|schema| schema.table_or_default(&key.table));
        referenced.is_some_and(|referenced| !lies_beside(table, &referenced, key))
    });
    wrong
        .map(|key| {
            let message = format!(
                "a foreign key of `{}` references `{}`, whose rows do not lie on the same nodes",
                table.name, key.table
            );
            let fix = "shard both tables by one rule through the key's columns, make the referenced table global, or \
                       drop the foreign key";
            Finding::error("rule", message, fix)
        })
        .collect()
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
    let through_key = sharding.columns.len() == other.columns.len()
        && sharding.columns.iter().zip(&other.columns).all(|(one, two)| through(&one.name, &two.name));
    // Types that are not known yet are checked when they are.
    through_key && (!sharding.is_known() || !other.is_known() || sharding.co_located(other))
}

/// A foreign key names one table, so it cannot follow months.
fn has_split_tables(sharding: &Sharding) -> bool {
    sharding.rule.tables.is_some()
}
