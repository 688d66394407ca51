//! `cargo xtask release`: the proxy, built by what it does under load.
//!
//! A point query runs through some ten thousand different instructions once. What they cost is mostly reading them, so it
//! pays to have those that run side by side and those for bad days elsewhere, which only a compiler can do that has seen
//! them run. The proxy is built so that it counts, does sysbench's work, and is built again with what was counted.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::setup;
use crate::step::{self, Outcome};

/// sysbench's loads while it counts: both protocols, on one node and over four.
const LOADS: [&str; 10] = [
    "--loads",
    "point-select,read-only,read-write",
    "--prepared",
    "--threads",
    "16",
    "--rounds",
    "1",
    "--seconds",
    "5",
    "--train",
];

/// Of the trained build.
#[derive(Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Outcome {
    setup::for_benchmark()?;
    let compiler = Compiler::ask()?;
    let folder = step::root().join("target/trained");
    let (counts, profile) = (folder.join("counts"), folder.join("profile.profdata"));
    if counts.exists() {
        std::fs::remove_dir_all(&counts).map_err(|error| format!("{}: {error}", counts.display()))?;
    }
    let binary = compiler.build(&folder, &format!("-Cprofile-generate={}", counts.display()))?;
    step::run(step::cargo(["build", "--release", "--package", "serval-benches"]))?;
    let mut work = step::cargo(["run", "--quiet", "--release", "--package", "serval-benches", "--"]);
    work.args(LOADS).env("SERVAL_BIN", &binary);
    step::run(work)?;
    let mut merge = Command::new(&compiler.merger);
    merge.args(["merge", "-o"]).args([&profile, &counts]);
    step::run(merge)?;
    let binary = compiler.build(&folder, &format!("-Cprofile-use={}", profile.display()))?;
    println!("{} is the trained proxy; SERVAL_BIN={0} cargo xtask bench measures it.", binary.display());
    Ok(())
}

/// The compiler that cargo uses.
struct Compiler {
    /// Its own machine, for which programs are built.
    host: String,
    /// `llvm-profdata` of its own version: counts of another are not read.
    merger: PathBuf,
}

impl Compiler {
    fn ask() -> Result<Self, String> {
        let version = answer("-vV")?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("rustc does not say what it builds for")?.to_owned();
        let sysroot = answer("--print=sysroot")?;
        let merger =
            Path::new(sysroot.trim()).join("lib/rustlib").join(&host).join("bin").join("llvm-profdata");
        if !merger.is_file() {
            println!("The compiler's llvm-tools are missing; rustup brings them.");
            step::run(step::program("rustup", ["component", "add", "llvm-tools"]))?;
        }
        Ok(Self { host, merger })
    }

    /// Builds the proxy with this flag more. With a target named, what runs while building is built without it.
    fn build(&self, folder: &Path, flag: &str) -> Result<PathBuf, String> {
        let mut command = step::cargo(["build", "--release", "--package", "serval", "--target", &self.host]);
        command.arg("--target-dir").arg(folder).env("RUSTFLAGS", flag);
        step::run(command)?;
        Ok(folder.join(&self.host).join("release/serval"))
    }
}

fn answer(argument: &str) -> Result<String, String> {
    let output = step::program("rustc", [argument]).output();
    let output = output.map_err(|error| format!("`rustc {argument}` could not be started: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
