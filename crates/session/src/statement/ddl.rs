//! CREATE, DROP, ALTER and TRUNCATE: on every node of a table, and then into the catalog.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_executor::ExecuteError;
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, LexOptions, TableDefinition};
use tokio::io::AsyncWrite;

use super::transaction::commit;
use crate::answer::ClientSink;
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
    let schemas = check(session, ddl)?;
    commit(session).await?;
    let catalog = session.catalog();
    let bound = serval_planner::plan_ddl(&catalog, session.schema.as_deref(), ddl, text, session.options)
        .map_err(|error| error.to_mysql())?;
    let (status, state) = (session.status(), session.effective_state());
    let mut sink = ClientSink::new(writer, status, None);
    let result = session.execute(&bound, &catalog, &state, None, &mut sink).await;
    // Even a failed statement may have changed some of the nodes.
    refresh(session, &catalog, ddl, &schemas).await;
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

/// The schema of each table, if the user may use all of them.
fn check<B: Backend>(session: &Session<B>, ddl: &Ddl) -> Result<Vec<String>, Failure> {
    if let DdlKind::CreateTable { temporary: true, .. } | DdlKind::DropTable { temporary: true, .. } =
        ddl.kind
    {
        return Err(refused(
            "Temporary tables are not supported yet; use an ordinary table and drop it afterwards",
        ));
    }
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
        let servers = &*session.proxy.backend;
        let fetched =
            serval_executor::definitions::fetch(servers, catalog, schema, Some(&table.table.value)).await;
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
