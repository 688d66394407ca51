//! Instructions per query, which do not depend on how busy the machine is: Serval runs under callgrind, one client asks
//! for one row at a time, and two runs of different length are compared, so that what a connection costs falls out.
//!
//! What the kernel does is not in these figures; `strace -f -c` counts how often it is called.

use std::path::{Path, PathBuf};

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serval_testkit::ScratchDirectory;
use tokio::process::Command;

use crate::client::Failure;
use crate::load;
use crate::target::{Bench, Target};

/// Queries of the shorter run; the longer one has three times as many.
const QUERIES: u64 = 1000;
/// How much more than the pinned number is still the same.
const SLACK: f64 = 1.05;

/// Instructions of one query as they are meant to be: lower them when Serval gets better.
const PINNED: [(&str, bool, u64); 4] = [
    ("Serval", false, 24_400),
    ("Serval", true, 25_200),
    ("Serval, sharded", false, 29_500),
    ("Serval, sharded", true, 30_000),
];

/// What Serval is run by, and where it leaves its counts.
struct Callgrind {
    directory: ScratchDirectory,
}

/// Counts, prints, and fails where a query takes more than its pinned number.
pub(crate) async fn run() -> Result<(), Failure> {
    let callgrind = Callgrind { directory: ScratchDirectory::new(None)? };
    let bench = Bench::start(1, 1000, &callgrind.command()).await?;
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header([
        "target",
        "protocol",
        "instructions/query",
        "pinned",
    ]);
    let mut worse = Vec::new();
    for (name, prepared, pinned) in PINNED {
        let target = bench.targets.iter().find(|target| target.name == name).ok_or("no such target")?;
        let counted = callgrind.per_query(&bench, target, prepared).await?;
        let protocol = if prepared { "prepared" } else { "text" };
        table.add_row([name, protocol, &counted.to_string(), &pinned.to_string()]);
        if counted as f64 > pinned as f64 * SLACK {
            worse.push(format!("{name}, {protocol}: {counted} instructions per query instead of {pinned}"));
        }
    }
    println!("{table}");
    if worse.is_empty() { Ok(()) } else { Err(worse.join("; ").into()) }
}

impl Callgrind {
    /// What goes before the program. One worker, so that no count depends on which one was awake.
    fn command(&self) -> Vec<String> {
        let out = format!("--callgrind-out-file={}", self.out().display());
        let words = [
            "/usr/bin/env",
            "TOKIO_WORKER_THREADS=1",
            "valgrind",
            "--tool=callgrind",
            "--dump-instr=no",
            &out,
        ];
        words.map(str::to_owned).to_vec()
    }

    fn out(&self) -> PathBuf {
        self.directory.path().join("counts")
    }

    async fn per_query(&self, bench: &Bench, target: &Target, prepared: bool) -> Result<u64, Failure> {
        // The first run fills caches and pools.
        load::events(bench, target, prepared, QUERIES).await?;
        let (short, long) = (
            self.counted(bench, target, prepared, QUERIES).await?,
            self.counted(bench, target, prepared, 3 * QUERIES).await?,
        );
        Ok(long.saturating_sub(short) / (2 * QUERIES))
    }

    async fn counted(
        &self,
        bench: &Bench,
        target: &Target,
        prepared: bool,
        events: u64,
    ) -> Result<u64, Failure> {
        control("--zero", target).await?;
        load::events(bench, target, prepared, events).await?;
        control("--dump", target).await?;
        // Dumps are numbered; the one that has just been written is read and removed.
        let dump = newest(self.directory.path())?;
        let count = total(&std::fs::read_to_string(&dump)?);
        std::fs::remove_file(&dump)?;
        count.ok_or_else(|| "callgrind wrote no total".into())
    }
}

async fn control(what: &str, target: &Target) -> Result<(), Failure> {
    let pid = target.proxy.ok_or("only a proxy is counted")?.to_string();
    let output = Command::new("callgrind_control").args([what, &pid]).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.contains("OK") { Ok(()) } else { Err(said.into()) }
}

fn newest(directory: &Path) -> Result<PathBuf, Failure> {
    let files = std::fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.path());
    let dumps = files.filter(|path| path.extension().is_some());
    dumps.max_by_key(|path| number(path)).ok_or_else(|| "callgrind wrote no counts".into())
}

fn number(path: &Path) -> Option<u64> {
    path.extension()?.to_str()?.parse().ok()
}

fn total(dump: &str) -> Option<u64> {
    dump.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_dump() {
        assert_eq!(total("version: 1\nevents: Ir\nfn=(1) main\n1 5\ntotals: 1234\n"), Some(1234));
        assert_eq!(number(Path::new("/tmp/counts.12")), Some(12));
    }
}
