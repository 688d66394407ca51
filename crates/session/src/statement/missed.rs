//! Tables of periods that a statement needs and that are not there yet: they are made, and the statement runs again.
//!
//! They are made on connections of Serval's own, so that a transaction of the client's goes on. What a statement did on
//! other shards before it failed has been undone by then, as after every error.

use std::time::Duration;

use serval_catalog::Catalog;
use serval_executor::periods::{self, Needed, make_needed};
use serval_remote::Backend;
use serval_types::MysqlError;

use crate::session::{Query, Session, plan};

/// ER_NO_SUCH_TABLE.
const NO_SUCH_TABLE: u16 = 1146;

/// How long a statement waits for another one that makes tables, and for its own.
const WAIT: Duration = Duration::from_secs(20);

/// Whether a statement may have failed for want of a table.
pub(super) fn may_be(failure: &MysqlError) -> bool {
    failure.number == NO_SUCH_TABLE
}

/// Makes the tables for want of which a statement has failed; whether it is worth running again.
pub(super) async fn make<B: Backend>(session: &mut Session<B>, query: Query<'_>) -> bool {
    let catalog = session.base_catalog();
    if !periods::any(&catalog) {
        return false;
    }
    let Ok(filled) = query.filled(session, &catalog) else { return false };
    let query = filled.as_ref().map_or(query, |filled| filled.query(query));
    let tables = match plan(session, &catalog, &query).await {
        Ok(plan) => {
            let rolling = plan.tables().iter().filter(|table| periods::goes_on(&table.table));
            rolling.map(|table| (table.schema.clone(), table.table.name.clone())).collect()
        }
        // What runs in several steps names its tables to no single plan.
        Err(_) => all(&catalog),
    };
    session.undefined = None;
    needed(session, &catalog, &tables).await
}

/// Makes what is missing of one table before a statement that could not be run again.
pub(super) async fn make_before<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    schema: &str,
    table: &serval_catalog::Table,
) {
    if periods::goes_on(table) {
        needed(session, catalog, &[(schema.to_owned(), table.name.clone())]).await;
    }
}

async fn needed<B: Backend>(session: &Session<B>, catalog: &Catalog, tables: &[(String, String)]) -> bool {
    if tables.is_empty() {
        return false;
    }
    let proxy = &session.proxy;
    let work = async {
        // Many may miss the same table at once.
        let _alone = proxy.making.lock().await;
        make_needed(&*proxy.backend, catalog, tables).await
    };
    match tokio::time::timeout(WAIT, work).await {
        Ok(Needed::Made(failed)) => {
            for why in failed {
                tracing::warn!("a statement needs a table of a period: {why}");
            }
            true
        }
        Ok(Needed::Absent) => false,
        Err(_) => {
            tracing::warn!(?tables, "tables of periods that a statement needs were not made in time");
            false
        }
    }
}

fn all(catalog: &Catalog) -> Vec<(String, String)> {
    let tables = catalog.schemas.values().flat_map(|schema| {
        let rolling = schema.tables.values().filter(|table| periods::goes_on(table));
        rolling.map(|table| (schema.name.clone(), table.name.clone()))
    });
    tables.collect()
}
