//! Tables of periods whose rules go on with the clock: made ahead, and dropped when they have expired.
//!
//! Nothing here decides what the time is or which window a rule has: the catalog that comes in says it. What is made or
//! dropped is looked up on the servers first, so doing it twice, or by two proxies at once, does no harm.

mod clocks;
mod dropping;
mod making;
mod needed;

use std::collections::{BTreeMap, HashSet};

use serval_catalog::{Catalog, Expired, Rule, Table};
use serval_remote::{Backend, SessionState};
use serval_types::NodeId;

pub use clocks::clocks;
pub use dropping::drop_passed;
pub use making::make_missing;
pub use needed::{Needed, make_needed, settled};

use crate::error::ExecuteError;
use crate::places::quoted;
use crate::query_rows::query_rows;

/// One table of one period on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The logical schema.
    pub schema: String,
    /// The logical table.
    pub table: String,
    /// Where it lies.
    pub node: NodeId,
    /// Its name there.
    pub physical: String,
    /// How it is.
    pub state: PeriodState,
}

/// How a table of a period is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodState {
    /// It is there, and takes rows.
    Open,
    /// It is there; its rows are read, but no new ones go there. The reason is the rule's.
    Closed(String),
    /// It is in the rule's window and not there yet. It will be made.
    Missing,
    /// It is there, has expired, and will be dropped.
    Passed,
    /// It is there, has expired, and stays where it is, outside of the rule.
    Detached,
}

impl PeriodState {
    /// In a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Closed(reason) => format!("read only: {reason}"),
            Self::Missing => "missing, to be created".to_owned(),
            Self::Passed => "expired, to be dropped".to_owned(),
            Self::Detached => "expired, detached".to_owned(),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The tables of periods, table by table and node by node.
    pub periods: Vec<Period>,
    /// Nodes that could not be asked, and why.
    pub failed: Vec<(NodeId, String)>,
}

impl Found {
    /// Whether a table is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.periods.iter().any(|period| period.state == PeriodState::Missing)
    }
}

/// Whether any rule goes on with the clock.
#[must_use]
pub fn any(catalog: &Catalog) -> bool {
    catalog.rules.values().any(|rule| rule.rolling().is_some())
}

/// Whether a table's rule goes on with the clock.
#[must_use]
pub fn goes_on(table: &Table) -> bool {
    table.sharding().is_some_and(|sharding| sharding.rule.rolling().is_some())
}

/// Looks at the tables of all rules that go on with the clock. A table that is on none of the nodes that answer has
/// not been created, and is left out.
pub async fn look<B: Backend>(backend: &B, catalog: &Catalog) -> Found {
    look_at(backend, catalog, |_, _| true).await
}

/// [`look`] at those tables only that are `wanted`, by schema and name.
pub async fn look_at<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    wanted: impl Fn(&str, &str) -> bool,
) -> Found {
    let mut found = Found::default();
    let mut nodes: BTreeMap<NodeId, Result<HashSet<String>, String>> = BTreeMap::new();
    let tables = || tables(catalog).filter(|(schema, table, _)| wanted(schema, &table.name));
    for (_, _, rule) in tables() {
        for node in &rule.nodes {
            if !nodes.contains_key(node) {
                let names = names(backend, catalog, *node).await.map_err(|error| error.to_string());
                nodes.insert(*node, names);
            }
        }
    }
    for (schema, table, rule) in tables() {
        let mut periods = Vec::new();
        let mut exists = false;
        for (shard, place) in
            table.sharding().into_iter().flat_map(|sharding| sharding.shards.iter().enumerate())
        {
            let Some(Ok(names)) = nodes.get(&place.node) else { continue };
            let there = names.contains(&place.table.to_lowercase());
            exists |= there;
            let state = match (there, closed(rule, shard)) {
                (false, _) => PeriodState::Missing,
                (true, None) => PeriodState::Open,
                (true, Some(reason)) => PeriodState::Closed(reason),
            };
            periods.push(period(schema, table, place.node, &place.table, state));
        }
        let expired = rule.rolling().map(|rolling| rolling.expired);
        for place in rule.passed(&table.name) {
            let there = matches!(nodes.get(&place.node), Some(Ok(names)) if names.contains(&place.table.to_lowercase()));
            let state =
                if expired == Some(Expired::Drop) { PeriodState::Passed } else { PeriodState::Detached };
            if there {
                exists = true;
                periods.push(period(schema, table, place.node, &place.table, state));
            }
        }
        if exists {
            found.periods.extend(periods);
        }
    }
    found.failed = nodes.into_iter().filter_map(|(node, names)| Some((node, names.err()?))).collect();
    found
}

/// The tables whose rules go on with the clock.
fn tables(catalog: &Catalog) -> impl Iterator<Item = (&str, &Table, &Rule)> {
    catalog.schemas.values().flat_map(|schema| {
        schema.tables.values().filter_map(|table| {
            let rule = &*table.sharding()?.rule;
            rule.rolling()?;
            Some((&*schema.name, &**table, rule))
        })
    })
}

fn closed(rule: &Rule, shard: usize) -> Option<String> {
    match &rule.inside {
        Some(inside) => inside.function.closed(shard % inside.function.shards().max(1)),
        None => rule.function.closed(shard),
    }
}

fn period(schema: &str, table: &Table, node: NodeId, physical: &str, state: PeriodState) -> Period {
    let (schema, table, physical) = (schema.to_owned(), table.name.to_string(), physical.to_owned());
    Period { schema, table, node, physical, state }
}

/// The names of a node's tables, in lower case.
async fn names<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    node: NodeId,
) -> Result<HashSet<String>, ExecuteError> {
    let node = catalog.node(node);
    let rows = query_rows(backend, node.group, Some(&node.database), "SHOW TABLES").await?;
    let names = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
    Ok(names.map(|name| String::from_utf8_lossy(&name).to_lowercase()).collect())
}

/// What these statements run under: they do not wait long for whoever uses a table.
fn impatient() -> SessionState {
    SessionState::default().with("lock_wait_timeout", "5")
}
