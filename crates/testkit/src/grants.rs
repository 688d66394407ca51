//! The users that every started server has.

use crate::Flavour;

/// The user with which Serval connects to its backends.
pub(crate) const BACKEND_USER: &str = "serval";
/// That user's password.
pub(crate) const BACKEND_PASSWORD: &str = "serval-backend";
/// The user of replication between the servers.
pub(crate) const REPLICATION_USER: &str = "replica";
/// That user's password.
pub(crate) const REPLICATION_PASSWORD: &str = "replica-secret";

/// What the backend user may do, besides what is named differently in MariaDB and MySQL. Nothing here lifts
/// `read_only`, so that a write which reaches a replica fails as it would in production.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER, REFERENCES, CREATE TEMPORARY TABLES, \
     LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, PROCESS, RELOAD, \
     SHOW DATABASES, REPLICATION CLIENT, REPLICATION SLAVE";

/// The statements that make the users; not replicated, because every server gets them.
pub(crate) fn statements(flavour: Flavour) -> Vec<String> {
    let more = match flavour {
        Flavour::MariaDb => ", SLAVE MONITOR",
        Flavour::MySql97 => ", XA_RECOVER_ADMIN",
    };
    vec![
        "SET SESSION sql_log_bin = 0".to_owned(),
        format!("CREATE USER '{BACKEND_USER}'@'%' IDENTIFIED BY '{BACKEND_PASSWORD}'"),
        format!("GRANT {RIGHTS}{more} ON *.* TO '{BACKEND_USER}'@'%'"),
        format!("CREATE USER '{REPLICATION_USER}'@'%' IDENTIFIED BY '{REPLICATION_PASSWORD}'"),
        format!("GRANT REPLICATION SLAVE ON *.* TO '{REPLICATION_USER}'@'%'"),
    ]
}
