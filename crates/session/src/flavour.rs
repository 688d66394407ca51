//! MariaDB or MySQL: where a session has to name things that the two name differently.

use serval_sql::ServerKind;
use serval_types::{ErrorCode, MysqlError};

/// What MariaDB 10 puts before its version in the greeting, for replicas that could not read two digits.
const OLD_PREFIX: &str = "5.5.5-";

/// What kind of server clients believe they talk to, and the backends are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flavour {
    mariadb: bool,
    /// Major and minor version.
    version: (u16, u16),
}

impl Flavour {
    /// MariaDB 10.11.
    pub const MARIADB: Self = Self { mariadb: true, version: (10, 11) };
    /// MySQL 8.4.
    pub const MYSQL: Self = Self { mariadb: false, version: (8, 4) };

    /// The flavour that a version text names: MariaDB's contain its name.
    #[must_use]
    pub fn of_version(text: &str) -> Self {
        let text = text.strip_prefix(OLD_PREFIX).unwrap_or(text);
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Self { mariadb: text.to_ascii_lowercase().contains("mariadb"), version }
    }

    /// What a server of this version greets with. Clients that take MariaDB's number for MySQL's rely on the prefix.
    #[must_use]
    pub(crate) fn greeting(self, version: &str) -> String {
        let prefixed = self.mariadb && self.version.0 == 10 && !version.starts_with(OLD_PREFIX);
        if prefixed { format!("{OLD_PREFIX}{version}") } else { version.to_owned() }
    }

    /// The error as a server of this flavour words it. Serval's own parser speaks of MySQL.
    #[must_use]
    pub(crate) fn worded(self, error: MysqlError) -> MysqlError {
        if !self.mariadb || error.number != ErrorCode::Syntax.number() {
            return error;
        }
        let message = error.message.replacen("your MySQL server version", "your MariaDB server version", 1);
        MysqlError { message, ..error }
    }

    /// Whether it is MariaDB.
    #[must_use]
    pub fn is_mariadb(self) -> bool {
        self.mariadb
    }

    /// The kind of server for whoever reads SQL.
    #[must_use]
    pub fn server_kind(self) -> ServerKind {
        let (major, minor) = self.version;
        // The third number is not known here. Version comments that ask for a patch level of this very series are rare;
        // all others are decided by the first two.
        ServerKind { mariadb: self.mariadb, version: u32::from(major) * 10_000 + u32::from(minor) * 100 + 99 }
    }

    /// The session variable of the isolation level.
    #[must_use]
    pub fn isolation_variable(self) -> &'static str {
        if self.old_transaction_names() { "tx_isolation" } else { "transaction_isolation" }
    }

    /// The session variable of READ ONLY.
    #[must_use]
    pub fn read_only_variable(self) -> &'static str {
        if self.old_transaction_names() { "tx_read_only" } else { "transaction_read_only" }
    }

    fn old_transaction_names(self) -> bool {
        if self.mariadb { self.version < (11, 1) } else { self.version < (5, 8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(Flavour::of_version("5.5.5-10.11.6-MariaDB-log"), Flavour::MARIADB);
        assert_eq!(Flavour::of_version("8.4.0"), Flavour::MYSQL);
        assert_eq!(Flavour::of_version("11.8.2-MariaDB").isolation_variable(), "transaction_isolation");
    }

    #[test]
    fn greetings_are_those_of_servers() {
        let greeting = |version: &str| Flavour::of_version(version).greeting(version);
        assert_eq!(greeting("10.11.6-MariaDB"), "5.5.5-10.11.6-MariaDB");
        assert_eq!(greeting("5.5.5-10.6.1-MariaDB"), "5.5.5-10.6.1-MariaDB");
        assert_eq!(greeting("11.8.2-MariaDB"), "11.8.2-MariaDB");
        assert_eq!(greeting("8.0.36-Serval"), "8.0.36-Serval");
    }

    #[test]
    fn transaction_variables_differ() {
        assert_eq!(Flavour::MARIADB.isolation_variable(), "tx_isolation");
        assert_eq!(Flavour::MYSQL.isolation_variable(), "transaction_isolation");
    }
}
