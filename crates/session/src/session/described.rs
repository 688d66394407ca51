//! Definitions that one statement needs and that the catalog has not: of temporary tables, of views, of tables that were
//! made past Serval.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serval_catalog::{Catalog, DescribedTable, TableDefinition};
use serval_planner::{Plan, PlanTable};
use serval_remote::Backend;
use serval_sql::LexOptions;
use serval_types::NodeId;

use super::Session;
use crate::failure::{Failure, refused};
use crate::literal::identifier;

/// The catalog with the definitions that gathering needs and `catalog` has not; `None` where it has them all.
pub(super) async fn completed<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    plan: &Plan,
) -> Result<Option<Arc<Catalog>>, Failure> {
    let mut described = Vec::new();
    for PlanTable { schema, table } in plan.undescribed() {
        let Some(&node) = table.placement.nodes().first() else { continue };
        let database = catalog.node(node).database.to_string();
        let definition = describe(session, catalog, node, &database, &table.name).await?;
        described.push(DescribedTable {
            schema: schema.clone(),
            definition,
            node,
            derived: None,
            held: None,
        });
    }
    if described.is_empty() {
        return Ok(None);
    }
    Ok(Some(fresh_overlay(session, catalog, described)))
}

/// A catalog of this statement's own.
pub(crate) fn fresh_overlay<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    described: Vec<DescribedTable>,
) -> Arc<Catalog> {
    let number = session.proxy.overlays.fetch_add(1, Ordering::Relaxed);
    Arc::new(catalog.with_described(number, described))
}

async fn describe<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    node: NodeId,
    database: &str,
    table: &str,
) -> Result<TableDefinition, Failure> {
    let sql = format!("SHOW CREATE TABLE {}.{}", identifier(database), identifier(table));
    let answer = session.ask_in_utf8(catalog, node, &sql).await?;
    if answer.columns.first().is_some_and(|column| &*column.name == b"View") {
        return describe_columns(session, catalog, node, database, table).await;
    }
    definition(&answer.text(0, 1).unwrap_or_default())
}

/// A definition from nothing but the columns, for what is no table.
pub(crate) async fn describe_columns<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    node: NodeId,
    database: &str,
    table: &str,
) -> Result<TableDefinition, Failure> {
    let sql = format!("SHOW FULL COLUMNS FROM {}.{}", identifier(database), identifier(table));
    let answer = session.ask_in_utf8(catalog, node, &sql).await?;
    let mut text = format!("CREATE TABLE {} (", identifier(table));
    for row in 0..answer.rows.len() {
        let cell = |column: usize| answer.text(row, column).unwrap_or_default();
        let comma = if row > 0 { ", " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{} {}", identifier(&cell(0)), cell(1));
        if let Some(collation) = answer.text(row, 2) {
            let _ = write!(text, " COLLATE {collation}");
        }
        text.push_str(if cell(3) == "NO" { " NOT NULL" } else { " NULL" });
    }
    text.push(')');
    definition(&text)
}

fn definition(text: &str) -> Result<TableDefinition, Failure> {
    serval_sql::create_table::parse(text, LexOptions::default())
        .map_err(|error| refused(format!("The definition of a table is not understood: {error}")))
}
