//! LOCK TABLES: one statement for each group, with every physical table behind the logical ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{LockTables, TableLock};
use serval_types::{GroupId, NodeId};

use super::ddl::{find, places};
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::physical::quote;
use crate::view::tables_to_lock;

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
    let named = statement.locks.iter().map(|lock| Ok((lock, find(catalog, schema, &lock.table)?)));
    let named = named.collect::<Result<Vec<(&TableLock, PlanTable)>, PlanError>>()?;
    let mut list = List { catalog, tables: Vec::new(), locks: Vec::new() };
    for (lock, table) in &named {
        let alias = lock.alias.as_ref().map(|alias| &*alias.value);
        list.lock(table, alias, lock.mode.of(sql.as_bytes()));
    }
    for (lock, table) in named.iter().filter(|(_, table)| table.table.view.is_some()) {
        let exposed = lock.alias.as_ref().map_or(&*table.table.name, |alias| &*alias.value);
        for (behind, name) in tables_to_lock(catalog, table, exposed)? {
            let alias = Some(&*name).filter(|name| *name != behind.table.name);
            list.lock_too(&behind, alias, lock.mode.of(sql.as_bytes()));
        }
    }
    for table in family(catalog, &list.tables) {
        list.lock_too(&table, None, b"READ");
    }
    let List { tables, locks, .. } = list;
    let mut groups: BTreeMap<GroupId, Vec<u8>> = BTreeMap::new();
    for lock in &locks {
        lock.add(groups.entry(lock.group).or_default());
    }
    for text in groups.values_mut() {
        text.push(b' ');
        text.extend_from_slice(statement.wait.of(sql.as_bytes()));
        text.truncate(text.trim_ascii_end().len());
    }
    Ok(Locks { tables: tables.into(), statements: groups.into_iter().collect() })
}

/// The locks of a statement.
struct List<'a> {
    catalog: &'a Catalog,
    tables: Vec<PlanTable>,
    locks: Vec<Lock>,
}

/// The lock of one physical table under one name.
struct Lock {
    group: GroupId,
    database: String,
    physical: String,
    alias: Option<String>,
    mode: Vec<u8>,
}

impl List<'_> {
    /// A table that the statement names. One that it names twice its servers refuse.
    fn lock(&mut self, table: &PlanTable, alias: Option<&str>, mode: &[u8]) {
        // Of a view itself nobody changes anything.
        let mode = if table.table.view.is_some() { b"READ" } else { mode };
        self.locks.extend(locks(self.catalog, table, alias, mode));
        self.tables.push(table.clone());
    }

    /// A table that has to be locked besides, which the statement may name as well.
    fn lock_too(&mut self, table: &PlanTable, alias: Option<&str>, mode: &[u8]) {
        // Pieces of one database cannot all have the same alias.
        let alias = alias.filter(|_| {
            !places(table).iter().any(|(_, shard)| table.physical_name(*shard) != table.table.name)
        });
        for lock in locks(self.catalog, table, alias, mode) {
            match self.locks.iter_mut().find(|known| known.is_of(&lock)) {
                Some(known) if !known.writes() && lock.writes() => known.mode = lock.mode,
                Some(_) => {}
                None => self.locks.push(lock),
            }
        }
        let is_it = |known: &PlanTable| known.schema == table.schema && known.table.name == table.table.name;
        if !self.tables.iter().any(is_it) {
            self.tables.push(table.clone());
        }
    }
}

impl Lock {
    /// Whether statements would mean both by the same name.
    fn is_of(&self, other: &Self) -> bool {
        let name = |lock: &Self| lock.alias.as_ref().unwrap_or(&lock.physical).clone();
        self.database == other.database && self.physical == other.physical && name(self) == name(other)
    }

    fn writes(&self) -> bool {
        self.mode.to_ascii_uppercase().ends_with(b"WRITE")
    }

    /// Puts it behind the other locks of its group's statement.
    fn add(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(if text.is_empty() { b"LOCK TABLES ".as_slice() } else { b", " });
        quote(&self.database, text);
        text.push(b'.');
        quote(&self.physical, text);
        if let Some(alias) = &self.alias {
            text.extend_from_slice(b" AS ");
            quote(alias, text);
        }
        text.push(b' ');
        text.extend_from_slice(&self.mode);
    }
}

/// The locks of all physical tables behind a logical one.
fn locks(catalog: &Catalog, table: &PlanTable, alias: Option<&str>, mode: &[u8]) -> Vec<Lock> {
    let mut found = Vec::new();
    for (node, shard) in places(table) {
        let node = catalog.node(node);
        let physical = table.physical_name(shard);
        let beside = |other: &(NodeId, Option<usize>)| catalog.node(other.0).database == node.database;
        let alone = places(table).iter().filter(|other| beside(other)).count() == 1;
        for alias in aliases(alias, table, physical, alone) {
            found.push(Lock {
                group: node.group,
                database: node.database.clone(),
                physical: physical.to_owned(),
                alias: alias.map(str::to_owned),
                mode: mode.to_vec(),
            });
        }
    }
    found
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
    alias: Option<&'a str>,
    table: &'a PlanTable,
    physical: &str,
    alone: bool,
) -> Vec<Option<&'a str>> {
    match alias {
        Some(alias) => vec![Some(alias)],
        None if physical == table.table.name => vec![None],
        None if !alone => vec![None],
        None => vec![None, Some(&*table.table.name)],
    }
}
