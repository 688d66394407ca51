//! What a replica says about its replication.
//!
//! MariaDB answers `SHOW ALL SLAVES STATUS`, MySQL `SHOW REPLICA STATUS`; a replica of several sources has a row for
//! each, and is as far behind as the furthest of them.

use std::time::Duration;

use crate::query::Rows;
use crate::version::ServerVersion;

/// How it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replication {
    /// All threads run, and the server is this far behind.
    Running(Duration),
    /// It does not run, or not far enough to tell how far behind it is.
    Stopped(String),
    /// The server is no replica, or does not tell.
    Untold(String),
}

const RUNS: [&[&str]; 2] =
    [&["Slave_IO_Running", "Replica_IO_Running"], &["Slave_SQL_Running", "Replica_SQL_Running"]];
const BEHIND: &[&str] = &["Seconds_Behind_Master", "Seconds_Behind_Source"];
const ERRORS: [&[&str]; 2] = [&["Last_IO_Error"], &["Last_SQL_Error"]];

/// The statement that asks.
pub(crate) fn question(version: &ServerVersion) -> &'static str {
    match version {
        ServerVersion { mariadb: true, .. } => "SHOW ALL SLAVES STATUS",
        ServerVersion { number, .. } if *number >= [8, 0, 22] => "SHOW REPLICA STATUS",
        ServerVersion { .. } => "SHOW SLAVE STATUS",
    }
}

/// What the answer means.
pub(crate) fn judge(rows: &Rows) -> Replication {
    if rows.len() == 0 {
        return Replication::Untold("it is not set up as a replica".to_owned());
    }
    let mut furthest = Duration::ZERO;
    for row in 0..rows.len() {
        for thread in RUNS {
            let state = rows.value(row, thread).unwrap_or("unknown");
            if state != "Yes" {
                return Replication::Stopped(stopped(rows, row, thread[1], state));
            }
        }
        match rows.value(row, BEHIND).and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => furthest = furthest.max(Duration::from_secs(seconds)),
            None => return Replication::Stopped("its lag is unknown".to_owned()),
        }
    }
    Replication::Running(furthest)
}

fn stopped(rows: &Rows, row: usize, thread: &str, state: &str) -> String {
    let errors = ERRORS.iter().filter_map(|names| rows.value(row, names)).filter(|error| !error.is_empty());
    let mut reason = format!("{thread} is {state}");
    for error in errors {
        reason.push_str(": ");
        reason.push_str(error);
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(io: &str, sql: &str, behind: Option<&str>) -> Replication {
        let columns = ["Slave_IO_Running", "Slave_SQL_Running", "Seconds_Behind_Master", "Last_SQL_Error"];
        judge(&Rows::of(&columns, &[&[Some(io), Some(sql), behind, Some("")]]))
    }

    #[test]
    fn only_running_replication_has_a_lag() {
        assert_eq!(status("Yes", "Yes", Some("3")), Replication::Running(Duration::from_secs(3)));
        assert!(matches!(status("Connecting", "Yes", None), Replication::Stopped(_)));
        assert!(matches!(status("Yes", "No", Some("0")), Replication::Stopped(_)));
        assert!(matches!(status("Yes", "Yes", None), Replication::Stopped(_)));
        assert!(matches!(judge(&Rows::of(&[], &[])), Replication::Untold(_)));
    }

    #[test]
    fn the_furthest_source_counts() {
        let columns = ["Replica_IO_Running", "Replica_SQL_Running", "Seconds_Behind_Source"];
        let rows = Rows::of(
            &columns,
            &[&[Some("Yes"), Some("Yes"), Some("1")], &[Some("Yes"), Some("Yes"), Some("9")]],
        );
        assert_eq!(judge(&rows), Replication::Running(Duration::from_secs(9)));
    }

    #[test]
    fn each_flavour_is_asked_in_its_words() {
        assert_eq!(question(&ServerVersion::parse("10.11.19-MariaDB")), "SHOW ALL SLAVES STATUS");
        assert_eq!(question(&ServerVersion::parse("8.0.21")), "SHOW SLAVE STATUS");
        assert_eq!(question(&ServerVersion::parse("9.7.4")), "SHOW REPLICA STATUS");
    }
}
