//! `cargo xtask drill`: the tests that break things, for longer than `cargo xtask test` has time for.

use clap::{Args, ValueEnum};

use crate::setup;
use crate::step::{self, Outcome};

/// Which drill, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// What is broken
    drill: Drill,
    /// How long
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Drill {
    /// Transfers between accounts while proxies, primaries and connections are killed every three seconds
    Bank,
    /// The commit protocol over simulated servers, with faults drawn from ten seeds for each second
    Crashes,
}

/// Runs the drill once; where it fails the output says what to replay.
pub(crate) fn run(options: &Options) -> Outcome {
    let (arguments, name, value) = match options.drill {
        Drill::Bank => {
            setup::for_tests()?;
            step::run(step::cargo(["build", "-p", "serval"]))?;
            (["-p", "serval-tests", "--test", "e2e", "bank"], "SERVAL_BANK_SECONDS", options.seconds)
        }
        Drill::Crashes => {
            let seeds = options.seconds.saturating_mul(10);
            (["-p", "serval-transaction", "--test", "crashes", "many"], "SERVAL_SEEDS", seeds)
        }
    };
    let mut command = step::cargo(["test"]);
    command.args(arguments).args(["--", "--nocapture"]).env(name, value.to_string());
    step::run(command)
}
