//! From a statement's text to a bound plan, on behalf of a session.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::primitive::Primitive;
use serval_planner::{
    BindRequest, Bound, Expanded, Plan, PlanError, PlanRequest, SequenceDemand, UserVariables,
};
use serval_remote::Backend;
use serval_types::Value;
use serval_wire::command::execute::Parameters;

use super::variables::Variables;
use super::{Numbers, Query, Session, described, family, is_system_schema};
use crate::failure::{Failure, refused};
use crate::heavy::beside_others;
use crate::statement::{information_schema, named_locks};
use crate::words::contains_word;

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
    /// The AUTO_INCREMENT values, where Serval makes them.
    pub(crate) numbers: Option<Numbers>,
    /// What to execute with instead of the client's own parameters, where there is more.
    pub(crate) parameters: Option<Parameters>,
    /// The moment that the statement runs at, where it had to be fixed.
    pub(crate) timestamp: Option<String>,
}

/// A plan from the cache or the planner, with the session's permissions checked.
pub(crate) async fn plan<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
) -> Result<Arc<Plan>, Failure> {
    let planning = session.temporary.planning(catalog, &query.scan.key);
    let planned =
        beside_others(query.sql.len(), || session.proxy.planner.plan(&planning, &request(session, query)));
    let plan = match planned {
        Ok(plan) => plan,
        Err(error) if names_system_table(&error, current(session, query).is_some_and(is_system_schema)) => {
            let hints = crate::statement::hints_of(query.scan)?;
            crate::statement::refuse_places(hints, "A statement about information_schema")?;
            let schema = current(session, query)
                .map(|name| if is_system_schema(name) { "information_schema" } else { name });
            let (schema, options) = (schema.map(str::to_owned), query.options(session));
            let request =
                PlanRequest { sql: query.sql, scan: query.scan, schema: schema.as_deref(), options };
            return Box::pin(information_schema::plan(session, catalog, &request)).await;
        }
        Err(error) => {
            return Err(told(session, &error));
        }
    };
    for table in plan.tables() {
        if session.schema.as_deref() != Some(&table.schema) {
            session.check_schema(&table.schema)?;
        }
    }
    if !plan.undescribed().is_empty()
        && let Some(described) = Box::pin(described::completed(session, &planning, &plan)).await?
    {
        let planned = session.proxy.planner.plan(&described, &request(session, query));
        return planned.map_err(|error| Failure::Told(error.to_mysql()));
    }
    Ok(plan)
}

/// The error for the client; the session remembers the table for whose definition the plan is wanting.
fn told<B: Backend>(session: &mut Session<B>, error: &PlanError) -> Failure {
    if let PlanError::Undefined { schema, table } | PlanError::ValueCount { schema, table, .. } = error {
        session.undefined = Some((schema.clone(), table.clone()));
    }
    Failure::Told(error.to_mysql())
}

/// The schema of names that say none.
fn current<'a, B: Backend>(session: &'a Session<B>, query: &Query<'a>) -> Option<&'a str> {
    match &query.execution {
        Some(execution) => execution.statement.manner.schema.as_deref(),
        None => session.schema.as_deref(),
    }
}

/// What the planner is asked. Of a server's own schemas it knows nothing.
fn request<'a, B: Backend>(session: &'a Session<B>, query: &Query<'a>) -> PlanRequest<'a> {
    let schema = current(session, query).filter(|name| !is_system_schema(name));
    PlanRequest { sql: query.sql, scan: query.scan, schema, options: query.options(session) }
}

/// A bound plan, with the session's permissions checked and its sequence filled.
///
/// What most statements need not wait for is boxed: the future of a client that runs one is the less to read.
pub(crate) async fn prepare<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
    purpose: Purpose,
) -> Result<Ready, Failure> {
    let plan = plan(session, catalog, query).await?;
    let Query { sql, scan, .. } = *query;
    let instant = if plan.needs_now() { Some(Box::pin(Instant::ask(session, catalog)).await?) } else { None };
    let now = instant.as_ref().map(|instant| &instant.now);
    let text = session.client_text();
    let variables = Variables::of(session, query);
    let variables = variables.as_ref().map(|variables| variables as &dyn UserVariables);
    let request =
        BindRequest { parameters: query.values(), now, text, variables, ..BindRequest::of(sql, scan) };
    let zone = match plan.sees_time_zones() {
        true => {
            let shardings = plan.tables().iter().filter_map(|table| table.table.sharding());
            Box::pin(session.zone(catalog, shardings.map(|sharding| &**sharding))).await?
        }
        false => None,
    };
    let request = BindRequest { zone: zone.as_ref(), ..request };
    let shards = match plan.follows(&request) {
        Some(keys) if purpose == Purpose::Run && session.transaction.is_open() => {
            let child = &plan.tables()[0];
            Some(Box::pin(family::places(session, catalog, child, &keys)).await?)
        }
        // In a transaction of its own: see [`crate::statement::staged`]. Numbers are taken there.
        Some(_) => return Err(follows(&plan).to_mysql().into()),
        None => None,
    };
    let request = BindRequest { shards: shards.as_deref(), ..request };
    let demand = plan.sequence_demand(&request).map_err(|error| error.to_mysql())?;
    let numbers = match &demand {
        // Explaining an INSERT must not use up numbers.
        Some(demand) if purpose == Purpose::Explain => {
            Some(Numbers::new(demand, (demand.count > 0).then_some(1)))
        }
        Some(demand) => Some(Numbers::new(demand, Box::pin(sequence(session, catalog, demand)).await?)),
        None => None,
    };
    let sequence_start = numbers.and_then(|numbers| numbers.first);
    let request = BindRequest { sequence_start, ..request };
    if purpose == Purpose::Run && plan.writes() {
        let leads = plan.leads(&request).map_err(|error| error.to_mysql())?;
        if !leads.is_empty() {
            Box::pin(family::refuse_strays(session, catalog, &leads)).await?;
        }
    }
    // Named locks bind a statement to their own server.
    let copy =
        if named_locks::are_mentioned(&scan.key) { None } else { session.copy_to_read(catalog, &plan) };
    let bound = beside_others(sql.len(), || match (copy, query.execution) {
        (Some(copy), _) => plan.bind_to(&request, copy),
        (None, Some(_)) => plan.bind_execution(&request),
        (None, None) => plan.bind(&request),
    });
    let mut bound = bound.map_err(|error| told(session, &error))?;
    if !query.views.is_empty() {
        bound.notes = Expanded::notes(query.views).into_iter().chain(bound.notes.iter().cloned()).collect();
    }
    let parameters = match (&query.execution, &demand, sequence_start) {
        (Some(execution), Some(demand), Some(first)) => {
            Some(with_numbers(execution.parameters, first, demand.count))
        }
        _ => None,
    };
    let numbers = numbers.map(|numbers| {
        let split = !matches!(bound.root, Primitive::Route(_));
        // Without an argument the session's own value has taken its place.
        numbers.with(split, contains_word(&scan.key, b"LAST_INSERT_ID"))
    });
    let gathers = matches!(bound.root, Primitive::Gather(_));
    let several = gathers || super::warnings::targets(&bound.root).len() > 1;
    let instant = match instant {
        None if several && plan.looks_at_clock() && purpose == Purpose::Run => {
            Some(Box::pin(Instant::ask(session, catalog)).await?)
        }
        instant => instant,
    };
    let timestamp = instant.and_then(|instant| instant.timestamp);
    Ok(Ready { bound, plan, numbers, parameters, timestamp })
}

/// A bound plan of an UPDATE that may change the sharding column, for who takes the rows to their new shards.
pub(crate) fn prepare_moving<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
) -> Result<Bound, Failure> {
    let Query { sql, scan, .. } = *query;
    let schema = session.schema.as_deref().filter(|name| !is_system_schema(name));
    let request = PlanRequest { sql, scan, schema, options: session.options };
    let plan = session.proxy.planner.plan_moving(catalog, &request).map_err(|error| error.to_mysql())?;
    for table in plan.tables() {
        session.check_schema(&table.schema)?;
    }
    let text = session.client_text();
    let request = BindRequest { text, ..BindRequest::of(sql, scan) };
    Ok(plan.bind(&request).map_err(|error| error.to_mysql())?)
}

/// Why rows that follow a parent have no place yet.
fn follows(plan: &Plan) -> PlanError {
    let target = plan.tables().first();
    let parent = target.and_then(|target| target.table.sharding()?.parent.as_ref());
    let table = target.map(|target| target.table.name.clone()).unwrap_or_default();
    PlanError::Follows { table, parent: parent.map(ToString::to_string).unwrap_or_default() }
}

/// The client's parameters and behind them the numbers of a sequence.
fn with_numbers(parameters: &Parameters, first: u64, count: u64) -> Parameters {
    let mut parameters = parameters.clone();
    let values = (first..first.saturating_add(count)).map(|number| match i64::try_from(number) {
        Ok(number) => Value::Int(number),
        Err(_) => Value::UInt(number),
    });
    parameters.extend(values);
    parameters
}

/// Takes the numbers that an INSERT needs, and notes those that it brings itself.
async fn sequence<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    demand: &SequenceDemand,
) -> Result<Option<u64>, Failure> {
    let SequenceDemand { schema, table, count, explicit, .. } = demand;
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
        let answer = session.ask_readably(home, "SELECT NOW(6), UNIX_TIMESTAMP(NOW(6))").await?;
        let (Some(now), Some(timestamp)) = (answer.text(0, 0), answer.text(0, 1)) else {
            return Err(refused("The servers do not say what time it is; write the time in the statement"));
        };
        let fixed = session.state.value("timestamp").is_some();
        Ok(Self { now: Value::Text(now.into_bytes()), timestamp: (!fixed).then_some(timestamp) })
    }
}

/// What `SET timestamp` has to say for a statement on several nodes; `None` where the session has set it already.
pub(crate) async fn fixed_timestamp<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
) -> Result<Option<String>, Failure> {
    Ok(Instant::ask(session, catalog).await?.timestamp)
}

/// Whether a statement failed to be planned because it reads a schema of the servers' own.
fn names_system_table(error: &PlanError, current: bool) -> bool {
    match error {
        PlanError::SystemSchema(_) => true,
        PlanError::NoSchema => current,
        PlanError::UnknownSchema(name) => is_system_schema(name),
        _ => false,
    }
}
