//! The scenarios and the programs that run them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serval_testkit::Flavour;

/// One client's scenario.
#[derive(Debug)]
pub struct Scenario {
    /// As `cargo xtask clients NAME` calls it.
    pub name: &'static str,
    /// The file in `tests/clients/`.
    file: &'static str,
    language: Language,
    /// What `CLIENT_VARIANT` says to a file that serves several clients.
    variant: &'static str,
    /// Whether `cargo xtask test` runs it too.
    pub quick: bool,
    /// Whether it can log in to MariaDB. One that cannot has only the proxy to talk to where the servers are that.
    knows_mariadb: bool,
}

/// What runs a scenario's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Shell,
    /// With the packages of `python/requirements.txt`.
    Python,
    /// With the packages of `node/package.json`.
    Node,
    Php,
    Perl,
    Ruby,
    /// With Debian's library packages.
    Go,
    /// With Debian's MariaDB Connector/J.
    Java,
}

use Language::{Go, Java, Node, Perl, Php, Python, Ruby, Shell};

const fn quick(name: &'static str, file: &'static str, language: Language) -> Scenario {
    Scenario { name, file, language, variant: "", quick: true, knows_mariadb: true }
}

const fn slow(name: &'static str, file: &'static str, language: Language) -> Scenario {
    Scenario { name, file, language, variant: "", quick: false, knows_mariadb: true }
}

/// All scenarios.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { variant: "mariadb", ..quick("mariadb", "command_line.sh", Shell) },
    // MySQL 9 has given up mysql_native_password, and MariaDB 10.11 does not have what took its place.
    Scenario { variant: "mysql", knows_mariadb: false, ..quick("mysql", "command_line.sh", Shell) },
    quick("mariadb-dump", "dump.sh", Shell),
    slow("sysbench", "sysbench.sh", Shell),
    quick("pymysql", "python/pymysql_driver.py", Python),
    quick("mysqlclient", "python/mysqlclient_driver.py", Python),
    Scenario { variant: "pure", ..quick("connector-pure", "python/connector.py", Python) },
    Scenario { variant: "c", ..quick("connector-c", "python/connector.py", Python) },
    quick("asyncmy", "python/asyncmy_driver.py", Python),
    quick("sqlalchemy", "python/sqlalchemy_orm.py", Python),
    quick("django", "python/django_app.py", Python),
    slow("node-mysql2", "node/mysql2.js", Node),
    slow("node-mariadb", "node/mariadb.js", Node),
    slow("sequelize", "node/sequelize.js", Node),
    slow("php-pdo", "pdo.php", Php),
    Scenario { variant: "mysql", ..slow("perl-dbd-mysql", "dbd.pl", Perl) },
    Scenario { variant: "MariaDB", ..slow("perl-dbd-mariadb", "dbd.pl", Perl) },
    slow("ruby-mysql2", "mysql2.rb", Ruby),
    slow("go-sql-driver", "database_sql.go", Go),
    slow("connector-j", "ConnectorJ.java", Java),
];

impl Scenario {
    /// Where the scenarios' files are.
    #[must_use]
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
    }

    /// Whether the client is here; what is missing is said when the scenario is run.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        match self.language {
            Python => installed("python/installed").is_file(),
            Node => installed("node/installed").is_file(),
            Shell => !program(self.variant).is_empty(),
            Php | Perl | Ruby | Go | Java => true,
        }
    }

    /// Whether there is something to compare with.
    pub(super) fn can_run_directly(&self) -> bool {
        self.knows_mariadb || Flavour::from_env().is_mysql()
    }

    /// The program and its arguments, to be started in [`Scenario::folder`].
    pub(super) fn command_line(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = match self.language {
            Shell => vec!["bash".into()],
            Python => vec![installed("python/bin/python").into()],
            Node => vec!["node".into()],
            Php => vec!["php".into()],
            Perl => vec!["perl".into()],
            Ruby => vec!["/usr/bin/ruby".into()],
            Go => vec!["/usr/bin/go".into(), "run".into()],
            Java => vec!["java".into(), "-cp".into(), "/usr/share/java/mariadb-java-client.jar".into()],
        };
        line.push(self.file.into());
        line
    }

    /// What the program's language needs to find its packages.
    pub(super) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut variables: Vec<(&'static str, OsString)> = vec![("CLIENT_VARIANT", self.variant.into())];
        match self.language {
            Node => variables.push(("NODE_PATH", installed("node/node_modules").into())),
            Go => variables.extend([
                ("GO111MODULE", "off".into()),
                ("GOPATH", "/usr/share/gocode".into()),
                ("GOCACHE", installed("go").into()),
            ]),
            Shell => variables.push(("CLIENT_PROGRAM", program(self.variant))),
            _ => {}
        }
        variables
    }
}

/// The command-line client as words: MySQL's own needs its loader before it.
fn program(variant: &str) -> OsString {
    let flavour = if variant == "mysql" { Flavour::MySql97 } else { Flavour::MariaDb };
    let Ok(command) = flavour.client() else { return OsString::new() };
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.collect::<Vec<_>>().join(std::ffi::OsStr::new(" "))
}

/// What `cargo xtask clients` has installed.
fn installed(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    root.join("target/clients").join(path)
}
