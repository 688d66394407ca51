//! The benchmark behind `cargo xtask bench`: sysbench against a server directly, through HAProxy in TCP mode, and
//! through Serval, unsharded and sharded over two groups.
//!
//! The runs are interleaved in rounds, so that a slow minute of the machine hits all alike, and the median of the
//! rounds is shown. On a machine with few cores the load generator and the servers compete with the proxy: queries per
//! second are then noisy, and the proxy's own CPU time per query is the figure to compare.
//!
//! ```text
//! cargo xtask bench                                   # all loads, 3 rounds of 5 s
//! cargo xtask bench --rounds 5 --seconds 20 --loads point_select --threads 16
//! cargo xtask bench --transactions                    # what COMMIT costs, beside XA driven by hand
//! cargo xtask bench --instructions                    # instructions per point query, on however busy a machine
//! ```
#![allow(clippy::print_stdout, reason = "a command-line tool shows its table")]

mod cpu;
mod instructions;
mod load;
mod report;
mod target;
mod transactions;

use std::error::Error;

use clap::Parser;

use crate::load::{Load, Setting};
use crate::report::Report;
use crate::target::Bench;

/// What is measured, and for how long.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Each combination is measured this many times
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of one run
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// sysbench's loads
    #[arg(long, value_enum, value_delimiter = ',', default_value = "point-select,read-only,read-write")]
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
    /// Measure transactions of one node and of two instead
    #[arg(long)]
    transactions: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.instructions {
        return instructions::run().await;
    }
    if arguments.transactions {
        return transactions::run(arguments.rounds).await;
    }
    println!("Starting two servers, HAProxy and Serval, and loading {} tables.", arguments.tables);
    let bench = Bench::start(arguments.tables, arguments.rows, &[]).await?;
    let settings = settings(&arguments);
    let mut report = Report::default();
    for round in 0..arguments.rounds {
        for setting in &settings {
            // Another target goes first in each round.
            for index in 0..bench.targets.len() {
                let target = &bench.targets[(index + round as usize) % bench.targets.len()];
                let measured = load::run(&bench, target, setting, arguments.seconds).await?;
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
