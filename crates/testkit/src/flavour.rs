//! Which server program is run.

/// A kind of server that the testkit can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// MariaDB as the machine's package installs it.
    MariaDb,
    /// MySQL 9.7 from the folder that `cargo xtask mysql` prepares.
    MySql97,
}

impl Flavour {
    /// What `SERVAL_FLAVOUR` asks for: `mysql97`, or MariaDB when it is not set.
    #[must_use]
    pub fn from_env() -> Flavour {
        match std::env::var("SERVAL_FLAVOUR").as_deref() {
            Ok("mysql97" | "mysql") => Flavour::MySql97,
            _ => Flavour::MariaDb,
        }
    }

    /// A name for directories and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Flavour::MariaDb => "mariadb",
            Flavour::MySql97 => "mysql97",
        }
    }

    /// Whether this is MySQL itself.
    #[must_use]
    pub fn is_mysql(self) -> bool {
        self == Flavour::MySql97
    }
}
