//! Running sysbench and reading what it prints.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use tokio::process::Command;

use crate::client::Failure;
use crate::cpu;
use crate::target::{Bench, Target, USER};

/// One of sysbench's OLTP scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Load {
    /// One row by primary key
    PointSelect,
    /// Ten point selects and four ranges per transaction
    ReadOnly,
    /// The same with updates, a delete and an insert
    ReadWrite,
}

impl Load {
    fn script(self) -> &'static str {
        match self {
            Load::PointSelect => "oltp_point_select",
            Load::ReadOnly => "oltp_read_only",
            Load::ReadWrite => "oltp_read_write",
        }
    }
}

/// A load and how it is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Setting {
    pub load: Load,
    pub threads: u32,
    /// sysbench's default, against plain text statements.
    pub prepared: bool,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.prepared { ", default ps mode" } else { "" };
        write!(f, "{} × {}{mode}", self.load.script().trim_start_matches("oltp_"), self.threads)
    }
}

/// What one run showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub queries_per_second: f64,
    pub p95: Duration,
    /// The proxy's own, per query.
    pub cpu: Option<Duration>,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} queries/s, p95 {:.2?}", self.queries_per_second, self.p95)?;
        self.cpu.map_or(Ok(()), |cpu| write!(f, ", proxy {:.1?} CPU/query", cpu))
    }
}

/// Makes and fills the tables.
pub(crate) async fn prepare(bench: &Bench, target: &Target) -> Result<(), Failure> {
    sysbench(bench, target, Load::ReadWrite, &["prepare".to_owned()]).await.map(drop)
}

/// One run. Deadlocks are part of read-write loads and are retried by sysbench; any other error ends the benchmark.
pub(crate) async fn run(
    bench: &Bench,
    target: &Target,
    setting: &Setting,
    seconds: u32,
) -> Result<Measured, Failure> {
    let mut arguments = vec![
        format!("--threads={}", setting.threads),
        format!("--time={seconds}"),
        "--mysql-ignore-errors=1213".to_owned(),
    ];
    if !setting.prepared {
        arguments.push("--db-ps-mode=disable".to_owned());
    }
    arguments.push("run".to_owned());
    let before = target.proxy.and_then(cpu::used);
    let output = sysbench(bench, target, setting.load, &arguments).await?;
    let after = target.proxy.and_then(cpu::used);
    let printed = Printed::read(&output).ok_or_else(|| format!("sysbench printed no figures:\n{output}"))?;
    let cpu = before.zip(after).map(|(before, after)| (after - before).div_f64(printed.queries));
    Ok(Measured { queries_per_second: printed.per_second, p95: printed.p95, cpu })
}

/// A number of point selects by one client, as statements or prepared.
pub(crate) async fn events(
    bench: &Bench,
    target: &Target,
    prepared: bool,
    events: u64,
) -> Result<(), Failure> {
    let mode = if prepared { "auto" } else { "disable" };
    let arguments = ["--threads=1", "--time=0", "run"].map(str::to_owned);
    let more = [format!("--events={events}"), format!("--db-ps-mode={mode}")];
    sysbench(bench, target, Load::PointSelect, &[&more[..], &arguments].concat()).await.map(drop)
}

async fn sysbench(bench: &Bench, target: &Target, load: Load, more: &[String]) -> Result<String, Failure> {
    let output = Command::new("sysbench")
        .args([load.script(), "--db-driver=mysql", "--mysql-host=127.0.0.1", "--rand-type=uniform"])
        .args([format!("--mysql-user={}", USER.0), format!("--mysql-password={}", USER.1)])
        .args([format!("--mysql-port={}", target.port), format!("--mysql-db={}", target.schema)])
        .args([format!("--tables={}", bench.tables), format!("--table-size={}", bench.rows)])
        .args(more)
        .kill_on_drop(true)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("sysbench failed on {}:\n{text}{}", target.name, String::from_utf8_lossy(&output.stderr))
        .into())
}

/// The figures of sysbench's summary.
#[derive(Debug, PartialEq)]
struct Printed {
    queries: f64,
    per_second: f64,
    p95: Duration,
}

impl Printed {
    fn read(text: &str) -> Option<Printed> {
        let after =
            |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
        let queries = after("queries:")?;
        let (count, rest) = queries.split_once('(')?;
        let milliseconds: f64 = after("95th percentile:")?.parse().ok()?;
        Some(Printed {
            queries: count.trim().parse().ok()?,
            per_second: rest.split_whitespace().next()?.parse().ok()?,
            p95: Duration::from_secs_f64(milliseconds / 1000.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sysbench() {
        let text = "SQL statistics:\n    transactions:                        42     (8.4 per sec.)\n    \
                    queries:                             840    (168.00 per sec.)\n\nLatency (ms):\n         \
                    95th percentile:                        1.50\n";
        let expected = Printed { queries: 840.0, per_second: 168.0, p95: Duration::from_micros(1500) };
        assert_eq!(Printed::read(text), Some(expected));
        assert_eq!(Printed::read("nothing"), None);
    }
}
