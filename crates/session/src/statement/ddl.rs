//! CREATE, DROP, ALTER and TRUNCATE: on every node of a table, and then into the catalog.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_executor::ExecuteError;
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, LexOptions, TableDefinition};
use serval_types::MysqlError;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use super::transaction::commit;
use super::{stored, temporary};
use crate::answer::{Answer, ClientSink};
use crate::failure::{Failure, no_schema, refused};
use crate::session::{Session, is_system_schema};
use crate::stream::Writer;

/// Runs the statement on all nodes that it concerns. It commits the open transaction first, as on a server.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    ddl: &Ddl,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    match &ddl.kind {
        DdlKind::Stored(stored) => return stored::run(session, writer, text, stored).await,
        DdlKind::CreateDatabase { name, if_not_exists } => {
            return create_database(session, writer, name, *if_not_exists);
        }
        _ => {}
    }
    let schemas = check(session, ddl)?;
    if temporary::is_meant(ddl) {
        return temporary::run(session, writer, text, ddl, &schemas).await;
    }
    commit(session).await?;
    let catalog = meant(session, ddl, &schemas);
    let bound = serval_planner::plan_ddl(&catalog, session.schema.as_deref(), ddl, text, session.options)
        .map_err(|error| error.to_mysql())?;
    let (status, state) = (session.status(), session.effective_state());
    let mut sink = ClientSink::new(writer, status, None);
    let result = session.execute(&bound, &catalog, &state, None, &mut sink).await;
    // Even a failed statement may have changed some of the nodes.
    refresh(session, &session.base_catalog(), ddl, &schemas).await;
    if matches!(ddl.kind, DdlKind::DropTable { .. }) && !session.temporary.is_empty() {
        temporary::forget_dropped(session, &catalog, ddl, &schemas, result.is_ok()).await;
    }
    match result {
        Ok(completed) => {
            restart_numbers(session, &catalog, ddl, &schemas).await;
            session.last.changed(completed.affected_rows, 0, completed.warnings);
            if completed.warnings > 0 {
                session.note_warnings(&bound, &catalog, state);
            }
            Ok(())
        }
        Err(ExecuteError::Client(_)) => Err(Failure::Gone),
        Err(error) => Err(error.to_mysql().into()),
    }
}

/// CREATE DATABASE of a schema that is there, as dumps contain it. New ones are the configuration's.
fn create_database<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    name: &str,
    if_not_exists: bool,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let exists = session.catalog().schema(name).is_some() || is_system_schema(name);
    if !exists {
        return Err(refused("Databases are schemas of the configuration; add them there and reload"));
    }
    let name = session.check_schema(name)?;
    // ER_DB_CREATE_EXISTS.
    let message = format!("Can't create database '{name}'; database exists");
    if !if_not_exists {
        return Err(MysqlError { number: 1007, sqlstate: *b"HY000", message }.into());
    }
    let affected = u64::from(!session.proxy.flavour().is_mariadb());
    session.last.changed(affected, 0, 1);
    let mut messages = Answer::of_text(&["Level", "Code", "Message"]);
    messages.push(["Note".to_owned(), "1007".to_owned(), message]);
    session.last.messages = Some(messages);
    writer.ok(&OkPacket { affected_rows: affected, warnings: 1, ..session.plain_ok() });
    Ok(())
}

/// The catalog that the statement's names belong to. CREATE TABLE makes a table beside a temporary one of its name.
fn meant<B: Backend>(session: &Session<B>, ddl: &Ddl, schemas: &[String]) -> Arc<Catalog> {
    let created = schemas.first().zip(ddl.tables.first());
    let is_hidden = created.is_some_and(|(schema, name)| session.temporary.has(schema, &name.table.value));
    if is_hidden && matches!(ddl.kind, DdlKind::CreateTable { .. }) {
        return session.base_catalog();
    }
    session.catalog()
}

/// The schema of each table, if the user may use all of them.
fn check<B: Backend>(session: &Session<B>, ddl: &Ddl) -> Result<Vec<String>, Failure> {
    let mut schemas = Vec::new();
    for table in ddl.tables.iter().chain(&ddl.references) {
        let named = table.schema.as_ref().map(|schema| schema.value.as_str());
        let Some(name) = named.or(session.schema.as_deref()) else { return Err(no_schema().into()) };
        if is_system_schema(name) {
            return Err(refused("Tables of the servers' own schemas cannot be changed through Serval"));
        }
        schemas.push(session.check_schema(name)?);
    }
    Ok(schemas)
}

/// TRUNCATE and DROP begin the numbers of AUTO_INCREMENT anew.
async fn restart_numbers<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    ddl: &Ddl,
    schemas: &[String],
) {
    if !matches!(ddl.kind, DdlKind::Truncate | DdlKind::DropTable { .. }) {
        return;
    }
    for (schema, name) in schemas.iter().zip(&ddl.tables) {
        let Some(table) = catalog.table(schema, &name.table.value) else { continue };
        if table.sequence.is_none() {
            continue;
        }
        let servers = &*session.proxy.backend;
        if let Err(error) = session.proxy.sequences.restart(servers, catalog, schema, table).await {
            tracing::warn!(schema, table = table.name, %error, "AUTO_INCREMENT goes on where it was");
        }
    }
}

/// Reads the definitions of the tables again, and stores a catalog that knows them.
async fn refresh<B: Backend>(session: &mut Session<B>, catalog: &Catalog, ddl: &Ddl, schemas: &[String]) {
    let mut definitions = Vec::new();
    for (schema, table) in schemas.iter().zip(&ddl.tables) {
        let (servers, name) = (&*session.proxy.backend, Some(&*table.table.value));
        // A table that this session has locked shows its definition to nobody else.
        let fetched = match session.locked {
            Some(_) => serval_executor::definitions::fetch(&session.backend, catalog, schema, name).await,
            None => serval_executor::definitions::fetch(servers, catalog, schema, name).await,
        };
        for (table, error) in fetched.failed {
            tracing::warn!(schema, table, %error, "definition not read after a DDL statement; a reload reads it");
        }
        for (table, text) in fetched.definitions {
            match serval_sql::create_table::parse(&text, LexOptions::default()) {
                Ok(definition) => definitions.push((schema.clone(), definition)),
                Err(error) => tracing::warn!(schema, table, %error, "definition not understood"),
            }
        }
    }
    if !definitions.is_empty() {
        session.proxy.catalog.rcu(|current| define(current, &definitions));
    }
}

fn define(current: &Catalog, definitions: &[(String, TableDefinition)]) -> Arc<Catalog> {
    let (catalog, diagnostics) = current.with_definitions(definitions.to_vec());
    for diagnostic in diagnostics {
        tracing::warn!(
            table = diagnostic.file,
            message = diagnostic.message,
            "definition after a DDL statement"
        );
    }
    Arc::new(catalog)
}
