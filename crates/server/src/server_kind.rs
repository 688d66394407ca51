//! What the servers are, where kinds and versions of them answer a statement differently. They are asked when the proxy starts, and later
//! where none was up then or they have become others.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serval_backend::Servers;
use serval_catalog::Catalog;
use serval_executor::query_rows;
use serval_session::Flavour;

/// Variables that change what a statement computes.
const NUMBERS: [&str; 4] =
    ["default_week_format", "div_precision_increment", "group_concat_max_len", "max_sort_length"];
const TEXTS: [&str; 3] = ["lc_time_names", "sql_mode", "time_zone"];

/// By how many seconds the servers' clocks are ahead in winter and in summer.
const SEASONS: &str = "TIMESTAMPDIFF(SECOND, '2026-01-15 00:00:00', FROM_UNIXTIME(1768435200)), \
    TIMESTAMPDIFF(SECOND, '2026-07-15 00:00:00', FROM_UNIXTIME(1784073600))";

/// No rows, rolled up.
const NOTHING: &str = "SELECT n FROM (SELECT 1 AS n) one WHERE n > 1 GROUP BY n WITH ROLLUP";

/// Has plans made for the servers that there are, as far as one can be asked.
pub async fn learn(catalog: &ArcSwap<Catalog>, servers: &Servers) {
    let Some(version) = servers.lowest_version() else { return };
    let kind = Flavour::of_version(&version).server_kind();
    let current = catalog.load_full();
    if current.servers == kind && current.totals_nothing.is_some() && current.sql_mode.is_some() {
        return;
    }
    let totals = totals_nothing(&current, servers).await;
    let (mode, defaults) = defaults(&current, servers).await.unzip();
    if current.servers == kind && totals == current.totals_nothing && mode == current.sql_mode {
        return;
    }
    catalog.rcu(|current| Catalog {
        servers: kind,
        totals_nothing: totals,
        sql_mode: mode.clone(),
        defaults: defaults.clone().unwrap_or_default(),
        version: current.version + 1,
        ..Catalog::clone(current)
    });
}

/// What a session begins with on the first group's servers: the `sql_mode`, which decides how texts are read, and other variables that
/// change values.
async fn defaults(catalog: &Catalog, servers: &Servers) -> Option<(Arc<str>, Arc<[(&'static str, String)]>)> {
    let group = catalog.nodes.first()?.group;
    let names = NUMBERS.iter().chain(&TEXTS).map(|name| format!("@@global.{name}"));
    let sql = format!("SELECT {}, {SEASONS}", names.collect::<Vec<_>>().join(", "));
    let row = query_rows(servers, group, None, &sql).await.ok()?.into_iter().next()?;
    let mut cells = row.into_iter().map(|cell| cell.map(|cell| String::from_utf8_lossy(&cell).into_owned()));
    let mut found = Vec::new();
    for name in NUMBERS {
        found.push((name, cells.next()??));
    }
    let mut mode = None;
    for name in TEXTS {
        let value = cells.next()??;
        match (name, &*value) {
            ("time_zone", "SYSTEM") => {}
            _ => found.push((name, format!("'{value}'"))),
        }
        if name == "sql_mode" {
            mode = Some(value.into());
        }
    }
    let seasons: [i64; 2] = [cells.next()??.parse().ok()?, cells.next()??.parse().ok()?];
    // A zone with summer time has no name here that another server would know.
    if seasons[0] == seasons[1] && !found.iter().any(|(name, _)| *name == "time_zone") {
        let (sign, minutes) = (if seasons[0] < 0 { '-' } else { '+' }, seasons[0].abs() / 60);
        found.push(("time_zone", format!("'{sign}{:02}:{:02}'", minutes / 60, minutes % 60)));
    }
    Some((mode?, found.into()))
}

async fn totals_nothing(catalog: &Catalog, servers: &Servers) -> Option<bool> {
    let group = catalog.nodes.first()?.group;
    let rows = query_rows(servers, group, None, NOTHING).await;
    rows.ok().map(|rows| !rows.is_empty())
}
