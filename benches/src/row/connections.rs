//! Connecting, and clients that have nothing to say.

use std::time::{Duration, Instant};

use crate::client::{Client, Failure};
use crate::load::{self, Load, Setting};
use crate::memory;
use crate::report::{Report, cpu, of, waiting};
use crate::target::{Bench, Target};
use crate::verdict::{Finding, Limit, median};

use super::Effort;

/// Clients that connect at the same time.
const TOGETHER: u32 = 8;
/// Seconds of a training.
const TRAINING: u32 = 5;
/// What is asked once per connection.
const POINT: &str = "SELECT c FROM sbtest1 WHERE id = 500";
/// How long a client has been silent when its memory is counted.
const SILENCE: Duration = Duration::from_secs(15);

pub(super) async fn run(bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
    let (mut direct, mut mine) = (Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        for target in bench.turn(round, 3) {
            match target.name {
                "direct" => direct.push(rate(target, effort.seconds).await?),
                "Serval" => mine.push(rate(target, effort.seconds).await?),
                _ => {}
            }
        }
    }
    let (theirs, mine) = (median(direct), median(mine));
    let mut findings = vec![Finding::new(
        "connect, query, close: of direct",
        format!("{mine:.0} to {theirs:.0} /s"),
        mine / theirs,
        Limit::AtLeast(1.0),
    )];
    findings.extend(idle(bench, effort).await?);
    Ok(findings)
}

/// Clients that come, ask once and go, for a while.
pub(super) async fn come_and_go(bench: &Bench) -> Result<(), Failure> {
    rate(bench.target("Serval")?, TRAINING).await.map(drop)
}

/// Connections per second.
async fn rate(target: &Target, seconds: u32) -> Result<f64, Failure> {
    let (port, schema) = (target.port, target.schema);
    let (begun, end) = (Instant::now(), Instant::now() + Duration::from_secs(seconds.into()));
    let workers = (0..TOGETHER).map(|_| {
        tokio::spawn(async move {
            let mut count = 0;
            while Instant::now() < end {
                let mut client = Client::connect(port, schema).await?;
                client.query(POINT).await?;
                client.quit().await?;
                count += 1;
            }
            Ok::<u32, Failure>(count)
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut all = 0;
    for worker in workers {
        all += worker.await??;
    }
    Ok(f64::from(all) / begun.elapsed().as_secs_f64())
}

/// What idle clients take, and what they cost others.
async fn idle(bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
    let serval = bench.target("Serval")?;
    let pid = serval.pid()?;
    let setting = Setting { load: Load::PointSelect, threads: 64, prepared: false };
    let mut report = Report::default();
    let before = memory::held(pid);
    let mut clients = Vec::new();
    for _ in 0..effort.rounds {
        let alone = load::run(bench, serval, &setting, effort.seconds).await?;
        report.add(&setting, "alone", alone);
    }
    tokio::time::sleep(SILENCE).await;
    let settled = memory::held(pid).max(before);
    for _ in 0..effort.clients {
        let mut client = Client::connect(serval.port, serval.schema).await?;
        client.query(POINT).await?;
        clients.push(client);
    }
    tokio::time::sleep(SILENCE).await;
    let each = memory::held(pid).saturating_sub(settled) as f64 / f64::from(effort.clients);
    for _ in 0..effort.rounds {
        let among = load::run(bench, serval, &setting, effort.seconds).await?;
        report.add(&setting, "among", among);
    }
    let runs = report.runs(&setting);
    let (Some(alone), Some(among)) = (of(runs, "alone"), of(runs, "among")) else { return Ok(Vec::new()) };
    let (cost, other) = (cpu(among).unwrap_or(f64::NAN), cpu(alone).unwrap_or(f64::NAN));
    let (late, early) = (waiting(among), waiting(alone));
    drop(clients);
    let count = effort.clients;
    Ok(vec![
        Finding::new(
            "bytes of an idle client",
            format!("{count} clients, each used"),
            each,
            Limit::AtMost(4096.0),
        ),
        Finding::new(
            format!("CPU per query beside {count} idle clients"),
            format!("{cost:.1} to {other:.1} us"),
            cost / other,
            Limit::AtMost(1.1),
        ),
        Finding::new(
            format!("p95 beside {count} idle clients"),
            format!("{late:.1} to {early:.1} ms"),
            late / early,
            Limit::AtMost(1.1),
        ),
    ])
}
