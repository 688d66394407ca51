//! From a statement's text to a bound plan, on behalf of a session.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::{BindRequest, Bound, Plan, PlanError, PlanRequest, SequenceDemand};
use serval_remote::Backend;
use serval_sql::{Scan, StatementClass};
use serval_types::Value;

use super::{Session, is_system_schema};
use crate::failure::{Failure, refused};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It will be executed.
    Run,
    /// It will be shown.
    Explain,
}

/// A statement ready to run.
pub(crate) struct Ready {
    pub(crate) bound: Bound,
    pub(crate) plan: Arc<Plan>,
    /// The first AUTO_INCREMENT value, where Serval makes them.
    pub(crate) insert_id: Option<u64>,
    /// The moment that the statement runs at, where it had to be fixed.
    pub(crate) timestamp: Option<String>,
}

/// A plan from the cache or the planner, with the session's permissions checked and its sequence filled.
pub(crate) async fn prepare<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    sql: &[u8],
    scan: &Scan,
    purpose: Purpose,
) -> Result<Ready, Failure> {
    if session.schema.as_deref().is_some_and(is_system_schema) && !may_have_no_table(scan) {
        return Err(system_schema());
    }
    let schema = session.schema.as_deref().filter(|name| !is_system_schema(name));
    let request = PlanRequest { sql, scan, schema, options: session.options };
    let plan = session.proxy.planner.plan(catalog, &request).map_err(plan_failure)?;
    for table in plan.tables() {
        if session.schema.as_deref() != Some(&table.schema) {
            session.check_schema(&table.schema)?;
        }
    }
    let instant = if plan.needs_now() { Some(Instant::ask(session, catalog).await?) } else { None };
    let now = instant.as_ref().map(|instant| &instant.now);
    let request = BindRequest { sql, scan, parameters: &[], sequence_start: None, now };
    let demand = plan.sequence_demand(&request).map_err(|error| error.to_mysql())?;
    let insert_id = match demand {
        // Explaining an INSERT must not use up numbers.
        Some(demand) if purpose == Purpose::Explain => (demand.count > 0).then_some(1),
        Some(demand) => sequence(session, catalog, &demand).await?,
        None => None,
    };
    let request = BindRequest { sequence_start: insert_id, ..request };
    let bound = plan.bind(&request).map_err(|error| error.to_mysql())?;
    let timestamp = instant.and_then(|instant| instant.timestamp);
    Ok(Ready { bound, plan, insert_id, timestamp })
}

/// Takes the numbers that an INSERT needs, and notes those that it brings itself.
async fn sequence<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    demand: &SequenceDemand,
) -> Result<Option<u64>, Failure> {
    let SequenceDemand { schema, table, count, explicit } = demand;
    let (sequences, servers) = (&session.proxy.sequences, &*session.proxy.backend);
    if let Some(value) = explicit {
        let observed = sequences.observe(servers, catalog, schema, table, *value).await;
        observed.map_err(|error| error.to_mysql())?;
    }
    if *count == 0 {
        return Ok(None);
    }
    let first = sequences.next(servers, catalog, schema, table, *count).await;
    Ok(Some(first.map_err(|error| error.to_mysql())?))
}

/// The one moment that a statement runs at, where that decides to which shard a row goes.
struct Instant {
    now: Value,
    /// What `SET timestamp` has to say so that the servers agree; `None` where the session has set it already.
    timestamp: Option<String>,
}

impl Instant {
    async fn ask<B: Backend>(session: &mut Session<B>, catalog: &Catalog) -> Result<Self, Failure> {
        let home = session.home(catalog)?;
        let answer = session.ask(home, "SELECT NOW(6), UNIX_TIMESTAMP(NOW(6))").await?;
        let (Some(now), Some(timestamp)) = (answer.text(0, 0), answer.text(0, 1)) else {
            return Err(refused("The servers do not say what time it is; write the time in the statement"));
        };
        let fixed = session.state.value("timestamp").is_some();
        Ok(Self { now: Value::Text(now.into_bytes()), timestamp: (!fixed).then_some(timestamp) })
    }
}

/// Whether a word stands anywhere in the text.
pub(crate) fn contains_word(key: &[u8], word: &[u8]) -> bool {
    key.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// Whether the statement is a SELECT without FROM, as clients send at connect.
fn may_have_no_table(scan: &Scan) -> bool {
    scan.class == StatementClass::Select && !contains_word(&scan.key, b"FROM")
}

fn plan_failure(error: PlanError) -> Failure {
    match error {
        PlanError::UnknownSchema(name) if is_system_schema(&name) => system_schema(),
        error => Failure::Told(error.to_mysql()),
    }
}

fn system_schema() -> Failure {
    refused(
        "Tables of information_schema, mysql, performance_schema and sys cannot be queried through Serval yet; use \
         SHOW TABLES, SHOW COLUMNS, SHOW INDEX and SHOW CREATE TABLE",
    )
}
