//! The tables that a session has locked with LOCK TABLES.

use serval_planner::PlanTable;
use serval_types::{GroupId, MysqlError};

/// What LOCK TABLES has locked.
#[derive(Debug)]
pub(crate) struct Locked {
    /// Schemas and tables.
    tables: Vec<(String, String)>,
    /// The groups on which UNLOCK TABLES has something to do.
    pub(crate) groups: Vec<GroupId>,
}

impl Locked {
    pub(crate) fn new(tables: &[PlanTable], groups: Vec<GroupId>) -> Self {
        let tables = tables.iter().map(|table| (table.schema.clone(), table.table.name.clone()));
        Self { tables: tables.collect(), groups }
    }

    /// A statement may use locked tables only. Where it runs on a server that has a lock, that server says so; elsewhere
    /// it would not.
    pub(crate) fn check<'a>(
        &self,
        tables: impl IntoIterator<Item = &'a PlanTable>,
        is_temporary: impl Fn(&PlanTable) -> bool,
    ) -> Result<(), MysqlError> {
        let is_locked = |table: &PlanTable| {
            self.tables.iter().any(|(schema, name)| *schema == table.schema && *name == table.table.name)
        };
        let unlocked = tables.into_iter().find(|table| !is_locked(table) && !is_temporary(table));
        unlocked.map_or(Ok(()), |table| Err(not_locked(&table.table.name)))
    }
}

/// ER_TABLE_NOT_LOCKED.
fn not_locked(name: &str) -> MysqlError {
    let message = format!("Table '{name}' was not locked with LOCK TABLES");
    MysqlError { number: 1100, sqlstate: *b"HY000", message }
}
