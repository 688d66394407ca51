//! `serval check --rows`: rows that lie where their rule would not put them.

use std::time::{Duration, Instant};

use serval_backend::{Health, Servers};
use serval_catalog::{Catalog, Schema};
use serval_executor::definitions::fetch;
use serval_sql::{LexOptions, create_table};
use tokio_util::sync::CancellationToken;

use super::ascii_table;
use crate::command::run::runtime;
use crate::failure::Failure;
use crate::output::say;
use crate::rows::check_table;

/// How many rows of a table are shown.
const SHOWN: usize = 20;
/// How long to wait for the servers.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints what was looked at and what lies wrong; fails if anything does. `rows` of each physical table; 0 is all.
pub fn check_rows(catalog: &Catalog, rows: u64) -> Result<(), Failure> {
    let rows = if rows == 0 { u64::MAX } else { rows };
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let servers = Servers::start(catalog, stop.clone());
        wait_for(&servers).await;
        let outcome = check(catalog, &servers, rows).await;
        stop.cancel();
        servers.drained(PATIENCE).await;
        outcome
    })
}

async fn check(catalog: &Catalog, servers: &Servers, rows: u64) -> Result<(), Failure> {
    let catalog = with_definitions(catalog, servers).await?;
    let header = ["table", "rows", "misplaced", "unroutable", "key", "is at", "belongs"];
    let (mut table, mut wrong, mut failed) = (ascii_table(&header), 0, Vec::new());
    for schema in catalog.schemas.values() {
        for one in schema.tables.values() {
            let name = format!("{}.{}", schema.name, one.name);
            match check_table(servers, &catalog, one, rows, SHOWN).await {
                None => {}
                Some(Err(error)) => failed.push(format!("{name}: {error}")),
                Some(Ok(seen)) => {
                    wrong += seen.misplaced + seen.unroutable;
                    for cells in seen.cells() {
                        table.add_row(std::iter::once(name.clone()).chain(cells));
                    }
                }
            }
        }
    }
    say(table);
    for failure in &failed {
        say(format!("problem: {failure}"));
    }
    match (wrong, failed.len()) {
        (0, 0) => {
            say("ok: every row that was looked at lies where its rule puts it");
            Ok(())
        }
        (0, _) => Err(Failure::other("not every table could be looked at")),
        (wrong, _) => Err(Failure::other(format!("{wrong} rows lie where their rule would not put them"))),
    }
}

/// What the servers say of the tables; the snapshot may be old.
async fn with_definitions(catalog: &Catalog, servers: &Servers) -> Result<Catalog, Failure> {
    let mut catalog = catalog.clone();
    for Schema { name, .. } in catalog.clone().schemas.values() {
        let fetched = fetch(servers, &catalog, name, None).await;
        if let Some((what, error)) = fetched.failed.first() {
            return Err(Failure::other(format!("{name}.{what}: {}", error.to_mysql().message)));
        }
        let known = fetched.definitions.iter().filter_map(|(_, text)| {
            Some((name.clone(), create_table::parse(text, LexOptions::default()).ok()?))
        });
        (catalog, _) = catalog.with_definitions(known.collect());
    }
    Ok(catalog)
}

/// Waits until every server has been asked once whether it is there.
async fn wait_for(servers: &Servers) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if servers.statistics().iter().all(|server| server.health != Health::Unknown) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
