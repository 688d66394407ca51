//! What the servers are, where kinds and versions of them answer a statement differently. They are asked when the proxy starts, and later
//! where none was up then or they have become others.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serval_backend::Servers;
use serval_catalog::Catalog;
use serval_executor::query_rows;
use serval_session::Flavour;
use serval_types::GroupId;

/// Variables that change what a statement computes.
const NUMBERS: [&str; 4] =
    ["default_week_format", "div_precision_increment", "group_concat_max_len", "max_sort_length"];
const TEXTS: [&str; 2] = ["lc_time_names", "sql_mode"];

/// A server's time zone, and by how many seconds its clock is ahead in winter and in summer.
const CLOCK: &str = "@@global.time_zone, TIMESTAMPDIFF(SECOND, '2026-01-15 00:00:00', FROM_UNIXTIME(1768435200)), \
    TIMESTAMPDIFF(SECOND, '2026-07-15 00:00:00', FROM_UNIXTIME(1784073600))";

/// No rows, rolled up.
const NOTHING: &str = "SELECT n FROM (SELECT 1 AS n) one WHERE n > 1 GROUP BY n WITH ROLLUP";

/// Has plans made for the servers that there are, as far as one can be asked.
pub async fn learn(catalog: &ArcSwap<Catalog>, servers: &Servers) {
    let Some(version) = servers.lowest_version() else { return };
    let kind = Flavour::of_version(&version).server_kind();
    let current = catalog.load_full();
    let known = current.totals_nothing.is_some() && current.sql_mode.is_some();
    if current.servers == kind && known && (current.scratch.is_none() || !current.defaults.is_empty()) {
        return;
    }
    let Some(group) = current.nodes.first().map(|node| node.group) else { return };
    // What is known is not asked again while a scratch server is waited for, and stays where nobody answers.
    let same_kind = current.servers == kind;
    let totals = match current.totals_nothing.filter(|_| same_kind) {
        None => totals_nothing(servers, group).await.or(current.totals_nothing),
        known => known,
    };
    let known = current.sql_mode.clone().map(|mode| (mode, current.folds_names()));
    let reading = match known.clone().filter(|_| same_kind) {
        None => reading(servers, group).await.or(known),
        known => known,
    };
    let (mode, folded) = reading.map_or((None, false), |(mode, folded)| (Some(mode), folded));
    let defaults = match current.scratch {
        Some(_) => defaults(servers, group).await.unwrap_or_else(|| Arc::clone(&current.defaults)),
        None => Arc::default(),
    };
    let same = totals == current.totals_nothing && mode == current.sql_mode;
    if same_kind && same && defaults == current.defaults {
        return;
    }
    catalog.rcu(|current| {
        let mut next = Catalog {
            servers: kind,
            totals_nothing: totals,
            sql_mode: mode.clone(),
            defaults: Arc::clone(&defaults),
            version: current.version + 1,
            ..Catalog::clone(current)
        };
        next.fold_names(folded);
        next
    });
}

/// How servers read a statement: their `sql_mode`, and whether names of tables that differ in case are one.
async fn reading(servers: &Servers, group: GroupId) -> Option<(Arc<str>, bool)> {
    let cells = cells(servers, group, "SELECT @@global.sql_mode, @@global.lower_case_table_names").await?;
    let [mode, folded] = &*cells else { return None };
    Some((Arc::from(&**mode), folded != "0"))
}

/// What sessions begin with on the first group's servers and the scratch server would do otherwise.
async fn defaults(servers: &Servers, group: GroupId) -> Option<Arc<[(&'static str, String)]>> {
    let names = NUMBERS.iter().chain(&TEXTS).map(|name| format!("@@global.{name}"));
    let sql = format!("SELECT {}, {CLOCK}", names.collect::<Vec<_>>().join(", "));
    let mut values = cells(servers, group, &sql).await?.into_iter();
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for name in NUMBERS {
        found.push((name, values.next()?));
    }
    for name in TEXTS {
        found.push((name, format!("'{}'", values.next()?)));
    }
    let clock: Vec<String> = values.collect();
    found.extend(zone(&clock, &cells(servers, GroupId::SCRATCH, &format!("SELECT {CLOCK}")).await?)?);
    Some(found.into())
}

/// The time zone to be set, unless both servers go by clocks that show the same.
fn zone(nodes: &[String], scratch: &[String]) -> Option<Option<(&'static str, String)>> {
    let [name, winter, summer] = nodes else { return None };
    if nodes == scratch {
        return Some(None);
    }
    if winter != summer {
        // A host's zone with summer time has no name here that another server would know.
        return Some((name != "SYSTEM").then(|| ("time_zone", format!("'{name}'"))));
    }
    let seconds: i64 = winter.parse().ok()?;
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    Some(Some(("time_zone", format!("'{sign}{:02}:{:02}'", minutes / 60, minutes % 60))))
}

/// The cells of an answer's first row.
async fn cells(servers: &Servers, group: GroupId, sql: &str) -> Option<Vec<String>> {
    let row = query_rows(servers, group, None, sql).await.ok()?.into_iter().next()?;
    row.into_iter().map(|cell| cell.map(|cell| String::from_utf8_lossy(&cell).into_owned())).collect()
}

async fn totals_nothing(servers: &Servers, group: GroupId) -> Option<bool> {
    let rows = query_rows(servers, group, None, NOTHING).await;
    rows.ok().map(|rows| !rows.is_empty())
}
