//! CREATE, ALTER and DROP DATABASE of a schema: on every physical database that it lies in.
//!
//! Which schemas there are is the configuration's business. These statements make, change and clear what it says on the
//! servers, so that installers and test suites find what they expect. DROP DATABASE drops what is in the physical
//! databases and marks them; they themselves stay. Serval's own tables may lie there, which others need; and pooled
//! connections have them as their current database, which a server writes into its binary log with every statement, so
//! that replicas would fail for a database that is gone.

use std::collections::BTreeSet;

use serval_catalog::{Catalog, Schema};
use serval_executor::{ExecuteError, query_rows};
use serval_remote::Backend;
use serval_sql::{DdlKind, Span};
use serval_types::{GroupId, MysqlError};
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use super::transaction::commit;
use crate::answer::Answer;
use crate::failure::{Failure, no_schema, refused, unknown_schema};
use crate::literal::{identifier, quote};
use crate::session::{Session, is_system_schema};
use crate::stream::Writer;

/// The table that marks a database as dropped whose place is still needed.
const MARK: &str = "serval_dropped";

/// One physical database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Physical {
    group: GroupId,
    database: String,
    /// The first of its data nodes, for messages.
    node: String,
}

/// Runs the statement. It commits the open transaction first, as on a server.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    kind: &DdlKind,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    if session.locked.is_some() {
        // ER_LOCK_OR_ACTIVE_TRANSACTION.
        let message =
            "Can't execute the given command because you have active locked tables or an active transaction";
        return Err(MysqlError { number: 1192, sqlstate: *b"HY000", message: message.to_owned() }.into());
    }
    match kind {
        DdlKind::CreateDatabase { name, if_not_exists, options } => {
            let name = named(session, name)?;
            commit(session).await?;
            let made = create(session, &name, options.text(text)).await?;
            let message = format!("Can't create database '{name}'; database exists");
            match (made, if_not_exists) {
                (true, _) => done(session, writer, 1),
                (false, true) => {
                    let affected = u64::from(!session.proxy.flavour().is_mariadb());
                    note(session, writer, affected, 1007, message);
                }
                // ER_DB_CREATE_EXISTS.
                (false, false) => return Err(error(1007, message)),
            }
        }
        DdlKind::AlterDatabase { name, options } => {
            let name = name.clone().or_else(|| session.schema.clone()).ok_or_else(no_schema)?;
            let name = named(session, &name)?;
            commit(session).await?;
            alter(session, &name, *options, text).await?;
            done(session, writer, 1);
        }
        DdlKind::DropDatabase { name, if_exists } => {
            let known = session.catalog().schema(name).is_some();
            let name = if known { named(session, name)? } else { name.clone() };
            commit(session).await?;
            let dropped = if known {
                drop_all(session, &name).await?
            } else {
                // It may belong to others, whose names are not told.
                allowed(session, &name)?;
                None
            };
            let message = format!("Can't drop database '{name}'; database doesn't exist");
            match (dropped, if_exists) {
                (Some(tables), _) => done(session, writer, tables),
                (None, true) => note(session, writer, 0, 1008, message),
                // ER_DB_DROP_EXISTS.
                (None, false) => return Err(error(1008, message)),
            }
        }
        _ => return Err(refused("This statement concerns no database")),
    }
    Ok(())
}

/// The schema's name as the configuration writes it.
fn named<B: Backend>(session: &Session<B>, name: &str) -> Result<String, Failure> {
    if is_system_schema(name) {
        return Err(refused("The servers' own schemas cannot be changed through Serval"));
    }
    allowed(session, name)?;
    if session.catalog().schema(name).is_none() {
        return Err(refused(format!(
            "Schema {name} is not in the configuration; give it a section [schemas.{name}] with its data nodes there and \
             reload, then CREATE DATABASE makes what is missing on the servers"
        )));
    }
    Ok(session.check_schema(name)?)
}

/// Whether the user may use a schema of this name, whether or not there is one.
fn allowed<B: Backend>(session: &Session<B>, name: &str) -> Result<(), MysqlError> {
    match session.check_schema(name) {
        Err(error) if error.number != unknown_schema(name).number => Err(error),
        _ => Ok(()),
    }
}

/// The physical databases of a schema, in the order of groups.
fn physical(catalog: &Catalog, schema: &Schema) -> Vec<Physical> {
    let of_tables = schema.tables.values().flat_map(|table| table.placement.nodes());
    let nodes: BTreeSet<_> = of_tables.chain(schema.default_node).collect();
    let mut found: Vec<Physical> = Vec::new();
    for node in nodes.into_iter().map(|id| catalog.node(id)) {
        let (group, database) = (node.group, node.database.clone());
        if !found.iter().any(|known| known.group == group && known.database == database) {
            found.push(Physical { group, database, node: node.name.clone() });
        }
    }
    found.sort();
    found
}

fn places<B: Backend>(session: &Session<B>, name: &str) -> Result<Vec<Physical>, Failure> {
    let catalog = session.base_catalog();
    let schema = catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
    Ok(physical(&catalog, schema))
}

/// Makes what is missing; whether anything was.
async fn create<B: Backend>(session: &Session<B>, name: &str, options: &str) -> Result<bool, Failure> {
    let mut missing = Vec::new();
    for place in places(session, name)? {
        match names(session, &place).await? {
            None => missing.push((place, false)),
            Some(tables) if tables.iter().any(|table| table == MARK) => missing.push((place, true)),
            Some(_) => {}
        }
    }
    for (place, marked) in &missing {
        let database = identifier(&place.database);
        if *marked {
            if !options.is_empty() {
                ask(session, place, &format!("ALTER DATABASE {database} {options}")).await?;
            }
            ask(session, place, &format!("DROP TABLE {database}.{MARK}")).await?;
        } else {
            ask(session, place, &format!("CREATE DATABASE IF NOT EXISTS {database} {options}")).await?;
        }
    }
    Ok(!missing.is_empty())
}

async fn alter<B: Backend>(
    session: &Session<B>,
    name: &str,
    options: Span,
    text: &str,
) -> Result<(), Failure> {
    for place in places(session, name)? {
        let database = identifier(&place.database);
        ask(session, &place, &format!("ALTER DATABASE {database} {}", options.text(text))).await?;
    }
    Ok(())
}

/// Drops all that is there; how many tables that were, or `None` where there was no database.
async fn drop_all<B: Backend>(session: &mut Session<B>, name: &str) -> Result<Option<u64>, Failure> {
    let catalog = session.base_catalog();
    let places = places(session, name)?;
    refuse_shared(&catalog, name, &places)?;
    let (mut exists, mut dropped) = (false, BTreeSet::new());
    for place in &places {
        let Some(tables) = names(session, place).await? else { continue };
        exists |= !tables.iter().any(|table| table == MARK);
        let theirs = tables.into_iter().filter(|table| !table.starts_with("serval_"));
        dropped.extend(theirs.map(|table| logical(&catalog, name, &table)));
        clear(session, place).await?;
    }
    forget(session, &catalog, name).await;
    Ok(exists.then_some(dropped.len() as u64))
}

/// A physical database that another schema lies in cannot be dropped with this one.
fn refuse_shared(catalog: &Catalog, name: &str, places: &[Physical]) -> Result<(), Failure> {
    for other in catalog.schemas.values().filter(|schema| !schema.name.eq_ignore_ascii_case(name)) {
        let others = physical(catalog, other);
        let shared = places.iter().find(|place| {
            others.iter().any(|other| other.group == place.group && other.database == place.database)
        });
        if let Some(place) = shared {
            return Err(refused(format!(
                "Schema {name} shares the database of data node {} with schema {}; drop its tables one by one",
                place.node, other.name
            )));
        }
    }
    Ok(())
}

/// Drops everything but Serval's own tables, and leaves the mark.
async fn clear<B: Backend>(session: &Session<B>, place: &Physical) -> Result<(), Failure> {
    let (database, text) = (identifier(&place.database), quote(place.database.as_bytes(), "utf8mb4"));
    let objects = format!(
        "SELECT IF(TABLE_TYPE LIKE '%VIEW', 'VIEW', 'TABLE'), TABLE_NAME FROM information_schema.TABLES WHERE \
         TABLE_SCHEMA = {text} AND TABLE_NAME NOT LIKE 'serval\\_%' UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME FROM \
         information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {text} UNION ALL SELECT 'EVENT', EVENT_NAME FROM \
         information_schema.EVENTS WHERE EVENT_SCHEMA = {text}"
    );
    let rows = ask(session, place, &objects).await?;
    let found: Vec<(String, String)> = rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter().flatten().map(|cell| String::from_utf8_lossy(&cell).into_owned());
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    // Tables in one statement, so that those that others refer to go with these.
    let tables: Vec<String> = found
        .iter()
        .filter(|(kind, _)| kind == "TABLE")
        .map(|(_, name)| format!("{database}.{}", identifier(name)))
        .collect();
    if !tables.is_empty() {
        ask(session, place, &format!("DROP TABLE IF EXISTS {}", tables.join(", "))).await?;
    }
    for (kind, name) in found.iter().filter(|(kind, _)| kind != "TABLE") {
        ask(session, place, &format!("DROP {kind} IF EXISTS {database}.{}", identifier(name))).await?;
    }
    let mark = format!("CREATE TABLE IF NOT EXISTS {database}.{MARK} (id TINYINT NOT NULL PRIMARY KEY)");
    ask(session, place, &mark).await.map(drop)
}

/// What was known of the schema's tables, and which numbers they had been given, is no more.
async fn forget<B: Backend>(session: &mut Session<B>, catalog: &Catalog, name: &str) {
    let Some(schema) = catalog.schema(name) else { return };
    let defined = schema.tables.values().filter(|table| table.definition.is_some());
    let tables: Vec<(String, String)> =
        defined.map(|table| (schema.name.clone(), table.name.clone())).collect();
    session.proxy.catalog.rcu(|current| current.without_definitions(&tables));
    let views = schema.views().map(|table| (schema.name.clone(), table.name.clone()));
    let tables: Vec<(String, String)> = tables.into_iter().chain(views).collect();
    super::store_views(&session.proxy.catalog, name, &[], &[], true);
    for table in schema.tables.values().filter(|table| table.sequence.is_some()) {
        let servers = &*session.proxy.backend;
        if let Err(error) = session.proxy.sequences.restart(servers, catalog, name, table).await {
            tracing::warn!(schema = name, table = table.name, %error, "AUTO_INCREMENT goes on where it was");
        }
    }
    session.proxy.defined.note(tables);
    if session.schema.as_deref() == Some(&schema.name) {
        session.leave_schema();
    }
}

/// The tables and views of a physical database; `None` where it does not exist.
async fn names<B: Backend>(session: &Session<B>, place: &Physical) -> Result<Option<Vec<String>>, Failure> {
    let text = quote(place.database.as_bytes(), "utf8mb4");
    let sql = format!(
        "SELECT TABLE_NAME FROM information_schema.SCHEMATA LEFT JOIN information_schema.TABLES ON TABLE_SCHEMA = \
         SCHEMA_NAME WHERE SCHEMA_NAME = {text}"
    );
    let rows = ask(session, place, &sql).await?;
    let exists = !rows.is_empty();
    let names = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
    let names = names.map(|name| String::from_utf8_lossy(&name).into_owned()).collect();
    Ok(exists.then_some(names))
}

/// The table that a physical one is a piece of.
fn logical(catalog: &Catalog, schema: &str, physical: &str) -> String {
    let tables = catalog.schema(schema).into_iter().flat_map(|schema| schema.tables.values());
    let mut split = tables.filter(|table| {
        let mut shards = table.sharding().into_iter().flat_map(|sharding| &sharding.shards);
        shards.any(|shard| shard.table == physical)
    });
    split.next().map_or_else(|| physical.to_owned(), |table| table.name.clone())
}

/// The current database of these statements. It is there on every server and replica, as the one they are about need
/// not be.
const ELSEWHERE: &str = "information_schema";

/// Asks the primary of a database's group, outside of the database.
async fn ask<B: Backend>(
    session: &Session<B>,
    place: &Physical,
    sql: &str,
) -> Result<Vec<Vec<Option<Vec<u8>>>>, Failure> {
    let answer = query_rows(&*session.proxy.backend, place.group, Some(ELSEWHERE), sql).await;
    answer.map_err(|failure: ExecuteError| {
        let told = failure.to_mysql();
        let message = format!(
            "On data node {}: {}; running the statement again finishes the rest",
            place.node, told.message
        );
        MysqlError { message, ..told }.into()
    })
}

fn error(number: u16, message: String) -> Failure {
    MysqlError { number, sqlstate: *b"HY000", message }.into()
}

fn done<B: Backend, W: AsyncWrite + Unpin>(session: &mut Session<B>, writer: &mut Writer<W>, affected: u64) {
    session.last.changed(affected, 0, 0);
    writer.ok(&OkPacket { affected_rows: affected, ..session.plain_ok() });
}

/// Success, with a note.
fn note<B: Backend, W: AsyncWrite + Unpin>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    affected: u64,
    number: u16,
    message: String,
) {
    session.last.changed(affected, 0, 1);
    let mut messages = Answer::of_text(&["Level", "Code", "Message"]);
    messages.push(["Note".to_owned(), number.to_string(), message]);
    session.last.messages = Some(messages);
    writer.ok(&OkPacket { affected_rows: affected, warnings: 1, ..session.plain_ok() });
}
