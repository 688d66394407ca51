//! The benchmark behind `cargo xtask bench`: a server directly, through HAProxy in TCP mode, and through Serval,
//! unsharded and sharded over two groups.
//!
//! Runs are interleaved in rounds, so that a slow minute of the machine hits all alike, and medians are shown. On a
//! machine with few cores the load generator and the servers compete with the proxy: queries per second are then noisy,
//! and the proxy's own CPU time is the figure to compare. Each row of the table says what its figures have to be, and
//! the exit code is 1 where one falls short.
//!
//! ```text
//! cargo xtask bench                                   # the whole table, about half an hour
//! cargo xtask bench --row streams                     # one row of it
//! cargo xtask bench --loads point-select --rounds 5 --seconds 20 --threads 16     # sysbench, as one likes
//! cargo xtask bench --transactions                    # what COMMIT costs, beside XA driven by hand
//! cargo xtask bench --instructions                    # instructions per point query, on however busy a machine
//! ```
#![allow(clippy::print_stdout, reason = "a command-line tool shows its table")]

mod client;
mod cpu;
mod instructions;
mod load;
mod memory;
mod protocol;
mod report;
mod row;
mod target;
mod transactions;
mod verdict;

use clap::{Parser, ValueEnum as _};

use crate::client::Failure;
use crate::load::{Load, Setting};
use crate::report::Report;
use crate::row::{Effort, Row};
use crate::target::Bench;
use crate::verdict::Verdict;

/// What is measured, and for how long.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Each combination is measured this many times
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of one run
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Rows of the table; all where none is named
    #[arg(long = "row", value_enum, value_delimiter = ',')]
    rows_of_table: Vec<Row>,
    /// Clients that are idle; at most 5,000 of them crowd
    #[arg(long, default_value_t = 9500)]
    clients: u32,
    /// Seconds for which clients do not read
    #[arg(long, default_value_t = 60)]
    patience: u32,
    /// sysbench's loads, instead of the table
    #[arg(long, value_enum, value_delimiter = ',')]
    loads: Vec<Load>,
    /// Numbers of clients
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    threads: Vec<u32>,
    /// Measure sysbench's default (prepared statements where the server has them) beside plain text statements
    #[arg(long)]
    prepared: bool,
    /// Tables
    #[arg(long, default_value_t = 4)]
    tables: u32,
    /// Rows of each table
    #[arg(long, default_value_t = 10_000)]
    rows: u32,
    /// Count the instructions of a point query under callgrind instead, and compare them with the pinned numbers
    #[arg(long)]
    instructions: bool,
    /// Leave out direct connections and HAProxy, let clients come and go and rows be merged as well, and have Serval end as
    /// when it is told to: it writes down what it counted
    #[arg(long)]
    train: bool,
    /// Measure transactions of one node and of two instead
    #[arg(long)]
    transactions: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if arguments.instructions {
        return instructions::run().await;
    }
    if arguments.transactions {
        return transactions::run(arguments.rounds).await;
    }
    println!("Starting two servers, HAProxy and Serval, and loading {} tables.", arguments.tables);
    let bench = Bench::start(arguments.tables, arguments.rows, &[]).await?;
    if arguments.loads.is_empty() {
        return table(&arguments, &bench).await;
    }
    sysbench(&arguments, &bench).await?;
    if arguments.train {
        row::train(&bench).await?;
        return bench.stop().await;
    }
    Ok(())
}

/// The rows of the table, and whether their figures are as they have to be.
async fn table(arguments: &Arguments, bench: &Bench) -> Result<(), Failure> {
    let &Arguments { rounds, seconds, clients, patience, .. } = arguments;
    let effort = Effort { rounds, seconds, clients, patience };
    let rows = match &*arguments.rows_of_table {
        [] => Row::value_variants(),
        named => named,
    };
    let mut verdict = Verdict::default();
    for row in rows {
        println!("{row:?} …");
        verdict.add(row.measure(bench, effort).await?);
    }
    println!("\nMedians of {rounds} rounds.\n{verdict}");
    verdict.missed().map_or(Ok(()), |missed| Err(missed.into()))
}

/// Loads and numbers of clients as the command line has them.
async fn sysbench(arguments: &Arguments, bench: &Bench) -> Result<(), Failure> {
    let settings = settings(arguments);
    let mut report = Report::default();
    for round in 0..arguments.rounds {
        for setting in &settings {
            // Another target goes first in each round.
            for index in 0..bench.targets.len() {
                let target = &bench.targets[(index + round as usize) % bench.targets.len()];
                if arguments.train && !target.name.starts_with("Serval") {
                    continue;
                }
                let measured = load::run(bench, target, setting, arguments.seconds).await?;
                println!("round {} {setting} {}: {measured}", round + 1, target.name);
                report.add(setting, target.name, measured);
            }
        }
    }
    println!("\n{report}");
    Ok(())
}

fn settings(arguments: &Arguments) -> Vec<Setting> {
    let modes: &[bool] = if arguments.prepared { &[false, true] } else { &[false] };
    let mut settings = Vec::new();
    for &load in &arguments.loads {
        for &threads in &arguments.threads {
            settings.extend(modes.iter().map(|&prepared| Setting { load, threads, prepared }));
        }
    }
    settings
}
