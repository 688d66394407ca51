//! MariaDB or MySQL: where a session has to name things that the two name differently.

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
        // Old MariaDB servers put a version before their own, for replicas that could not read two digits.
        let text = text.strip_prefix("5.5.5-").unwrap_or(text);
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Self { mariadb: text.to_ascii_lowercase().contains("mariadb"), version }
    }

    /// Whether it is MariaDB.
    #[must_use]
    pub fn is_mariadb(self) -> bool {
        self.mariadb
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
    fn transaction_variables_differ() {
        assert_eq!(Flavour::MARIADB.isolation_variable(), "tx_isolation");
        assert_eq!(Flavour::MYSQL.isolation_variable(), "transaction_isolation");
    }
}
