//! Tables of coming periods are made like the newest that there is.

use serval_catalog::Catalog;
use serval_remote::Backend;

use super::{Found, Period, PeriodState, impatient, quoted};
use crate::definitions::without_counter;
use crate::error::ExecuteError;
use crate::query_rows::query_rows_under;

/// What making a table comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Making {
    /// It is made like one beside it.
    Like(String),
    /// It is made like one of another node.
    Elsewhere(Period),
}

/// The statements that make the missing tables, with each one's place. `dry` only says them.
///
/// The error is what stood in the way; then others may have been made all the same.
pub async fn make_missing<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    found: &Found,
    dry: bool,
) -> Vec<(Period, String, Result<(), String>)> {
    let mut done = Vec::new();
    for missing in found.periods.iter().filter(|period| period.state == PeriodState::Missing) {
        let Some(making) = making(missing, found) else { continue };
        let statement = match making {
            Making::Like(newest) => Ok(format!(
                "CREATE TABLE IF NOT EXISTS {} LIKE {}",
                quoted(&missing.physical),
                quoted(&newest)
            )),
            Making::Elsewhere(newest) => definition(backend, catalog, missing, &newest).await,
        };
        match statement {
            Ok(sql) => {
                let result = if dry { Ok(()) } else { run(backend, catalog, missing, &sql).await };
                done.push((missing.clone(), sql, result.map_err(|error| error.to_string())));
            }
            Err(error) => done.push((missing.clone(), String::new(), Err(error.to_string()))),
        }
    }
    done
}

/// The newest table that there is: on the same node, or on another.
fn making(missing: &Period, found: &Found) -> Option<Making> {
    let there = || {
        found.periods.iter().filter(|period| {
            period.state != PeriodState::Missing
                && period.schema == missing.schema
                && period.table == missing.table
        })
    };
    // Names of one pattern sort by their periods.
    let newest = |periods: &mut dyn Iterator<Item = &Period>| {
        periods.max_by(|one, two| one.physical.cmp(&two.physical)).cloned()
    };
    let beside = newest(&mut there().filter(|period| period.node == missing.node));
    match beside {
        Some(period) => Some(Making::Like(period.physical)),
        None => newest(&mut there()).map(Making::Elsewhere),
    }
}

async fn definition<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    missing: &Period,
    newest: &Period,
) -> Result<String, ExecuteError> {
    let node = catalog.node(newest.node);
    let sql = format!("SHOW CREATE TABLE {}", quoted(&newest.physical));
    let rows = query_rows_under(backend, node.group, Some(&node.database), &impatient(), &sql).await?;
    let text = rows.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten()).unwrap_or_default();
    let head = format!("CREATE TABLE {}", quoted(&newest.physical));
    let text = String::from_utf8_lossy(&text).into_owned();
    let Some(rest) = text.strip_prefix(&head) else {
        return Err(ExecuteError::refused(format!("{} is no table", newest.physical)));
    };
    Ok(without_counter(&format!("CREATE TABLE IF NOT EXISTS {}{rest}", quoted(&missing.physical))))
}

async fn run<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    period: &Period,
    sql: &str,
) -> Result<(), ExecuteError> {
    let node = catalog.node(period.node);
    query_rows_under(backend, node.group, Some(&node.database), &impatient(), sql).await.map(|_| ())
}
