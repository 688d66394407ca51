//! How many rows and bytes a gathered statement brings, as the servers estimate it.
//!
//! The rows are what each node's own EXPLAIN says of the query that reads them, so they heed its predicates and indexes as
//! far as the node's statistics do. The bytes are these rows times the table's average row length, in the share of its
//! columns that is brought. Neither knows of the keys that another table may narrow the rows to.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::primitive::{Primitive, Route, Target};
use serval_planner::{Bound, Part, PlanTable, What};
use serval_remote::Backend;

use crate::answer::Answer;
use crate::session::{Session, on_node};

/// Plans over more targets than this get no estimates: each one is a question to a server.
const MOST_TARGETS: usize = 64;

/// An estimate of one part.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Estimate {
    rows: u64,
    bytes: u64,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "estimated {} rows, {} bytes", self.rows, self.bytes)
    }
}

/// The estimates of a plan's parts, where its rows are gathered.
pub(super) async fn of<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    bound: &Bound,
) -> HashMap<Part, Estimate> {
    let mut found = HashMap::new();
    let Primitive::Gather(gather) = &bound.root else { return found };
    let routes = || gather.sources.iter().filter_map(|source| route(&source.rows));
    if routes().map(|route| route.targets.len()).sum::<usize>() > MOST_TARGETS {
        return found;
    }
    for (index, source) in gather.sources.iter().enumerate() {
        let (None, Some(route)) = (source.copy_of, route(&source.rows)) else { continue };
        let Some(table) = bound.tables.get(source.tables.start) else { continue };
        let mut sum = Estimate::default();
        for (number, target) in route.targets.iter().enumerate() {
            let Some(rows) = rows(session, catalog, target).await else { continue };
            let length = length(session, catalog, target, table).await.unwrap_or_default();
            let columns =
                table.table.definition.as_ref().map_or(1, |definition| definition.columns.len().max(1));
            let share = source.columns.len().min(columns);
            let bytes = rows.saturating_mul(length) * share as u64 / columns as u64;
            let estimate = Estimate { rows, bytes };
            sum = Estimate { rows: sum.rows.saturating_add(rows), bytes: sum.bytes.saturating_add(bytes) };
            found.insert(Part { source: Some(index), what: What::Target(number) }, estimate);
        }
        found.insert(Part { source: Some(index), what: What::Source }, sum);
    }
    found
}

/// The route that a source reads by.
fn route(rows: &Primitive) -> Option<&Route> {
    match rows {
        Primitive::Route(route) => Some(route),
        Primitive::MergeSort(sort) => Some(&sort.input),
        Primitive::Limit(limit) => route(&limit.input),
        Primitive::Cut(cut) => route(&cut.input),
        _ => None,
    }
}

/// What the node's own EXPLAIN says.
async fn rows<B: Backend>(session: &mut Session<B>, catalog: &Arc<Catalog>, target: &Target) -> Option<u64> {
    // MariaDB tells how much a predicate leaves only where it is asked for more; MySQL always does.
    let words = if session.proxy.flavour().is_mariadb() { "EXPLAIN EXTENDED " } else { "EXPLAIN " };
    let sql = [words.as_bytes(), &target.sql].concat();
    let asked = on_node(Target { sql, ..target.clone() });
    let answer = session.collect_bound(&asked, catalog).await.ok()?;
    let column = |name: &str| {
        answer.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name.as_bytes()))
    };
    let number = |row: usize, name: &str| number(&answer, row, column(name)?);
    let estimated = (0..answer.rows.len()).map(|row| {
        // No number: the optimiser knows that there is no row, or reads none to know them all.
        let rows = number(row, "rows").unwrap_or_default();
        rows * number(row, "filtered").unwrap_or(100.0) / 100.0
    });
    let rows: f64 = estimated.product();
    Some(rows.ceil() as u64)
}

fn number(answer: &Answer, row: usize, column: usize) -> Option<f64> {
    answer.text(row, column)?.parse().ok()
}

/// The average length of a row of the target's own table, in bytes.
async fn length<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    target: &Target,
    table: &PlanTable,
) -> Option<u64> {
    let quoted = |name: &str| name.replace('\\', "\\\\").replace('\'', "''");
    let sql = format!(
        "SELECT AVG_ROW_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{}' AND TABLE_NAME = '{}'",
        quoted(&catalog.node(target.node).database),
        quoted(table.physical_name(target.shard)),
    );
    let asked = on_node(Target { sql: sql.into_bytes(), ..target.clone() });
    let answer = session.collect_bound(&asked, catalog).await.ok()?;
    answer.text(0, 0)?.parse().ok()
}
