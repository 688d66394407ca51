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

const TESTS: [Need; 9] = [
    Need {
        what: "MariaDB's public test suite",
        package: "mariadb-test-data",
        present: || is_there("/usr/share/mysql/mysql-test/main"),
    },
    Need { what: "sysbench", package: "sysbench", present: || step::installed("sysbench") },
    Need { what: "Sphinx", package: "sphinxsearch", present: || step::installed("searchd") },
    Need { what: "PyMySQL", package: "python3-pymysql", present: has_pymysql },
    Need { what: "Python's venv", package: "python3-venv", present: || debian_python("import ensurepip") },
    Need { what: "Python's headers", package: "python3-dev", present: || debian_python(PYTHON_HEADERS) },
    Need { what: "C compiler", package: "gcc", present: || step::installed("cc") },
    Need { what: "pkg-config", package: "pkg-config", present: || step::installed("pkg-config") },
    Need {
        what: "MariaDB's client library",
        package: "libmariadb-dev",
        present: || step::installed("mariadb_config"),
    },
];

/// The clients in other languages, each with its library.
const CLIENTS: [Need; 9] = [
    Need { what: "Node", package: "nodejs", present: || step::installed("node") },
    Need { what: "npm", package: "npm", present: || step::installed("npm") },
    Need { what: "PHP", package: "php-cli", present: || step::installed("php") },
    Need {
        what: "PHP's PDO",
        package: "php-mysql",
        present: || runs("php", ["-r", "new ReflectionClass('PDO') && PDO::MYSQL_ATTR_SSL_CA;"]),
    },
    Need {
        what: "Perl's DBD::mysql",
        package: "libdbd-mysql-perl",
        present: || runs("perl", ["-MDBD::mysql", "-e", "1"]),
    },
    Need {
        what: "Perl's DBD::MariaDB",
        package: "libdbd-mariadb-perl",
        present: || runs("perl", ["-MDBD::MariaDB", "-e", "1"]),
    },
    Need {
        what: "Ruby's mysql2",
        package: "ruby-mysql2",
        present: || runs("/usr/bin/ruby", ["-rmysql2", "-e", "1"]),
    },
    Need {
        what: "Go's driver",
        package: "golang-github-go-sql-driver-mysql-dev",
        present: || is_there("/usr/share/gocode/src/github.com/go-sql-driver/mysql/driver.go"),
    },
    Need {
        what: "Java's connector",
        package: "libmariadb-java",
        present: || is_there("/usr/share/java/mariadb-java-client.jar"),
    },
];

const COMPILERS: [Need; 2] = [
    Need { what: "Go", package: "golang-go", present: || is_there("/usr/bin/go") },
    Need { what: "Java", package: "default-jdk-headless", present: || step::installed("javac") },
];

const PYTHON_HEADERS: &str =
    "import os, sysconfig; open(os.path.join(sysconfig.get_paths()['include'], 'Python.h'))";

const BENCHMARK: [Need; 2] = [
    Need { what: "sysbench", package: "sysbench", present: || step::installed("sysbench") },
    Need { what: "HAProxy", package: "haproxy", present: || step::installed("haproxy") },
];

/// Everything that `cargo xtask test` uses.
pub(crate) fn for_tests() -> Outcome {
    install(BUILD.iter().chain(&SERVERS).chain(&TESTS))
}

/// Everything that `cargo xtask clients` uses and Debian has.
pub(crate) fn for_clients() -> Outcome {
    install(BUILD.iter().chain(&SERVERS).chain(&TESTS).chain(&CLIENTS).chain(&COMPILERS))
}

/// Everything that the demo uses.
pub(crate) fn for_demo() -> Outcome {
    install(BUILD.iter().chain(&SERVERS))
}

/// Everything that the benchmark uses.
pub(crate) fn for_benchmark() -> Outcome {
    install(BUILD.iter().chain(&SERVERS).chain(&BENCHMARK))
}

/// What counts instructions for the benchmark.
pub(crate) fn for_counting() -> Outcome {
    install([Need { what: "valgrind", package: "valgrind", present: || step::installed("valgrind") }].iter())
}

/// What compiles libFuzzer.
pub(crate) fn for_fuzzing() -> Outcome {
    install([Need { what: "C++ compiler", package: "g++", present: || step::installed("c++") }].iter())
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

fn has_pymysql() -> bool {
    debian_python("import pymysql")
}

/// Debian's own Python, not one that comes first in PATH.
fn debian_python(program: &str) -> bool {
    runs("/usr/bin/python3", ["-c", program])
}

fn runs<const N: usize>(name: &str, arguments: [&str; N]) -> bool {
    step::succeeds(step::program(name, arguments))
}

fn is_there(path: &str) -> bool {
    std::path::Path::new(path).exists()
}
