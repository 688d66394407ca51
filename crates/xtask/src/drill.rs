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
    /// The transactions of TPC-C over four warehouses while the same is killed
    Tpcc,
    /// The commit protocol over simulated servers, with faults drawn from five hundred seeds for each second
    Crashes,
}

/// Runs the drill once; where it fails the output says what to replay.
pub(crate) fn run(options: &Options) -> Outcome {
    let (arguments, name, value) = match options.drill {
        Drill::Bank | Drill::Tpcc => {
            setup::for_tests()?;
            step::run(step::cargo(["build", "-p", "serval"]))?;
            let (name, value) = match options.drill {
                Drill::Bank => ("bank", "SERVAL_BANK_SECONDS"),
                _ => ("tpcc", "SERVAL_TPCC_SECONDS"),
            };
            (["-p", "serval-tests", "--test", "e2e", name], value, options.seconds)
        }
        Drill::Crashes => {
            let seeds = options.seconds.saturating_mul(500);
            (["-p", "serval-transaction", "--test", "crashes", "many"], "SERVAL_SEEDS", seeds)
        }
    };
    let mut command = step::cargo(["test"]);
    command.args(arguments).args(["--", "--nocapture"]).env(name, value.to_string());
    step::run(command)
}
