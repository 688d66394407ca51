//! Unique keys of sharded tables: which of them the servers can enforce.

use crate::{Sharding, TableDefinition, Uniqueness};

pub(super) const FIX: &str = "put the sharding column into the key, or declare `unique = \"sequence\"` (an \
                              AUTO_INCREMENT key that Serval fills) or `unique = \"unchecked\"` (the application \
                              answers for it)";

/// What is wrong with the unique keys of a sharded table, given what the config declares; `None` if nothing is.
///
/// A server can enforce a unique key only among the rows it holds. So rows that the key calls equal must share a
/// shard: the key must hold every sharding column, and equal values of these must route alike.
#[must_use]
pub fn check_unique(
    sharding: &Sharding,
    definition: &TableDefinition,
    declared: Uniqueness,
) -> Option<String> {
    let automatic = definition.auto_increment().map(|column| column.name.as_str());
    let primary =
        (!definition.primary_key.is_empty()).then_some(("PRIMARY KEY".to_owned(), &definition.primary_key));
    let others =
        definition.unique_keys.iter().map(|key| (format!("UNIQUE KEY `{}`", key.name), &key.columns));
    let wrong: Vec<String> = primary
        .into_iter()
        .chain(others)
        .filter_map(|(name, columns)| {
            let sequenced = automatic.is_some_and(|automatic| has(columns, automatic));
            match declared {
                Uniqueness::Unchecked => None,
                Uniqueness::Sequence if sequenced => None,
                Uniqueness::Sequence | Uniqueness::Enforced => unenforced(sharding, &name, columns),
            }
        })
        .collect();
    (!wrong.is_empty()).then(|| format!("table `{}`: {}", definition.name, wrong.join("; ")))
}

fn unenforced(sharding: &Sharding, name: &str, columns: &[String]) -> Option<String> {
    for column in &sharding.columns {
        let column_name = &column.name;
        if !has(columns, column_name) {
            return Some(format!(
                "{name} does not include the sharding column `{column_name}`, so no server can enforce it"
            ));
        }
        if !column.equal_values_share_a_shard() {
            return Some(format!(
                "{name} cannot be enforced: values of `{column_name}` that MySQL calls equal can lie on different shards, \
                 unless the column's collation is a _bin one or the table says `match = \"ascii_fold\"`"
            ));
        }
    }
    None
}

fn has(columns: &[String], name: &str) -> bool {
    columns.iter().any(|column| column.eq_ignore_ascii_case(name))
}
