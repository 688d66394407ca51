//! `cargo xtask replay`: the public test suite on the proxy and on one plain server.

use clap::Args;

use crate::setup;
use crate::step::{self, Outcome};

/// The suite's groups, as the names of their files begin.
const GROUPS: &str = "select,join,group_by,order_by,subselect,union,cte,win,func_,type_,insert,update,delete";

/// Which files.
#[derive(Args)]
pub(crate) struct Options {
    /// How the names of the files begin, with commas in between
    #[arg(default_value = GROUPS)]
    files: String,
}

/// Replays the files; what it found is in `target/replay`.
pub(crate) fn run(options: &Options) -> Outcome {
    setup::for_tests()?;
    step::run(step::cargo(["build", "--quiet", "--package", "serval"]))?;
    let arguments = [
        "test",
        "--quiet",
        "--package",
        "serval-tests",
        "--test",
        "e2e",
        "--",
        "mysql_test::the",
        "--nocapture",
    ];
    let mut command = step::cargo(arguments);
    command.env("SERVAL_REPLAY", &options.files);
    step::run(command)
}
