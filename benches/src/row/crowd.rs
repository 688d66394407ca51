//! Many active clients over few connections.

use std::time::{Duration, Instant};

use crate::client::{Client, Failure};
use crate::target::{Bench, CONNECTIONS, Target};
use crate::verdict::{Finding, Limit, median};

use super::Effort;

pub(super) async fn run(bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
    let clients = effort.clients.min(5000);
    let (mut direct, mut mine) = (Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        for target in bench.turn(round, 3) {
            match target.name {
                "direct" => direct.push(rate(target, clients, effort.seconds).await?),
                "Serval" => mine.push(rate(target, clients, effort.seconds).await?),
                _ => {}
            }
        }
    }
    let (theirs, mine) = (median(direct), median(mine));
    Ok(vec![Finding::new(
        format!("{clients} clients over {CONNECTIONS} connections, of direct"),
        format!("{mine:.0} to {theirs:.0} queries/s"),
        mine / theirs,
        Limit::AtLeast(1.0),
    )])
}

/// Queries per second of clients that all ask as fast as they can.
async fn rate(target: &Target, clients: u32, seconds: u32) -> Result<f64, Failure> {
    let mut all = Vec::new();
    for _ in 0..clients {
        all.push(Client::connect(target.port, target.schema).await?);
    }
    let (begun, end) = (Instant::now(), Instant::now() + Duration::from_secs(seconds.into()));
    let workers: Vec<_> =
        all.into_iter().zip(1..).map(|(client, id)| tokio::spawn(ask(client, id, end))).collect();
    let mut count = 0;
    for worker in workers {
        count += worker.await??;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

async fn ask(mut client: Client, id: u32, end: Instant) -> Result<u32, Failure> {
    let mut count = 0;
    while Instant::now() < end {
        client.query(&format!("SELECT c FROM sbtest1 WHERE id = {}", id + count)).await?;
        count += 1;
    }
    client.quit().await?;
    Ok(count)
}
