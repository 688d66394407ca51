//! A server's version and flavour, read from its greeting.

/// What MariaDB before 11 puts in front of its version so that old replicas take it for MySQL 5.5.
const MARIADB_PREFIX: &str = "5.5.5-";

/// A version as the handshake names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerVersion {
    /// As `VERSION()` would say it.
    pub(crate) text: String,
    pub(crate) mariadb: bool,
    pub(crate) number: [u16; 3],
}

impl ServerVersion {
    pub(crate) fn parse(announced: &str) -> Self {
        let mariadb = announced.to_ascii_lowercase().contains("mariadb");
        let text =
            if mariadb { announced.strip_prefix(MARIADB_PREFIX).unwrap_or(announced) } else { announced };
        let mut number = [0; 3];
        let digits = text.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default();
        for (slot, part) in number.iter_mut().zip(digits.split('.')) {
            *slot = part.parse().unwrap_or(0);
        }
        Self { text: text.to_owned(), mariadb, number }
    }
}

/// The lowest of some versions, among those of the first one's flavour: a MariaDB client believes other things of
/// a number than a MySQL client does, so the two are never compared.
pub(crate) fn lowest(versions: impl IntoIterator<Item = ServerVersion>) -> Option<ServerVersion> {
    versions.into_iter().reduce(|lowest, version| {
        if version.mariadb == lowest.mariadb && version.number < lowest.number { version } else { lowest }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavours_and_numbers() {
        let maria = ServerVersion::parse("5.5.5-10.11.19-MariaDB-deb12-log");
        assert_eq!(
            (maria.mariadb, maria.number, &*maria.text),
            (true, [10, 11, 19], "10.11.19-MariaDB-deb12-log")
        );
        let mysql = ServerVersion::parse("9.7.4");
        assert_eq!((mysql.mariadb, mysql.number), (false, [9, 7, 4]));
        assert_eq!(ServerVersion::parse("garbage").number, [0, 0, 0]);
    }

    #[test]
    fn the_lowest_keeps_its_flavour() {
        let of = |all: &[&str]| lowest(all.iter().map(|text| ServerVersion::parse(text))).map(|v| v.text);
        assert_eq!(of(&["8.4.1", "8.0.36", "9.0.0"]).as_deref(), Some("8.0.36"));
        assert_eq!(of(&["11.4.2-MariaDB", "8.0.36"]).as_deref(), Some("11.4.2-MariaDB"));
        assert_eq!(of(&[]), None);
    }
}
