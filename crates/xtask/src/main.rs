//! `cargo xtask`: set-up, tests, demo and benchmarks, each in one command that needs no preparation.
//!
//! It runs programs (cargo, apt-get, the proxy) and says what it runs. It holds no test and no benchmark of its own,
//! and depends on none of Serval's crates, so that it builds in seconds on a clean machine.
//!
//! ```text
//! cargo xtask demo      # two groups of real servers, a small shop, and the proxy in front of them
//! cargo xtask test      # everything that CI checks
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to its terminal")]

mod bench;
mod check;
mod clients;
mod demo;
mod drill;
mod fuzz;
mod limits;
mod mysql;
mod release;
mod replay;
mod setup;
mod step;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, tests, demo and benchmarks of Serval")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what tests and demo need and this machine lacks, after saying so
    Setup,
    /// Checks everything that CI checks: format, lints, docs, unit, golden and end-to-end tests
    Test(check::Options),
    /// Formats the code
    Fmt,
    /// Starts real servers and the proxy, loads a small shop and prints what to try
    Demo(demo::Options),
    /// Measures Serval beside a direct server and HAProxy in TCP mode
    Bench(bench::Options),
    /// Builds the proxy twice, the second time by what it did under sysbench's loads
    Release(release::Options),
    /// Runs real clients of ten languages directly and through Serval, and compares what they can do
    Clients(clients::Options),
    /// Breaks servers, proxies and connections for longer than the tests do
    Drill(drill::Options),
    /// Looks for bytes that decoders, lexer, parser or configuration mistreat
    Fuzz(fuzz::Options),
    /// Replays the public test suite of MariaDB on the proxy and on one plain server
    Replay(replay::Options),
    /// Compares docs/limits.md with the tests that pin what it says, or writes it
    Limits(limits::Options),
    /// Prepares a real MySQL 9.7 for tests, in a folder of its own
    Mysql(mysql::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Setup => setup::for_tests().and_then(|()| clients::python()),
        Task::Test(options) => check::run(&options),
        Task::Fmt => step::run(step::cargo(["fmt", "--all"])),
        Task::Demo(options) => demo::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Release(options) => release::run(&options),
        Task::Clients(options) => clients::run(&options),
        Task::Drill(options) => drill::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Replay(options) => replay::run(&options),
        Task::Limits(options) => limits::run(&options),
        Task::Mysql(options) => mysql::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
