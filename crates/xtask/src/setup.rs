//! What the tests, the demo and the benchmark need from the machine. Only what is missing is installed, and it is named
//! first. The servers' core packages are enough: they bring the programs without starting a service on port 3306.

use crate::step::{self, Outcome};

/// Something that must be there, and the Debian package that brings it.
struct Need {
    what: &'static str,
    package: &'static str,
    present: fn() -> bool,
}

const SERVERS: [Need; 2] = [
    Need { what: "MariaDB server", package: "mariadb-server-core", present: has_server },
    Need { what: "mariadb client", package: "mariadb-client", present: || step::installed("mariadb") },
];

/// jemalloc's build calls make.
const BUILD: [Need; 1] = [Need { what: "make", package: "make", present: || step::installed("make") }];

const TESTS: [Need; 2] = [
    Need { what: "sysbench", package: "sysbench", present: || step::installed("sysbench") },
    Need { what: "PyMySQL", package: "python3-pymysql", present: has_pymysql },
];

const BENCHMARK: [Need; 2] = [
    Need { what: "sysbench", package: "sysbench", present: || step::installed("sysbench") },
    Need { what: "HAProxy", package: "haproxy", present: || step::installed("haproxy") },
];

/// Everything that `cargo xtask test` uses.
pub(crate) fn for_tests() -> Outcome {
    install(BUILD.iter().chain(&SERVERS).chain(&TESTS))
}

/// Everything that the demo uses.
pub(crate) fn for_demo() -> Outcome {
    install(BUILD.iter().chain(&SERVERS))
}

/// Everything that the benchmark uses.
pub(crate) fn for_benchmark() -> Outcome {
    install(BUILD.iter().chain(&SERVERS).chain(&BENCHMARK))
}

/// Installs Debian packages by name.
pub(crate) fn install_packages(packages: &[&str]) -> Outcome {
    if !step::installed("apt-get") {
        return Err(format!(
            "this machine has no apt-get; install the equivalents of: {}",
            packages.join(" ")
        ));
    }
    step::run(step::as_root("apt-get", ["update", "-qq"]))?;
    let options = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "-qq", "--no-install-recommends"];
    let mut command = step::as_root("env", ["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command.args(options).args(packages);
    step::run(command)
}

fn install<'a>(needs: impl Iterator<Item = &'a Need>) -> Outcome {
    let missing: Vec<&Need> = needs.filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(|need| format!("{} ({})", need.what, need.package)).collect();
    println!("Missing on this machine: {}. Installing with apt-get.", names.join(", "));
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install_packages(&packages)?;
    match missing.iter().find(|need| !(need.present)()) {
        None => Ok(()),
        Some(need) => Err(format!("{} is still missing after installing {}", need.what, need.package)),
    }
}

fn has_server() -> bool {
    step::installed("mariadbd") && step::installed("mariadb-install-db")
}

/// Debian's own Python, not one that comes first in PATH.
fn has_pymysql() -> bool {
    step::succeeds(step::program("/usr/bin/python3", ["-c", "import pymysql"]))
}
