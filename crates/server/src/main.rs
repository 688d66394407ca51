//! The binary `serval`: it reads config files, wires the other crates together and answers to signals.
//!
//! Nothing about SQL, routing or packets is decided here. What is decided here is where things come from (files,
//! environment, sockets) and in which order they start and stop.
//!
//! ```text
//! serval check conf && serval run --config conf
//! ```
//!
//! Exit codes: 0 success, 1 failure, 2 a config or a command line that is wrong; with 2 nothing has been started.

mod cli;
mod command;
mod config_files;
mod definition_watch;
mod definitions;
mod demo;
mod failure;
mod listeners;
mod local_listener;
mod logging;
mod online;
mod output;
mod periods;
mod probe;
mod proxy;
mod reload;
mod rows;
mod scratch;
mod server_kind;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;

/// Long-lived buffers of many sizes are what a proxy allocates; jemalloc gives their memory back to the system, on a
/// thread of its own, so that it does so too while everybody is idle.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match cli::Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}
