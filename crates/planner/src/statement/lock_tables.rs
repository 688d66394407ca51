//! LOCK TABLES: one statement for each group, with every physical table behind the logical ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{LockTables, TableLock};
use serval_types::GroupId;

use super::ddl::{find, places};
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::physical::quote;

/// What LOCK TABLES comes down to.
#[derive(Debug)]
pub struct Locks {
    /// The tables, in the order of the statement.
    pub tables: Arc<[PlanTable]>,
    /// One statement for each group, in their order. Names in it are qualified with their databases.
    pub statements: Vec<(GroupId, Vec<u8>)>,
}

/// Plans LOCK TABLES.
///
/// # Errors
/// Unknown schemas and tables.
pub fn plan_lock_tables(
    catalog: &Arc<Catalog>,
    schema: Option<&str>,
    statement: &LockTables,
    sql: &str,
) -> Result<Locks, PlanError> {
    let mut tables = Vec::new();
    let mut groups: BTreeMap<GroupId, Vec<u8>> = BTreeMap::new();
    for lock in &statement.locks {
        let table = find(catalog, schema, &lock.table)?;
        if table.table.view.is_some() {
            return Err(PlanError::refused(format!(
                "View {} lies over several data nodes and cannot be locked; lock its tables",
                table.table.name
            )));
        }
        for (node, shard) in places(&table) {
            let node = catalog.node(node);
            let physical = table.physical_name(shard);
            let alone = places(&table)
                .into_iter()
                .filter(|(other, _)| catalog.node(*other).database == node.database)
                .count()
                == 1;
            for alias in aliases(lock, &table, physical, alone) {
                let text = groups.entry(node.group).or_default();
                add(text, &node.database, physical, alias, lock.mode.of(sql.as_bytes()));
            }
        }
        tables.push(table);
    }
    for table in family(catalog, &tables) {
        for (node, shard) in places(&table) {
            let node = catalog.node(node);
            let text = groups.entry(node.group).or_default();
            add(text, &node.database, table.physical_name(shard), None, b"READ");
        }
        tables.push(table);
    }
    for text in groups.values_mut() {
        text.push(b' ');
        text.extend_from_slice(statement.wait.of(sql.as_bytes()));
        text.truncate(text.trim_ascii_end().len());
    }
    Ok(Locks { tables: tables.into(), statements: groups.into_iter().collect() })
}

/// One more lock of a group's statement.
fn add(text: &mut Vec<u8>, database: &str, physical: &str, alias: Option<&str>, mode: &[u8]) {
    text.extend_from_slice(if text.is_empty() { b"LOCK TABLES ".as_slice() } else { b", " });
    quote(database, text);
    text.push(b'.');
    quote(physical, text);
    if let Some(alias) = alias {
        text.extend_from_slice(b" AS ");
        quote(alias, text);
    }
    text.push(b' ');
    text.extend_from_slice(mode);
}

/// The parents and the children of tables, whose rows are looked at by writes to them: MySQL, too, locks those that
/// foreign keys relate to a table.
fn family(catalog: &Catalog, named: &[PlanTable]) -> Vec<PlanTable> {
    let mut found: Vec<PlanTable> = Vec::new();
    let shardings = named.iter().filter_map(|table| table.table.sharding());
    let related = shardings.flat_map(|own| {
        let parent = own.parent.iter().map(|key| (&*key.schema, &*key.table));
        parent.chain(own.children.iter().map(|child| (&*child.key.schema, &*child.table)))
    });
    for (schema, name) in related {
        let is_it = |table: &PlanTable| table.schema == schema && table.table.name == name;
        if named.iter().chain(&found).any(is_it) {
            continue;
        }
        // One that nobody has created yet has no rows to look at.
        if let Some(table) = catalog.table(schema, name).filter(|table| table.definition.is_some()) {
            found.push(PlanTable { schema: schema.to_owned(), table: Arc::clone(table) });
        }
    }
    found
}

/// The names that statements will use for the physical table: where it is called otherwise than the logical one, a
/// statement without an alias gets the logical name for one, or none where the grammar has no room for it or nothing
/// else says the name. Pieces of one database cannot all have the same alias, so they are locked without.
fn aliases<'a>(
    lock: &'a TableLock,
    table: &'a PlanTable,
    physical: &str,
    alone: bool,
) -> Vec<Option<&'a str>> {
    match &lock.alias {
        Some(alias) => vec![Some(&*alias.value)],
        None if physical == table.table.name => vec![None],
        None if !alone => vec![None],
        None => vec![None, Some(&*table.table.name)],
    }
}
