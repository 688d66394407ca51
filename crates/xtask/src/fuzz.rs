//! `cargo xtask fuzz`: libFuzzer on the targets of `tests/fuzz`.
//!
//! The instrumentation is LLVM's, which the stable compiler has too; only the sanitisers need a nightly one, and they
//! would look for mistakes that code without `unsafe` cannot make. So a machine with Rust and a C++ compiler is enough.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::setup;
use crate::step::{self, Outcome};

/// What `rustc` has to do so that libFuzzer sees which code an input reaches and what it is compared with.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// An input that takes longer, or more memory, is a finding too.
const LIMITS: [&str; 5] =
    ["-verbosity=0", "-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1"];

/// Which targets, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only this target; all of them, one after another, without it
    target: Option<String>,
    /// Runs the target on this file once instead, such as on a crash that was found
    #[arg(requires = "target")]
    input: Option<PathBuf>,
}

/// Runs all targets even after one has found something, and then says which have.
pub(crate) fn run(options: &Options) -> Outcome {
    if options.target.as_deref() == Some(TRANSACTIONS) {
        return transactions(options);
    }
    setup::for_fuzzing()?;
    let mut all = names()?;
    all.push(TRANSACTIONS.to_owned());
    let chosen: Vec<&String> =
        all.iter().filter(|name| options.target.as_ref().is_none_or(|one| one == *name)).collect();
    if chosen.is_empty() {
        return Err(format!("no such target; there are: {}", all.join(", ")));
    }
    let engine = build()?;
    let mut found = Vec::new();
    for name in chosen {
        println!("\n== {name} ==");
        let outcome = match name.as_str() {
            TRANSACTIONS => transactions(options),
            name => fuzz(&engine, name, options),
        };
        if outcome.is_err() {
            found.push(name.as_str());
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!(
        "found something: {}. The inputs are in target/fuzz/found; `cargo xtask fuzz TARGET FILE` runs one again, and a \
         line in tests/fuzz/seeds keeps it for the tests",
        found.join(", ")
    ))
}

/// What is not bytes but faults: the simulation of the commit protocol.
const TRANSACTIONS: &str = "transactions";
/// About as many seeds as the simulation runs in a second.
const SEEDS: u32 = 300;

/// Seeds that no run before has tried, most likely: they begin at the clock.
fn transactions(options: &Options) -> Outcome {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seeds = options.seconds.saturating_mul(SEEDS);
    println!("{seeds} seeds from {}; one that fails is replayed by SERVAL_SEED=n", now.as_secs());
    let mut command = step::cargo(["test", "-p", "serval-transaction", "--test", "crashes", "many"]);
    command.env("SERVAL_FIRST_SEED", now.as_secs().to_string()).env("SERVAL_SEEDS", seeds.to_string());
    step::run(command)
}

/// The targets, as the table in the library names them.
fn names() -> Result<Vec<String>, String> {
    let table = step::root().join("tests/fuzz/src/lib.rs");
    let text = fs::read_to_string(&table).map_err(|error| format!("reading {}: {error}", table.display()))?;
    let names = text.split("Target { name: \"").skip(1).filter_map(|rest| rest.split('"').next());
    Ok(names.map(str::to_owned).collect())
}

/// Builds into a folder of its own: other flags for the compiler would throw the usual builds away.
fn build() -> Result<PathBuf, String> {
    let target = host()?;
    println!("Building the fuzzer; the first time this takes a minute.");
    let folder = folder("");
    let mut command =
        step::cargo(["build", "--quiet", "--release", "--manifest-path", "tests/fuzz/engine/Cargo.toml"]);
    command
        .args(["--target", &target])
        .env("RUSTFLAGS", INSTRUMENTATION)
        .env("CARGO_TARGET_DIR", folder.join("build"));
    step::run(command)?;
    Ok(folder.join("build").join(target).join("release/serval-fuzz-engine"))
}

/// With a target named, build scripts and macros are compiled without the instrumentation, which they could not link.
fn host() -> Result<String, String> {
    let output =
        step::program("rustc", ["-vV"]).output().map_err(|error| format!("running rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say for which machine it compiles".to_owned())
}

fn fuzz(engine: &Path, name: &str, options: &Options) -> Outcome {
    let (corpus, seeds, found) = (folder("corpus").join(name), folder("seeds").join(name), folder("found"));
    for folder in [&corpus, &seeds, &found] {
        fs::create_dir_all(folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
    }
    let mut command = Command::new(engine);
    command.current_dir(step::root()).env("SERVAL_FUZZ_TARGET", name);
    if let Some(input) = &options.input {
        command.arg(input);
        return step::run(command);
    }
    command.env("SERVAL_FUZZ_SEEDS", &seeds).args(LIMITS);
    command.arg(format!("-max_total_time={}", options.seconds));
    command.arg(format!("-artifact_prefix={}/{name}-", found.display()));
    command.args([&corpus, &seeds]);
    step::run(command)
}

fn folder(name: &str) -> PathBuf {
    step::root().join("target/fuzz").join(name)
}
