//! `cargo xtask test`: what CI checks, in the order in which a mistake is cheapest to find.

use std::time::{Duration, Instant};

use clap::Args;

use crate::clients;
use crate::setup;
use crate::step::{self, Outcome};

/// What to leave out while working on one thing; CI leaves out nothing.
#[derive(Args)]
pub(crate) struct Options {
    /// Only the end-to-end tests, with this filter on their names
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    e2e: Option<String>,
}

struct Step {
    name: &'static str,
    run: fn() -> Outcome,
}

const STEPS: [Step; 8] = [
    Step { name: "set-up", run: setup_all },
    Step { name: "format", run: || step::run(step::cargo(["fmt", "--all", "--check"])) },
    Step { name: "lints", run: lints },
    Step { name: "docs", run: docs },
    Step { name: "build", run: build },
    Step { name: "unit and golden tests", run: unit_tests },
    Step { name: "doc tests", run: || step::run(step::cargo(["test", "--quiet", "--workspace", "--doc"])) },
    Step { name: "end-to-end tests", run: || end_to_end("") },
];

/// Runs the steps, stops at the first that fails, and sums up.
pub(crate) fn run(options: &Options) -> Outcome {
    if let Some(filter) = &options.e2e {
        return setup_all().and_then(|()| build()).and_then(|()| end_to_end(filter));
    }
    let begun = Instant::now();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for step in STEPS {
        println!("\n== {} ==", step.name);
        let started = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, started.elapsed()));
        if let Err(reason) = outcome {
            print_times(&times);
            return Err(format!("FAILED at {}: {reason}", step.name));
        }
    }
    print_times(&times);
    println!("xtask: all {} steps passed in {}", STEPS.len(), seconds(begun.elapsed()));
    Ok(())
}

fn print_times(times: &[(&str, Duration)]) {
    println!();
    for (name, time) in times {
        println!("{name:>24} {:>9}", seconds(*time));
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn setup_all() -> Outcome {
    setup::for_tests()?;
    clients::python()?;
    component("rustfmt", "fmt")?;
    component("clippy", "clippy")
}

/// A part of the Rust toolchain that minimal installations lack.
fn component(component: &str, subcommand: &str) -> Outcome {
    if step::succeeds(step::cargo([subcommand, "--version"])) {
        return Ok(());
    }
    println!("Missing in this Rust toolchain: {component}. Installing with rustup.");
    step::run(step::program("rustup", ["component", "add", component]))
}

fn lints() -> Outcome {
    step::run(step::cargo(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn docs() -> Outcome {
    let mut command = step::cargo(["doc", "--quiet", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    step::run(command)
}

/// The end-to-end tests start this binary; cargo does not build it for another package's tests.
fn build() -> Outcome {
    step::run(step::cargo(["build", "--quiet", "--package", "serval"]))
}

fn unit_tests() -> Outcome {
    const WHICH: [&str; 3] = ["--workspace", "--exclude", "serval-tests"];
    if step::succeeds(step::cargo(["nextest", "--version"])) {
        let mut command = step::cargo(["nextest", "run", "--cargo-quiet", "--status-level", "fail"]);
        command.args(WHICH);
        return step::run(command);
    }
    let mut command = step::cargo(["test", "--quiet", "--lib", "--bins", "--tests"]);
    command.args(WHICH);
    step::run(command)
}

/// One process for all of them, because they share their servers; nextest would start a process for each test.
fn end_to_end(filter: &str) -> Outcome {
    let mut command = step::cargo(["test", "--quiet", "--package", "serval-tests", "--tests", "--"]);
    command.args(Some(filter).filter(|filter| !filter.is_empty()));
    step::run(command)
}
