//! `cargo xtask demo`: set-up, build, and `serval demo`.

use std::os::unix::process::CommandExt as _;

use clap::Args;

use crate::setup;
use crate::step::{self, Outcome};

/// How the demo is built and what is passed on to it.
#[derive(Args)]
pub(crate) struct Options {
    /// Build with optimisations; takes minutes, the default build is enough to try things
    #[arg(long)]
    release: bool,
    /// Arguments of `serval demo`, such as `--port 3400`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Becomes the demo: signals and the terminal then reach it without anything in between.
pub(crate) fn run(options: &Options) -> Outcome {
    setup::for_demo()?;
    println!("Building serval; the first time this takes a few minutes.");
    let profile = options.release.then_some("--release");
    let mut build = step::cargo(["build", "--package", "serval"]);
    build.args(profile);
    step::run(build)?;
    let mut demo = step::cargo(["run", "--quiet", "--package", "serval"]);
    demo.args(profile).args(["--", "demo"]).args(&options.arguments);
    Err(format!("cargo could not be started: {}", demo.exec()))
}
