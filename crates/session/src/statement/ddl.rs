//! CREATE, DROP, ALTER, RENAME and TRUNCATE: on every node of a table, and then into the catalog.

mod dropped;
mod like;
mod notes;
mod numbers;
mod of_client;
mod unnamed;

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_executor::{Completed, ExecuteError, ResultSink};
use serval_planner::{Bound, names_clock};
use serval_remote::{Backend, SessionState};
use serval_sql::{Ddl, DdlKind, LexOptions, Statement};
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use super::transaction::commit;
use super::{databases, definitions, functions, staged, stored, temporary};
use crate::answer::{ClientSink, Outcome};
use crate::failure::{Failure, no_schema, refused};
use crate::session::{Session, fixed_timestamp, is_system_schema, targets};
use crate::stream::Writer;

/// Runs the statement on all nodes that it concerns. It commits the open transaction before, as on a server.
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
        DdlKind::CreateDatabase { .. } | DdlKind::AlterDatabase { .. } | DdlKind::DropDatabase { .. } => {
            return databases::run(session, writer, text, &ddl.kind).await;
        }
        _ => {}
    }
    let schemas = check(session, ddl)?;
    of_client::refuse(session, text, ddl)?;
    if temporary::is_meant(ddl) {
        return temporary::run(session, writer, text, ddl, &schemas).await;
    }
    refuse_temporary(session, ddl, &schemas)?;
    if ddl.query.is_some() {
        commit(session).await?;
        return match Box::pin(staged::create_select(session, writer, text, ddl, &schemas)).await {
            Err(failure) => Err(Box::pin(functions::explained_failure(session, failure)).await),
            Ok(()) => {
                // The rows that the query gave, which only its servers have counted.
                session.last.found_rows = None;
                Ok(())
            }
        };
    }
    if matches!(ddl.kind, DdlKind::AlterTable { .. } | DdlKind::CreateIndex { unique: true, .. }) {
        // What the statement may change depends on what is there, which another proxy may have changed.
        refresh(session, &session.base_catalog(), ddl, &schemas).await;
    }
    let catalog = meant(session, ddl, &schemas);
    if let Some(copy) = like::text(session, &catalog, ddl, &schemas, text).await? {
        let ddl = reparsed(&copy, session.options)?;
        return define(session, writer, &copy, &ddl, &schemas[..1], &catalog).await;
    }
    if let Some(named) = unnamed::text(&catalog, ddl, &schemas, text, session.options) {
        let ddl = reparsed(&named, session.options)?;
        return define(session, writer, &named, &ddl, &schemas, &catalog).await;
    }
    define(session, writer, text, ddl, &schemas, &catalog).await
}

/// Runs a definition and answers with what the nodes say.
pub(super) async fn define<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    ddl: &Ddl,
    schemas: &[String],
    catalog: &Arc<Catalog>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let planned = serval_planner::plan_ddl(catalog, session.schema.as_deref(), ddl, text, session.options);
    let bound = match planned {
        Err(error) if dropped::may_help(ddl, &error) => {
            commit(session).await?;
            dropped::plan(session, text, ddl, schemas).await?
        }
        planned => planned.map_err(|error| error.to_mysql())?,
    };
    commit(session).await?;
    let (status, state) = (session.status(), session.effective_state());
    // Rows that are there get the instant by a new column's default, each server's those that it has.
    let fills =
        matches!(ddl.kind, DdlKind::AlterTable { .. }) && names_clock(text.as_bytes(), session.options);
    let instant = if fills { fixed_timestamp(session, catalog).await? } else { None };
    let state = instant.map_or(state.clone(), |instant| state.with("timestamp", &instant));
    if targets(&bound.root).len() > 1 {
        let mut sink = Outcome::new(catalog.settings.memory_per_query);
        execute(session, &mut sink, (ddl, schemas), &bound, catalog, state).await?;
        let ok = notes::told_once(session, &bound, sink.ok).await;
        writer.ok(&OkPacket { status: session.status(), ..ok });
    } else {
        let mut sink = ClientSink::new(writer, status, None);
        execute(session, &mut sink, (ddl, schemas), &bound, catalog, state).await?;
    }
    numbers::begin(session, catalog, (ddl, schemas), text).await;
    Ok(())
}

/// Runs a planned definition, and makes known what it has changed.
pub(super) async fn execute<B: Backend, S: ResultSink>(
    session: &mut Session<B>,
    sink: &mut S,
    (ddl, schemas): (&Ddl, &[String]),
    bound: &Bound,
    catalog: &Arc<Catalog>,
    state: SessionState,
) -> Result<Completed, Failure> {
    let result = session.define(bound, catalog, &state, sink).await;
    // Even a failed statement may have changed some of the nodes.
    refresh(session, &session.base_catalog(), ddl, schemas).await;
    if matches!(ddl.kind, DdlKind::DropTable { .. }) && !session.temporary.is_empty() {
        temporary::forget_dropped(session, catalog, ddl, schemas, result.is_ok()).await;
    }
    match result {
        Ok(completed) => {
            numbers::settle(session, catalog, ddl, schemas).await;
            session.last.changed(completed.affected_rows, 0, completed.warnings);
            if completed.warnings > 0 {
                session.note_warnings(bound, catalog, state);
            }
            Ok(completed)
        }
        Err(ExecuteError::Client(_)) => Err(Failure::Gone),
        Err(error) => Err(error.to_mysql().into()),
    }
}

pub(super) fn reparsed(text: &str, options: LexOptions) -> Result<Ddl, Failure> {
    match serval_sql::parse(text, options).map_err(|error| error.to_mysql())? {
        Statement::Ddl(ddl) => Ok(ddl),
        _ => Err(refused("The definition of the table is not understood")),
    }
}

/// A temporary table is known to this session by its name.
fn refuse_temporary<B: Backend>(session: &Session<B>, ddl: &Ddl, schemas: &[String]) -> Result<(), Failure> {
    let renames = matches!(ddl.kind, DdlKind::AlterTable { rename_to: Some(_) } | DdlKind::RenameTable);
    let mut named = schemas.iter().zip(&ddl.tables);
    if renames && named.any(|(schema, name)| session.temporary.has(schema, &name.table.value)) {
        return Err(refused("Renaming a temporary table is not supported; create another one from it"));
    }
    Ok(())
}

/// The catalog that the statement's names belong to. CREATE TABLE makes a table beside a temporary one of its name.
pub(super) fn meant<B: Backend>(session: &Session<B>, ddl: &Ddl, schemas: &[String]) -> Arc<Catalog> {
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

/// Reads the definitions of the tables again, stores a catalog that knows them, and has other proxies told.
async fn refresh<B: Backend>(session: &mut Session<B>, catalog: &Catalog, ddl: &Ddl, schemas: &[String]) {
    for (schema, table) in schemas.iter().zip(&ddl.tables) {
        let (servers, name) = (&*session.proxy.backend, Some(&*table.table.value));
        // A table that this session has locked shows its definition to nobody else.
        let fetched = match session.locked {
            Some(_) => serval_executor::definitions::fetch(&session.backend, catalog, schema, name).await,
            None => serval_executor::definitions::fetch(servers, catalog, schema, name).await,
        };
        definitions::store(&session.proxy, schema, fetched);
        if !session.proxy.catalog.load().views.is_empty() {
            Box::pin(stored::renew(session, schema, &table.table.value)).await;
        }
    }
    let names = ddl.tables.iter().map(|name| name.table.value.clone());
    session.proxy.defined.note(schemas.iter().cloned().zip(names));
}
