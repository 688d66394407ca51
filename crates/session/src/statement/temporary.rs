//! CREATE TEMPORARY TABLE and DROP TEMPORARY TABLE, and what other definitions mean for temporary tables.

use std::sync::Arc;

use serval_catalog::{Catalog, TemporaryTable};
use serval_executor::ExecuteError;
use serval_planner::primitive::{Primitive, Route};
use serval_planner::{Bound, PlanTable, plan_create_temporary, plan_drop_temporary, temporary_home};
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind};
use serval_types::{GroupId, NodeId};
use tokio::io::AsyncWrite;

use crate::answer::ClientSink;
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::pins::PinReason;
use crate::session::{Effects, Purpose, Query, Session, Wanted, on_node, prepare};
use crate::stream::Writer;

/// Whether the statement says TEMPORARY.
pub(super) fn is_meant(ddl: &Ddl) -> bool {
    matches!(
        ddl.kind,
        DdlKind::CreateTable { temporary: true, .. } | DdlKind::DropTable { temporary: true, .. }
    )
}

/// Runs CREATE TEMPORARY TABLE or DROP TEMPORARY TABLE, which commit nothing. `schemas` are those of its tables.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    ddl: &Ddl,
    schemas: &[String],
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let catalog = session.catalog();
    match ddl.kind {
        DdlKind::CreateTable { .. } => create(session, writer, text, ddl, (&catalog, schemas)).await,
        _ => {
            let bound = plan_drop_temporary(&catalog, session.schema.as_deref(), ddl, text)
                .map_err(|error| error.to_mysql())?;
            let result = execute(session, writer, &bound, &catalog).await;
            forget_dropped(session, &catalog, ddl, schemas, result.is_ok()).await;
            result
        }
    }
}

async fn create<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    ddl: &Ddl,
    (catalog, schemas): (&Arc<Catalog>, &[String]),
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let (Some(schema), Some(name)) = (schemas.first(), ddl.tables.first()) else {
        return Err(refused("The statement names no table"));
    };
    let node = temporary_home(catalog, schema).map_err(|error| error.to_mysql())?;
    let query = match ddl.query {
        Some(span) => Some(select(session, catalog, span.of(text.as_bytes()), node).await?),
        None => None,
    };
    let wanted = match &query {
        Some((text, _)) => Effects::of_text(text.as_bytes(), session.options)?.wanted,
        None => Wanted::default(),
    };
    let query = query.as_ref().map(|(text, tables)| (text.clone(), &**tables));
    let bound = plan_create_temporary(catalog, session.schema.as_deref(), ddl, text, query)
        .map_err(|error| error.to_mysql())?;
    if ddl.query.is_some() {
        session.begin_if_implicit(catalog);
    }
    let group = catalog.node(node).group;
    // The first one: given up half-way, nothing is lost with its connection that the client knows of.
    let first = (!session.temporary.is_on(group)).then(|| session.backend.attempt(PinReason::TemporaryTable));
    session.backend.pin(group, PinReason::TemporaryTable);
    if !wanted.is_nothing() {
        session.pin_for(group, &wanted).await?;
    }
    let result = execute(session, writer, &bound, catalog).await;
    if let Some(first) = first {
        match &result {
            Ok(()) => first.succeed(),
            Err(Failure::Told(_)) => first.refused(group),
            Err(_) => drop(first),
        }
    }
    if result.is_ok() {
        let (schema, name) = (schema.clone(), name.table.value.clone());
        session.temporary.add(catalog, TemporaryTable { schema, name, node });
        if ddl.query.is_some() {
            // The rows that the query gave, which only its server has counted.
            session.last.found_rows = None;
        }
    }
    if wanted.is_nothing() { result } else { session.read_after(group, &wanted, result).await }
}

/// The query behind CREATE TABLE as the node gets it, and its tables; all of them must be there.
async fn select<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    sql: &[u8],
    node: NodeId,
) -> Result<(String, Arc<[PlanTable]>), Failure> {
    let sql = session.with_identity(sql)?.into_owned();
    let scan = crate::session::rescan(&sql, session.options)?;
    let ready = prepare(session, catalog, &Query::text(&sql, &scan), Purpose::Run).await?;
    let apart = || {
        refused(format!(
            "The rows of a temporary table must come from data node {}, where the table will be; create the table, \
             read the rows and insert them",
            catalog.node(node).name
        ))
    };
    let Primitive::Route(Route { targets, hidden: 0, .. }) = &ready.bound.root else { return Err(apart()) };
    let [target] = &**targets else { return Err(apart()) };
    if target.node != node && !ready.bound.tables.is_empty() {
        return Err(apart());
    }
    let text = String::from_utf8(target.sql.clone())
        .map_err(|_| refused("This statement must be written in UTF-8; SET NAMES utf8mb4 first"))?;
    Ok((text, ready.bound.tables))
}

async fn execute<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    bound: &Bound,
    catalog: &Arc<Catalog>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let (status, state) = (session.status(), session.effective_state());
    let mut sink = ClientSink::new(writer, status, None);
    match session.execute(bound, catalog, &state, None, &mut sink).await {
        Ok(completed) => {
            session.last.changed(completed.affected_rows, 0, completed.warnings);
            if completed.warnings > 0 {
                session.note_warnings(bound, catalog, state);
            }
            Ok(())
        }
        Err(ExecuteError::Client(_)) => Err(Failure::Gone),
        Err(error) => Err(error.to_mysql().into()),
    }
}

/// Forgets the temporary tables that a DROP TABLE has dropped. One that failed may have dropped some of them.
pub(super) async fn forget_dropped<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    ddl: &Ddl,
    schemas: &[String],
    succeeded: bool,
) {
    for (schema, name) in schemas.iter().zip(&ddl.tables) {
        let name = &*name.table.value;
        if !session.temporary.has(schema, name) {
            continue;
        }
        let Ok(node) = temporary_home(catalog, schema) else { continue };
        if succeeded || !is_there(session, node, schema, name).await {
            session.temporary.remove(schema, name);
            release_if_last(session, catalog.node(node).group);
        }
    }
}

/// Whether the temporary table still exists; in doubt it does.
async fn is_there<B: Backend>(session: &mut Session<B>, node: NodeId, schema: &str, name: &str) -> bool {
    let sql = format!("SHOW CREATE TABLE {}", identifier(name));
    let catalog = session.catalog();
    let table = Arc::new(serval_catalog::Table::on_node(name, node));
    let tables = Arc::from([PlanTable { schema: schema.to_owned(), table }]);
    let target = serval_planner::primitive::Target::new(node, None, sql.into_bytes());
    let bound = Bound { tables, ..on_node(target) };
    match session.collect_bound(&bound, &catalog).await {
        Ok(answer) => answer.text(0, 1).is_some_and(|text| text.starts_with("CREATE TEMPORARY")),
        // ER_NO_SUCH_TABLE.
        Err(Failure::Told(error)) => error.number != 1146,
        Err(_) => true,
    }
}

/// A group without temporary tables need not be pinned for them.
fn release_if_last<B: Backend>(session: &Session<B>, group: GroupId) {
    if !session.temporary.is_on(group) {
        session.backend.unpin(group, PinReason::TemporaryTable);
    }
}
