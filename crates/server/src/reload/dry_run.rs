//! Where the statements that run most often would go under another config.

use std::collections::BTreeSet;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::{BindRequest, ClientText, Example, PlanRequest, Planner, explain};
use serval_sql::digest_text;
use serval_sql::{Scan, scan};
use serval_types::Value;

/// How many statements are tried.
pub const TRIED: usize = 200;
/// A statement whose route would be another one.
pub struct Rerouted {
    /// The statement with `?` for its values.
    pub digest: String,
    /// How often it has run.
    pub uses: u64,
    /// Its route now, for the values of one execution.
    pub now: String,
    /// Its route then.
    pub then: String,
}

/// The statements whose plan under `new` is another one than under `old`.
pub fn rerouted(old: &Arc<Catalog>, new: &Arc<Catalog>, examples: &[Example]) -> Vec<Rerouted> {
    examples.iter().filter_map(|example| compare(old, new, example)).collect()
}

fn compare(old: &Arc<Catalog>, new: &Arc<Catalog>, example: &Example) -> Option<Rerouted> {
    let (now, then) = (plan(old, example), plan(new, example));
    if now.lines == then.lines {
        return None;
    }
    let digest = digest_text(&example.sql, example.options);
    Some(Rerouted { digest, uses: example.uses, now: now.summary, then: then.summary })
}

struct Planned {
    lines: Vec<String>,
    summary: String,
}

fn plan(catalog: &Arc<Catalog>, example: &Example) -> Planned {
    let lines = match try_plan(catalog, example) {
        Ok(lines) => lines,
        Err(refusal) => vec![format!("refused: {refusal}")],
    };
    let summary = summary(catalog, &lines);
    Planned { lines, summary }
}

fn try_plan(catalog: &Arc<Catalog>, example: &Example) -> Result<Vec<String>, String> {
    let Example { sql, schema, options, .. } = example;
    let scan = scan(sql, *options).map_err(|error| error.to_string())?;
    let request = PlanRequest { sql, scan: &scan, schema: schema.as_deref(), options: *options };
    let refusal = |error: serval_planner::PlanError| error.to_mysql().message;
    // A planner of its own: nothing of this may get into the cache.
    let plan = Planner::new(1 << 20).plan(catalog, &request).map_err(refusal)?;
    let now = plan.needs_now().then(|| Value::Text(b"2026-01-01 00:00:00".to_vec()));
    let parameters = parameters(&scan);
    let bind = BindRequest {
        parameters: &parameters,
        now: now.as_ref(),
        text: ClientText::Utf8mb4,
        ..BindRequest::of(sql, &scan)
    };
    let demand = plan.sequence_demand(&bind).map_err(refusal)?;
    let sequence_start = demand.filter(|demand| demand.count > 0).map(|_| 1);
    let bound = plan.bind(&BindRequest { sequence_start, ..bind }).map_err(refusal)?;
    Ok(explain(&bound, catalog))
}

/// Values for `?`: those of an execution are not kept, and any will do to compare two routes.
fn parameters(scan: &Scan) -> Vec<Value> {
    vec![Value::Int(1); scan.parameter_count()]
}

/// The first line of a plan, and the nodes in it.
fn summary(catalog: &Catalog, lines: &[String]) -> String {
    let first = lines.first().map_or("", String::as_str);
    let bare = |line: &str| line.trim_start_matches(['│', '├', '└', '─', ' ']).to_owned();
    let named: BTreeSet<usize> = lines
        .iter()
        .filter(|line| !line.starts_with("because"))
        .filter_map(|line| {
            let line = bare(line);
            let (name, _) = line.split_once(": ")?;
            catalog.nodes.iter().position(|node| node.name == name)
        })
        .collect();
    if named.is_empty() {
        return first.to_owned();
    }
    let names: Vec<&str> = named.into_iter().map(|at| catalog.nodes[at].name.as_str()).collect();
    format!("{first}: {}", names.join(", "))
}
