//! `cargo xtask bench`: set-up, release build, and the benchmark in `benches/`.

use clap::Args;

use crate::setup;
use crate::step::{self, Outcome};

/// Passed on to the benchmark; `cargo xtask bench -- --help` lists them.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of the benchmark, such as `--rounds 5 --seconds 20`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Outcome {
    setup::for_benchmark()?;
    if options.arguments.iter().any(|argument| argument == "--instructions") {
        setup::for_counting()?;
    }
    step::run(step::cargo(["build", "--release", "--package", "serval", "--package", "serval-benches"]))?;
    let mut command = step::cargo(["run", "--quiet", "--release", "--package", "serval-benches", "--"]);
    command.args(&options.arguments);
    step::run(command)
}
