//! The rows of the table: each measures one side of Serval and says what the figures have to be.

mod connections;
mod crowd;
mod plan;
mod point;
mod scatter;
mod start;
mod streams;

use clap::ValueEnum;

use crate::client::Failure;
use crate::load::Load;
use crate::target::Bench;
use crate::transactions::Figures;
use crate::verdict::Finding;

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Row {
    /// Point queries: CPU, queries per second and p95 beside HAProxy
    Point,
    /// Read-write transactions beside HAProxy
    ReadWrite,
    /// Large results: speed, CPU, memory; clients that stop reading
    Streams,
    /// Connecting, and clients that are idle
    Connections,
    /// Statements over four data nodes
    Scatter,
    /// Many active clients over few connections
    Crowd,
    /// A start with a thousand tables
    Start,
    /// Plans that are not in the cache
    Plan,
    /// Transactions of one node beside single statements, and of two beside the servers' XA
    Transactions,
}

/// How long things are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub rounds: u32,
    pub seconds: u32,
    /// Clients that are idle, and that crowd.
    pub clients: u32,
    /// Seconds for which clients do not read.
    pub patience: u32,
}

/// What the table measures besides sysbench's loads, for a Serval that counts what it does: what it has not seen is
/// compiled as what never happens.
pub(crate) async fn train(bench: &Bench) -> Result<(), Failure> {
    connections::come_and_go(bench).await?;
    scatter::merge(bench).await
}

impl Row {
    pub(crate) async fn measure(self, bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
        match self {
            Row::Point => point::run(bench, effort, Load::PointSelect).await,
            Row::ReadWrite => point::run(bench, effort, Load::ReadWrite).await,
            Row::Streams => streams::run(bench, effort).await,
            Row::Connections => connections::run(bench, effort).await,
            Row::Scatter => scatter::run(bench, effort).await,
            Row::Crowd => crowd::run(bench, effort).await,
            Row::Start => start::run(bench, effort).await,
            Row::Plan => Ok(plan::run(effort)),
            Row::Transactions => {
                let figures = Figures::measure(bench, effort.rounds).await?;
                println!("{figures}");
                Ok(figures.findings())
            }
        }
    }
}
