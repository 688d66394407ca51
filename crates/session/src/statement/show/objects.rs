//! SHOW TRIGGERS, EVENTS, PROCEDURE and FUNCTION STATUS, OPEN TABLES: what servers hold beside tables.

use std::collections::BTreeSet;

use serval_catalog::{Catalog, Schema};
use serval_remote::Backend;
use serval_types::NodeId;

use super::account::Accounts;
use super::place::is_hidden;
use super::tables::first_piece;
use crate::answer::{Answer, Row};
use crate::failure::{Failure, unknown_schema};
use crate::literal::quote;
use crate::session::{Session, is_system_schema};
use crate::statement::stored::trigger_nodes;

/// The triggers of a schema's tables; those of a table with several pieces, as its first has them.
pub(super) async fn triggers<B: Backend>(
    session: &mut Session<B>,
    schema: Option<&str>,
) -> Result<Answer, Failure> {
    let name = session.schema_or_current(schema)?;
    if is_system_schema(&name) {
        return of_system(session, "SHOW TRIGGERS FROM information_schema").await;
    }
    let catalog = session.catalog();
    let schema = catalog.schema(&name).ok_or_else(|| unknown_schema(&name))?;
    let firsts = schema.tables.values().filter_map(|table| first_piece(table).map(|(node, _)| node));
    let nodes: BTreeSet<NodeId> = firsts.chain(trigger_nodes(schema)).collect();
    let mut all = Answer::default();
    for node in nodes {
        let mut answer = session.ask(node, "SHOW TRIGGERS").await?;
        Accounts::of(session, node).await?.rename(&mut answer);
        let rows = std::mem::take(&mut answer.rows);
        all.columns = answer.columns;
        all.rows.extend(rows.into_iter().filter_map(|row| with_logical(row, 2, schema, node)));
    }
    sort(&mut all, &[2]);
    Ok(all)
}

/// The events of a schema.
pub(super) async fn events<B: Backend>(
    session: &mut Session<B>,
    schema: Option<&str>,
) -> Result<Answer, Failure> {
    let name = session.schema_or_current(schema)?;
    if is_system_schema(&name) {
        return of_system(session, "SHOW EVENTS FROM information_schema").await;
    }
    of_default(session, &name, "SHOW EVENTS").await
}

/// The routines of all schemas that the user may use.
pub(super) async fn routines<B: Backend>(session: &mut Session<B>, kind: &str) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let user = catalog.users.get(&session.user);
    let schemas =
        catalog.schemas.values().filter(|schema| user.is_some_and(|user| user.may_use(&schema.name)));
    let mut all = Answer::default();
    for schema in schemas.filter(|schema| schema.default_node.is_some()) {
        let database = database(&catalog, schema);
        let sql = format!("SHOW {kind} STATUS WHERE Db = {}", quote(database.as_bytes(), "utf8mb4"));
        let answer = of_default(session, &schema.name, &sql).await?;
        all.columns = answer.columns;
        all.rows.extend(answer.rows);
    }
    if all.columns.is_empty() {
        return of_system(session, &format!("SHOW {kind} STATUS WHERE FALSE")).await;
    }
    sort(&mut all, &[0, 1]);
    Ok(all)
}

/// The tables that the default node's server has open.
pub(super) async fn open_tables<B: Backend>(
    session: &mut Session<B>,
    schema: Option<&str>,
) -> Result<Answer, Failure> {
    // Without FROM a server shows those of all its databases.
    let name = session.schema_or_current(schema)?;
    if is_system_schema(&name) {
        return of_system(session, "SHOW OPEN TABLES FROM information_schema").await;
    }
    let catalog = session.catalog();
    let schema = catalog.schema(&name).ok_or_else(|| unknown_schema(&name))?;
    let mut answer = of_default(
        session,
        &name,
        &format!("SHOW OPEN TABLES FROM {}", crate::literal::identifier(&database(&catalog, schema))),
    )
    .await?;
    let node = schema.default_node;
    let rows = std::mem::take(&mut answer.rows);
    answer.rows = rows.into_iter().filter_map(|row| with_logical(row, 1, schema, node?)).collect();
    Ok(answer)
}

/// What the default node of a schema says, with its database's name replaced; nothing where there is none.
async fn of_default<B: Backend>(session: &mut Session<B>, name: &str, sql: &str) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let schema = catalog.schema(name).ok_or_else(|| unknown_schema(name))?;
    let home = session.home(&catalog)?;
    let mut answer = session.ask(schema.default_node.unwrap_or(home), sql).await?;
    let Some(node) = schema.default_node else { return Ok(Answer::new(answer.columns)) };
    Accounts::of(session, node).await?.rename(&mut answer);
    let database = database(&catalog, schema);
    for cell in answer.rows.iter_mut().filter_map(|row| row.first_mut()) {
        if cell.as_deref() == Some(database.as_bytes()) {
            *cell = Some(schema.name.clone().into_bytes());
        }
    }
    Ok(answer)
}

async fn of_system<B: Backend>(session: &mut Session<B>, sql: &str) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    session.ask(home, sql).await
}

fn database(catalog: &Catalog, schema: &Schema) -> String {
    schema.default_node.map(|node| catalog.node(node).database.to_string()).unwrap_or_default()
}

/// The row with the logical name of the table in one of its cells; `None` where the table is not to be shown.
fn with_logical(mut row: Row, at: usize, schema: &Schema, node: NodeId) -> Option<Row> {
    let cell = row.get_mut(at)?;
    let physical = String::from_utf8_lossy(cell.as_deref()?).into_owned();
    let is_first = |table: &serval_catalog::Table| {
        first_piece(table)
            .is_some_and(|(place, name)| place == node && schema.is_called(table, name, &physical))
    };
    let logical = match schema.tables.values().find(|table| is_first(table)) {
        Some(table) => table.name.clone(),
        None => {
            let unnamed = schema.default_node == Some(node) && !schema.knows(&physical);
            (unnamed && !is_hidden(schema, &physical)).then(|| physical.clone())?
        }
    };
    *cell = Some(logical.into_bytes());
    Some(row)
}

fn sort(answer: &mut Answer, by: &[usize]) {
    // Those of one table keep the order in which they fire.
    answer.rows.sort_by(|one, two| {
        let key = |row: &Row| by.iter().map(|at| row.get(*at).cloned().flatten()).collect::<Vec<_>>();
        key(one).cmp(&key(two))
    });
}
