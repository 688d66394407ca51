//! What the servers are, where kinds and versions of them answer a statement differently. They are asked when the proxy starts, and later
//! where none was up then or they have become others.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serval_backend::Servers;
use serval_catalog::Catalog;
use serval_executor::query_rows;
use serval_session::Flavour;

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
    let (totals, mode) = (totals_nothing(&current, servers).await, sql_mode(&current, servers).await);
    if current.servers == kind && totals == current.totals_nothing && mode == current.sql_mode {
        return;
    }
    catalog.rcu(|current| Catalog {
        servers: kind,
        totals_nothing: totals,
        sql_mode: mode.clone(),
        version: current.version + 1,
        ..Catalog::clone(current)
    });
}

/// What a session begins with on the first group's servers; it decides how texts are read.
async fn sql_mode(catalog: &Catalog, servers: &Servers) -> Option<Arc<str>> {
    let group = catalog.nodes.first()?.group;
    let rows = query_rows(servers, group, None, "SELECT @@global.sql_mode").await.ok()?;
    let mode = rows.into_iter().next()?.into_iter().next()??;
    Some(String::from_utf8_lossy(&mode).into())
}

async fn totals_nothing(catalog: &Catalog, servers: &Servers) -> Option<bool> {
    let group = catalog.nodes.first()?.group;
    let rows = query_rows(servers, group, None, NOTHING).await;
    rows.ok().map(|rows| !rows.is_empty())
}
