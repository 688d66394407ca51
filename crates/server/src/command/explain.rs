//! `serval explain`: the plan of a statement, with no server anywhere.
//!
//! Column types come from the snapshot in `schema/*.sql`. The plan is the one the proxy would make and the lines are
//! those of `EXPLAIN FORMAT=SERVAL`.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::{BindRequest, ClientText, PlanRequest, Planner};
use serval_session::Flavour;
use serval_sql::{LexOptions, ParseError, Statement, StatementClass, parse, scan};
use serval_types::Value;

use crate::cli::ExplainArgs;
use crate::config_files::ConfigFiles;
use crate::failure::Failure;
use crate::output::{complain, say};

/// What the first value of an AUTO_INCREMENT segment is taken to be.
const FIRST_ID: u64 = 1;

/// Room for the one plan.
const CACHE_BYTES: u64 = 1 << 20;

/// Prints the plan, or why there is none.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let files = ConfigFiles::read(&args.config.config)?;
    let (mut catalog, warnings) = files.load_without_secrets()?;
    // No server is asked: MariaDB has no row for what WITH ROLLUP finds no rows of, and MySQL has one.
    if let Some(version) = &catalog.settings.server_version {
        catalog.servers = Flavour::of_version(version).server_kind();
    }
    catalog.totals_nothing = Some(!catalog.servers.mariadb);
    if !warnings.is_empty() {
        complain(files.render(&warnings));
    }
    let schema = current_schema(&catalog, args.schema.as_deref())?;
    if files.snapshot.is_empty() {
        complain("note: there are no definitions beside the config; `serval snapshot` writes them");
    }
    for line in plan(&Arc::new(catalog), schema.as_deref(), &args.sql)? {
        say(line);
    }
    Ok(())
}

/// The schema asked for, or the only one there is.
fn current_schema(catalog: &Catalog, named: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(name) = named else {
        let only = if catalog.schemas.len() == 1 { catalog.schemas.keys().next().cloned() } else { None };
        return Ok(only);
    };
    if catalog.schema(name).is_some() {
        return Ok(Some(name.to_owned()));
    }
    let known: Vec<&str> = catalog.schemas.keys().map(String::as_str).collect();
    Err(Failure::other(format!("the config has no schema {name}; it has: {}", known.join(", "))))
}

fn plan(catalog: &Arc<Catalog>, schema: Option<&str>, sql: &str) -> Result<Vec<String>, Failure> {
    let options = LexOptions::default();
    match parse(sql, options).map_err(|error| Failure::other(error.to_mysql().to_string()))? {
        Statement::Explain(explain) => {
            plan(catalog, schema, sql.get(explain.statement.range()).unwrap_or_default())
        }
        Statement::Ddl(ddl) => {
            let bound = serval_planner::plan_ddl(catalog, schema, &ddl, sql, options);
            Ok(serval_planner::explain(&bound.map_err(|error| refusal(&error))?, catalog))
        }
        // Its first word begins no statement that MySQL has.
        Statement::Other(StatementClass::Other) => {
            Err(Failure::other(ParseError::at(sql, 0).to_mysql().to_string()))
        }
        Statement::Dml(_) => plan_dml(catalog, schema, sql.as_bytes(), options),
        _ => Ok(vec![
            "The proxy answers this statement itself, or with one server's help: it has no plan.".into(),
        ]),
    }
}

fn plan_dml(
    catalog: &Arc<Catalog>,
    schema: Option<&str>,
    sql: &[u8],
    options: LexOptions,
) -> Result<Vec<String>, Failure> {
    let scan = scan(sql, options).map_err(|error| Failure::other(error.to_string()))?;
    let request = PlanRequest { sql, scan: &scan, schema, options };
    let plan = Planner::new(CACHE_BYTES).plan(catalog, &request).map_err(|error| refusal(&error))?;
    let now = plan.needs_now().then(now);
    let bind = BindRequest { now: now.as_ref(), text: ClientText::Utf8mb4, ..BindRequest::of(sql, &scan) };
    let demand = plan.sequence_demand(&bind).map_err(|error| refusal(&error))?;
    let sequence_start = demand.filter(|demand| demand.count > 0).map(|_| FIRST_ID);
    if sequence_start.is_some() {
        complain("note: generated ids are shown as if the sequence had just begun");
    }
    let bind = BindRequest { sequence_start, ..bind };
    let bound = plan.bind(&bind).map_err(|error| refusal(&error))?;
    Ok(serval_planner::explain(&bound, catalog))
}

/// What NOW(6) would be, in UTC.
fn now() -> Value {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    Value::Text(
        format!("{} {}.{:06}", now.date(), now.strftime("%H:%M:%S"), now.subsec_nanosecond() / 1000).into(),
    )
}

fn refusal(error: &serval_planner::PlanError) -> Failure {
    Failure::other(error.to_mysql().to_string())
}
