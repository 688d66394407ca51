//! Tables of periods that a statement has missed are made at once.

use std::time::Duration;

use serval_catalog::Catalog;
use serval_remote::Backend;

use super::{Found, PeriodState, look_at, make_missing};

/// How far apart the two looks are before something is made. Tables that go meanwhile are being dropped with all
/// the others, and making one of them then would leave it behind.
const APART: Duration = Duration::from_millis(200);

/// What has become of tables that were missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed {
    /// None of these tables has periods and is there: what is missed has not been created, or is being dropped.
    Absent,
    /// What could be made is there now; with what could not be made, and why.
    Made(Vec<String>),
}

/// Makes what is missing of these tables, by schema and name, whichever of them go on with the clock.
pub async fn make_needed<B: Backend>(backend: &B, catalog: &Catalog, tables: &[(String, String)]) -> Needed {
    let wanted = |schema: &str, table: &str| {
        let same = |(one, other): &(String, String)| {
            one.eq_ignore_ascii_case(schema) && other.eq_ignore_ascii_case(table)
        };
        tables.iter().any(same)
    };
    let first = look_at(backend, catalog, wanted).await;
    if first.periods.is_empty() {
        return Needed::Absent;
    }
    if !first.is_missing() {
        // Another statement or proxy has been faster.
        return Needed::Made(Vec::new());
    }
    let found = settled(backend, catalog, first, wanted).await;
    if found.periods.is_empty() {
        return Needed::Absent;
    }
    let made = make_missing(backend, catalog, &found, false).await;
    let failed = made.into_iter().filter_map(|(period, _, result)| {
        let node = &catalog.node(period.node).name;
        result.err().map(|why| format!("the table {} on {node} could not be created: {why}", period.physical))
    });
    Needed::Made(failed.collect())
}

/// What is found a moment later, without the tables of which some have gone since.
pub async fn settled<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    first: Found,
    wanted: impl Fn(&str, &str) -> bool,
) -> Found {
    tokio::time::sleep(APART).await;
    let mut found = look_at(backend, catalog, wanted).await;
    let gone = |schema: &str, table: &str| {
        let of = |found: &Found| {
            let there = found.periods.iter().filter(|period| {
                let stays = !matches!(period.state, PeriodState::Missing | PeriodState::Passed);
                stays && period.schema == schema && period.table == table
            });
            there.map(|period| (period.node, period.physical.clone())).collect::<Vec<_>>()
        };
        let now = of(&found);
        of(&first).iter().any(|place| !now.contains(place))
    };
    let mut going: Vec<(String, String)> = first
        .periods
        .iter()
        .filter(|period| gone(&period.schema, &period.table))
        .map(|period| (period.schema.clone(), period.table.clone()))
        .collect();
    going.dedup();
    found.periods.retain(|period| {
        !going.iter().any(|(schema, table)| *schema == period.schema && *table == period.table)
    });
    found
}
