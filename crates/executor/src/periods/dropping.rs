//! Tables of periods that have expired are dropped, by one proxy at a time.

use std::time::Instant;

use serval_catalog::Catalog;
use serval_remote::{Access, Backend, Request};
use serval_types::NodeId;

use super::{Found, Period, PeriodState, impatient, quoted};
use crate::error::ExecuteError;
use crate::query_rows::{CONNECTION_WAIT, Row, ask};

/// The statements that drop what has expired, with each table's place. `dry` only says them.
///
/// Nodes where another proxy is at it are left to that one. A table that somebody uses is tried again the next time.
pub async fn drop_passed<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    found: &Found,
    dry: bool,
) -> Vec<(Period, String, Result<(), String>)> {
    let passed = || found.periods.iter().filter(|period| period.state == PeriodState::Passed);
    let statement = |period: &Period| format!("DROP TABLE IF EXISTS {}", quoted(&period.physical));
    if dry {
        return passed().map(|period| (period.clone(), statement(period), Ok(()))).collect();
    }
    let mut nodes: Vec<NodeId> = passed().map(|period| period.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let mut done = Vec::new();
    for node in nodes {
        let here: Vec<(&Period, String)> =
            passed().filter(|period| period.node == node).map(|period| (period, statement(period))).collect();
        match on_node(backend, catalog, node, &here).await {
            Ok(results) => {
                let each = here.iter().zip(results);
                done.extend(each.map(|((period, sql), result)| ((*period).clone(), sql.clone(), result)));
            }
            Err(error) => {
                let failed =
                    here.iter().map(|(period, sql)| ((*period).clone(), sql.clone(), Err(error.to_string())));
                done.extend(failed);
            }
        }
    }
    done
}

/// Drops tables of a node under its lock; none where another proxy holds that.
async fn on_node<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    node: NodeId,
    tables: &[(&Period, String)],
) -> Result<Vec<Result<(), String>>, ExecuteError> {
    let node = catalog.node(node);
    let state = impatient();
    let deadline = Instant::now() + CONNECTION_WAIT;
    let mut connection = backend.acquire(node.group, Access::Primary, &state, deadline).await?;
    let lock = format!("'serval_periods.{}'", node.database.replace('\\', "\\\\").replace('\'', "''"));
    let sql = format!("SELECT GET_LOCK({lock}, 0)");
    let rows = ask(&mut connection, &of(&node.database, &state, sql.as_bytes())).await?;
    if !is_one(&rows) {
        return Ok(Vec::new());
    }
    let mut results = Vec::with_capacity(tables.len());
    for (_, sql) in tables {
        // An error of the server leaves the connection, and the lock, as they are; one of the connection ends both.
        match ask(&mut connection, &of(&node.database, &state, sql.as_bytes())).await {
            Ok(_) => results.push(Ok(())),
            Err(ExecuteError::Server(error)) => results.push(Err(error.message)),
            Err(error) => return Err(error),
        }
    }
    let sql = format!("SELECT RELEASE_LOCK({lock})");
    ask(&mut connection, &of(&node.database, &state, sql.as_bytes())).await?;
    Ok(results)
}

fn of<'a>(database: &'a str, state: &'a serval_remote::SessionState, sql: &'a [u8]) -> Request<'a> {
    Request { database: Some(database), state, begin: None, sql, execution: None }
}

fn is_one(rows: &[Row]) -> bool {
    rows.first().and_then(|row| row.first()).and_then(Option::as_deref) == Some(b"1")
}
