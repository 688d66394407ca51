//! Statements over four data nodes on two groups.

use std::fmt::Write as _;

use crate::client::{Client, Failure};
use crate::cpu;
use crate::load::{self, Load, Setting};
use crate::report::{Report, cpu as cost, of};
use crate::target::{Bench, SHARDED, Target};
use crate::verdict::{Finding, Limit, median};

use super::Effort;

/// Rows that are merged.
const ROWS: u32 = 200_000;
/// Statements of one turn.
const TURN: u32 = 300;
const TOP: &str = "SELECT * FROM sbtest1 ORDER BY id LIMIT 10";
const GROUPS: &str = "SELECT k, COUNT(*) FROM sbtest1 GROUP BY k ORDER BY COUNT(*) DESC LIMIT 10";
const MERGE: &str = "SELECT id, k FROM wide ORDER BY k, id";
/// A third of what kingshard uses, as multiples of what HAProxy uses for a point query in the same run (32.8 µs to
/// its 270 and 1,141).
const TOP_MOST: f64 = 2.74;
const GROUPS_MOST: f64 = 11.6;

pub(super) async fn run(bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
    let setting = Setting { load: Load::PointSelect, threads: 64, prepared: false };
    let mut report = Report::default();
    let sharded = bench.target("Serval, sharded")?;
    fill(sharded).await?;
    let (mut top, mut groups, mut merge) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        for target in bench.turn(round, 4) {
            if target.proxy.is_some() {
                report.add(&setting, target.name, load::run(bench, target, &setting, effort.seconds).await?);
            }
        }
        top.push(per_statement(sharded, TOP, TURN).await? * 1e6);
        groups.push(per_statement(sharded, GROUPS, TURN / 10).await? * 1e6);
        merge.push(f64::from(ROWS) / per_statement(sharded, MERGE, 3).await? / 1e6);
    }
    let runs = report.runs(&setting);
    let point = |name| of(runs, name).and_then(|runs| cost(runs)).unwrap_or(f64::NAN);
    let (plain, scattered, haproxy) = (point("Serval"), point("Serval, sharded"), point("HAProxy"));
    let (top, groups, merge) = (median(top), median(groups), median(merge));
    let beside = |micros: f64| format!("{micros:.0} us, HAProxy's point query {haproxy:.1}");
    Ok(vec![
        Finding::new(
            "CPU of sharded point queries, of unsharded",
            format!("{scattered:.1} to {plain:.1} us/query"),
            scattered / plain,
            Limit::AtMost(1.15),
        ),
        Finding::new(
            "CPU of ORDER BY LIMIT, of HAProxy's point query",
            beside(top),
            top / haproxy,
            Limit::AtMost(TOP_MOST),
        ),
        Finding::new(
            "CPU of GROUP BY, of HAProxy's point query",
            beside(groups),
            groups / haproxy,
            Limit::AtMost(GROUPS_MOST),
        ),
        Finding::new(
            "million rows merged per core and second",
            "ORDER BY two columns",
            merge,
            Limit::AtLeast(1.5),
        ),
    ])
}

/// Each kind of merge, some times.
pub(super) async fn merge(bench: &Bench) -> Result<(), Failure> {
    let sharded = bench.target("Serval, sharded")?;
    fill(sharded).await?;
    for (sql, times) in [(TOP, TURN), (GROUPS, TURN / 10), (MERGE, 3)] {
        per_statement(sharded, sql, times).await?;
    }
    Ok(())
}

/// Seconds of Serval's CPU per statement.
async fn per_statement(target: &Target, sql: &str, times: u32) -> Result<f64, Failure> {
    let pid = target.pid()?;
    let mut client = Client::connect(target.port, target.schema).await?;
    client.query(sql).await?;
    let before = cpu::used(pid).ok_or("Serval has ended")?;
    for _ in 0..times {
        client.query(sql).await?;
    }
    let used = cpu::used(pid).ok_or("Serval has ended")? - before;
    client.quit().await?;
    Ok(used.as_secs_f64() / f64::from(times))
}

async fn fill(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target.port, target.schema).await?;
    client.query(&format!("DROP TABLE IF EXISTS {SHARDED}.wide")).await?;
    client.query(&format!("CREATE TABLE {SHARDED}.wide (id INT PRIMARY KEY, k INT)")).await?;
    for start in (0..ROWS).step_by(5000) {
        let mut sql = format!("INSERT INTO {SHARDED}.wide VALUES ");
        for id in start..start + 5000 {
            let comma = if id == start { "" } else { "," };
            let _ = write!(sql, "{comma}({id},{})", id.wrapping_mul(2_654_435_761) % 1000);
        }
        client.query(&sql).await?;
    }
    client.quit().await
}
