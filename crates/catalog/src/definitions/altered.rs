//! ALTER TABLE of a sharded table: its rows stay where they are, so they must be looked for there afterwards.

use serval_sql::create_table::Alteration;
use serval_types::ColumnType;

use super::{check_family, check_unique};
use crate::convert::Domain;
use crate::{Catalog, ColumnDef, Sharding, ShardingColumn, Table, TableDefinition};

/// What would be wrong behind an ALTER TABLE or CREATE UNIQUE INDEX of a sharded table; `None` if nothing would.
///
/// `zero_stays` says that 0 in a column that becomes AUTO_INCREMENT is no call for a number (`NO_AUTO_VALUE_ON_ZERO`).
#[must_use]
pub fn check_alteration(
    catalog: &Catalog,
    schema: &str,
    table: &Table,
    alteration: &Alteration,
    zero_stays: bool,
) -> Option<String> {
    let (sharding, before) = (table.sharding()?, table.definition.as_deref()?);
    let after = alteration.applied(before);
    let column = sharding.columns.iter().find_map(|column| {
        let reason = displaced(sharding, column, alteration, (before, &after))?;
        Some(format!("{}, the sharding column of {}: {reason}; {INSTEAD}", column.name, table.name))
    });
    column
        .map(|reason| format!("ALTER TABLE cannot change {reason}"))
        .or_else(|| numbered(table, alteration, (before, &after), zero_stays))
        .or_else(|| unenforced(table, sharding, before, &after))
        .or_else(|| {
            check_family(catalog, schema, &after).filter(|_| check_family(catalog, schema, before).is_none())
        })
}

const INSTEAD: &str = "a column of the same kind that holds more (BIGINT for INT, a longer VARCHAR of the same \
                       collation) is taken; for anything else make a new table, give it a section in the configuration, \
                       and INSERT … SELECT";

/// Why rows would be looked for elsewhere than they lie.
fn displaced(
    sharding: &Sharding,
    column: &ShardingColumn,
    alteration: &Alteration,
    (before, after): (&TableDefinition, &TableDefinition),
) -> Option<&'static str> {
    let (old, new) = match (before.column(&column.name), after.column(&column.name)) {
        (Some(_), _) if alteration.displaces(&column.name) => {
            return Some("it can neither go nor be renamed");
        }
        (Some(old), Some(new)) => (old, new),
        (None, Some(_)) => return Some("rows lie where no value of it has put them"),
        (_, None) => return None,
    };
    if !column.keeps_routes(old, new) {
        return Some("rows would lie where values of the new type are not looked for");
    }
    if new.generated && !old.generated {
        return Some("the server would compute other values than those by which rows lie");
    }
    if new.on_update && !old.on_update {
        return Some("ON UPDATE CURRENT_TIMESTAMP would change it in rows that stay where they are");
    }
    if old.nullable && !new.nullable && sharding.rule.function.default_shard().is_some() {
        return Some("NULL may become 0, whose rows lie on another shard than the default one");
    }
    None
}

/// Why each shard would number the rows that it has by itself.
fn numbered(
    table: &Table,
    alteration: &Alteration,
    (before, after): (&TableDefinition, &TableDefinition),
    zero_stays: bool,
) -> Option<String> {
    let column = after.auto_increment()?;
    let known = alteration.former(&column.name).and_then(|name| before.column(name));
    if known.is_some_and(|known| known.auto_increment || zero_stays && !known.nullable) {
        return None;
    }
    let (name, table) = (&column.name, &table.name);
    Some(match known {
        None => format!(
            "Each shard of {table} would give its rows the same numbers in {name}; add the column without \
             AUTO_INCREMENT, fill it, and MODIFY it under sql_mode NO_AUTO_VALUE_ON_ZERO"
        ),
        Some(_) => format!(
            "Each shard of {table} would number its own rows whose {name} is 0 or NULL; make the column NOT NULL, and \
             MODIFY it under sql_mode NO_AUTO_VALUE_ON_ZERO"
        ),
    })
}

/// Which new key nobody would enforce. Keys that are there were found wrong before, or are declared.
fn unenforced(
    table: &Table,
    sharding: &Sharding,
    before: &TableDefinition,
    after: &TableDefinition,
) -> Option<String> {
    let columns = sharding.columns.iter().map(|known| match after.column(&known.name) {
        Some(column) => known.defined(column),
        None => known.clone(),
    });
    let sharding = sharding.with_columns(columns.collect());
    let mut new = after.clone();
    if check_unique(&sharding, before, table.unique).is_some() {
        new.unique_keys.retain(|key| !before.unique_keys.contains(key));
        if new.primary_key == before.primary_key {
            new.primary_key.clear();
        }
    }
    check_unique(&sharding, &new, table.unique)
}

impl ShardingColumn {
    /// Whether each value that the column holds is still the same key in its new form, and none changes.
    fn keeps_routes(&self, old: &ColumnDef, new: &ColumnDef) -> bool {
        let domain = |column: &ColumnDef| Domain::new(&column.column_type, self.text_match);
        let unbounded = matches!(
            old.column_type,
            ColumnType::Text { length: None, .. } | ColumnType::Binary { length: None, .. }
        );
        domain(new).widens(&domain(old))
            && old.column_type.collation() == new.column_type.collation()
            && (!unbounded || first_word(&old.declared) == first_word(&new.declared))
    }
}

/// `text` of `TEXT COLLATE utf8mb4_bin`.
fn first_word(declared: &str) -> String {
    declared.split_whitespace().next().unwrap_or_default().to_lowercase()
}
