//! Who a group is: a UUID that is stored in the group itself and never changes.
//!
//! Names, addresses and the order of groups are a config's, and two proxies may have two configs. A gtrid outlives
//! them, so it names its group by what the group's own servers say. The table `serval_group` is made when a group first
//! is the first participant of a transaction over several; it lies in the first of the group's databases.

use std::collections::BTreeSet;
use std::time::Instant;

use serval_catalog::Catalog;
use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_types::{ErrorCode, GroupId, MysqlError};

use crate::exchange::ask;
use crate::gtrid::{is_uuid, new_uuid};
use crate::record;

/// Where a group keeps what Serval stores in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uuid: Box<str>,
    pub(crate) group: GroupId,
    pub(crate) database: Box<str>,
}

/// ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
const MISSING: [u16; 2] = [1146, 1049];

/// All identities that the databases of a group hold. More than one where two configs began in different databases.
pub(crate) async fn find<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    group: GroupId,
    deadline: Instant,
) -> Result<Vec<Identity>, RemoteError> {
    let state = SessionState::default();
    let mut connection = backend.acquire(group, Access::Primary, &state, deadline).await?;
    let mut found = Vec::new();
    for database in databases(catalog, group) {
        let sql = format!("SELECT `uuid` FROM {}.`serval_group` WHERE `id`=1", quoted(&database));
        match ask(&mut connection, &state, &sql).await? {
            Ok(rows) => found.extend(rows.into_iter().filter_map(|row| identity(group, &database, row))),
            Err(error) if MISSING.contains(&error.number) => {}
            Err(error) => return Err(RemoteError::Refused(error)),
        }
    }
    Ok(found)
}

/// The identity that a group's records are kept under; made, with the tables, where there is none.
pub(crate) async fn find_or_make<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    group: GroupId,
    deadline: Instant,
) -> Result<Identity, RemoteError> {
    let found = find(backend, catalog, group, deadline).await?.into_iter().next();
    let database = match &found {
        Some(identity) => identity.database.to_string(),
        None => databases(catalog, group).into_iter().next().ok_or_else(|| no_database(catalog, group))?,
    };
    let state = SessionState::default();
    let mut connection = backend.acquire(group, Access::Primary, &state, deadline).await?;
    let table = format!("{}.`serval_group`", quoted(&database));
    let make = [
        // What is stored for good is made in order, so that a second proxy that comes in between finds all or repeats it.
        record::create(&database),
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (`id` TINYINT NOT NULL PRIMARY KEY, `uuid` CHAR({}) CHARACTER SET \
             ascii COLLATE ascii_bin NOT NULL, `barrier` BIGINT UNSIGNED NOT NULL DEFAULT 0) ENGINE=InnoDB",
            new_uuid().len()
        ),
        // IGNORE: the first of two proxies counts.
        format!("INSERT IGNORE INTO {table} (`id`, `uuid`) VALUES (1, '{}')", new_uuid()),
    ];
    for sql in make.iter().take(if found.is_some() { 1 } else { make.len() }) {
        ask(&mut connection, &state, sql).await?.map_err(RemoteError::Refused)?;
    }
    if let Some(found) = found {
        return Ok(found);
    }
    let sql = format!("SELECT `uuid` FROM {table} WHERE `id`=1");
    let rows = ask(&mut connection, &state, &sql).await?.map_err(RemoteError::Refused)?;
    let made = rows.into_iter().find_map(|row| identity(group, &database, row));
    made.ok_or_else(|| no_database(catalog, group))
}

fn identity(group: GroupId, database: &str, row: Vec<Option<String>>) -> Option<Identity> {
    let uuid = row.into_iter().next().flatten().filter(|uuid| is_uuid(uuid))?;
    Some(Identity { uuid: uuid.into(), group, database: database.into() })
}

/// The databases of a group's nodes, in the order of the nodes.
fn databases(catalog: &Catalog, group: GroupId) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let here = catalog.nodes.iter().filter(|node| node.group == group);
    here.map(|node| node.database.clone()).filter(|database| seen.insert(database.clone())).collect()
}

fn no_database(catalog: &Catalog, group: GroupId) -> RemoteError {
    let name = catalog.group_with(group).map_or("?", |group| &group.name);
    RemoteError::Refused(MysqlError::new(
        ErrorCode::Unknown,
        format!("Group {name} has no database in which the outcome of transactions could be recorded"),
    ))
}

/// A name between backticks.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
