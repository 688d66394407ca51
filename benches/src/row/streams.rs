//! A million rows, 106 MB, and clients that do not read them.

use std::time::{Duration, Instant};

use crate::client::{Client, Failure};
use crate::target::{Bench, PLAIN, Target};
use crate::verdict::{Finding, Limit, median};
use crate::{cpu, memory};

use super::Effort;

const ROWS: u32 = 1_000_000;
const ALL: &str = "SELECT * FROM wide";
/// Clients that do not read.
const STUCK: u32 = 100;

#[derive(Default)]
struct Run {
    megabytes: f64,
    seconds: f64,
    cpu: f64,
    growth: f64,
}

pub(super) async fn run(bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
    let server = bench.cluster.group(0).primary();
    let filled = format!("INSERT INTO {PLAIN}.wide SELECT seq, REPEAT('x', 94) FROM {PLAIN}.seq_1_to_{ROWS}");
    let table = format!("CREATE TABLE IF NOT EXISTS {PLAIN}.wide (id INT PRIMARY KEY, pad CHAR(94))");
    server.execute_all(&[table, format!("TRUNCATE {PLAIN}.wide"), filled]).await?;
    let (mut theirs, mut mine) = (Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        for target in bench.turn(round, 3) {
            match target.name {
                "HAProxy" => theirs.push(stream(target).await?),
                "Serval" => mine.push(stream(target).await?),
                _ => {}
            }
        }
    }
    let speed = |runs: &[Run]| median(runs.iter().map(|run| run.megabytes / run.seconds));
    let cost = |runs: &[Run]| median(runs.iter().map(|run| run.cpu * 1e6 / run.megabytes));
    let most = mine.iter().map(|run| run.growth).fold(0.0, f64::max);
    let pair =
        |of: &dyn Fn(&[Run]) -> f64, unit: &str| format!("{:.0} to {:.0} {unit}", of(&mine), of(&theirs));
    let mut findings = vec![
        Finding::new(
            "speed of a stream of HAProxy's",
            pair(&speed, "MB/s"),
            speed(&mine) / speed(&theirs),
            Limit::AtLeast(1.0),
        ),
        Finding::new(
            "CPU of a stream of HAProxy's",
            pair(&cost, "us/MB"),
            cost(&mine) / cost(&theirs),
            Limit::AtMost(1.2),
        ),
        Finding::new("MB that a stream takes", "RssAnon, the worst round", most, Limit::AtMost(4.0)),
    ];
    let serval = bench.target("Serval")?;
    for clients in [1, STUCK] {
        let grown = stuck(serval, clients, Duration::from_secs(effort.patience.into())).await?;
        let most = if clients == 1 { 0.5 } else { 0.25 };
        let what = format!("MB per client that does not read, of {clients}");
        let measured = format!("{:.1} MB in {} s", grown, effort.patience);
        findings.push(Finding::new(what, measured, grown / f64::from(clients), Limit::AtMost(most)));
    }
    Ok(findings)
}

async fn stream(target: &Target) -> Result<Run, Failure> {
    let pid = target.pid()?;
    let mut client = Client::connect(target.port, target.schema).await?;
    client.query("SELECT 1").await?;
    let (before, begun) = (cpu::used(pid), Instant::now());
    let (answer, growth) = memory::growth(pid, client.query(ALL)).await;
    let (answer, seconds) = (answer?, begun.elapsed().as_secs_f64());
    let used = cpu::used(pid).zip(before).map_or(f64::NAN, |(after, before)| (after - before).as_secs_f64());
    if answer.rows != u64::from(ROWS) {
        return Err(format!("{} rows came instead of {ROWS}", answer.rows).into());
    }
    client.quit().await?;
    Ok(Run { megabytes: answer.bytes as f64 / 1e6, seconds, cpu: used, growth: growth as f64 / 1e6 })
}

/// Megabytes that Serval takes for clients that ask and do not read.
async fn stuck(serval: &Target, clients: u32, patience: Duration) -> Result<f64, Failure> {
    let pid = serval.pid()?;
    let (held, growth) = memory::growth(pid, async {
        let mut all = Vec::new();
        for _ in 0..clients {
            let mut client = Client::connect(serval.port, serval.schema).await?;
            client.ask(ALL).await?;
            all.push(client);
        }
        tokio::time::sleep(patience).await;
        Ok::<_, Failure>(all)
    })
    .await;
    drop(held?);
    Ok(growth as f64 / 1e6)
}
