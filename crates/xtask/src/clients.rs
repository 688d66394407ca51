//! `cargo xtask clients`: real clients, directly and through Serval.
//!
//! The scenarios are in `tests/clients/`, the program that runs them is `clients` of the package `serval-tests`. Here
//! the clients are installed: Debian's packages by apt, the others from their language's registry into `target/clients`,
//! which is kept until their lists change.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::mysql;
use crate::setup;
use crate::step::{self, Outcome};

/// Which clients, on which servers.
#[derive(Args)]
pub(crate) struct Options {
    /// The servers behind Serval: mariadb or mysql97
    #[arg(long, default_value = "mariadb")]
    flavour: String,
    /// Asks only the plain server: whether a scenario is right
    #[arg(long)]
    direct: bool,
    /// Only these clients
    names: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Outcome {
    setup::for_clients()?;
    python()?;
    node()?;
    if options.flavour == "mysql97" {
        mysql::run(&mysql::Options::default())?;
    }
    step::run(step::cargo(["build", "--quiet", "--package", "serval"]))?;
    let mut command = step::cargo(["run", "--quiet", "--package", "serval-tests", "--bin", "clients", "--"]);
    command.env("SERVAL_FLAVOUR", &options.flavour);
    command.args(options.direct.then_some("--direct")).args(&options.names);
    step::run(command)
}

/// Python's packages, in an environment of their own.
pub(crate) fn python() -> Outcome {
    let (list, folder) = (source("python/requirements.txt"), installed("python"));
    unless_installed(&list, &folder, || {
        println!("Installing Python's clients into target/clients/python.");
        let place = folder.display().to_string();
        step::run(step::program("/usr/bin/python3", ["-m", "venv", "--clear", &place]))?;
        let pip = folder.join("bin/pip").display().to_string();
        step::run(step::program(&pip, ["install", "--quiet", "-r", &list.display().to_string()]))
    })
}

fn node() -> Outcome {
    let (list, folder) = (source("node/package.json"), installed("node"));
    unless_installed(&list, &folder, || {
        println!("Installing Node's clients into target/clients/node.");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::copy(&list, folder.join("package.json")))
            .map_err(|error| format!("preparing {}: {error}", folder.display()))?;
        let place = folder.display().to_string();
        step::run(step::program(
            "npm",
            ["install", "--prefix", &place, "--no-audit", "--no-fund", "--silent"],
        ))
    })
}

/// Does nothing where the folder was filled from this very list; a copy of the list is left there at the end.
fn unless_installed(list: &Path, folder: &Path, install: impl FnOnce() -> Outcome) -> Outcome {
    let read = |path: &Path| fs::read(path).unwrap_or_default();
    let done = folder.join("installed");
    if read(&done) == read(list) {
        return Ok(());
    }
    install()?;
    fs::copy(list, &done).map(drop).map_err(|error| format!("writing {}: {error}", done.display()))
}

fn source(path: &str) -> PathBuf {
    step::root().join("tests/clients").join(path)
}

fn installed(path: &str) -> PathBuf {
    step::root().join("target/clients").join(path)
}
