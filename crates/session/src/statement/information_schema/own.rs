//! What Serval knows itself: its sessions, what its config grants, and variables that are its own.

use serval_catalog::{Catalog, SchemaAccess};
use serval_remote::Backend;

use super::Source;
use super::literals;
use super::source::name;
use crate::answer::Row;
use crate::session::Session;

/// What ALL PRIVILEGES on a schema are.
const PRIVILEGES: [&str; 18] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];

/// PROCESSLIST: the user's sessions on this proxy.
pub(super) fn sessions<B: Backend>(session: &Session<B>, source: &Source<'_>) -> String {
    let others = session.proxy.sessions.snapshots(true);
    let rows = others.into_iter().filter(|other| other.user == session.user).map(|other| {
        let host = other.peer.map_or_else(|| "localhost".to_owned(), |peer| peer.to_string());
        row(source, |column| {
            Some(match column {
                "ID" => other.id.to_string(),
                "USER" => other.user.clone(),
                "HOST" => host.clone(),
                "DB" => return other.schema.clone(),
                "COMMAND" => other.command.to_string(),
                "TIME" => other.time.as_secs().to_string(),
                "TIME_MS" => other.time.as_millis().to_string(),
                "STATE" => String::new(),
                "INFO" | "INFO_BINARY" => return other.info.clone(),
                "EXECUTION_ENGINE" => "PRIMARY".to_owned(),
                "QUERY_ID" | "TID" | "STAGE" | "MAX_STAGE" | "PROGRESS" | "MEMORY_USED"
                | "MAX_MEMORY_USED" | "EXAMINED_ROWS" | "SENT_ROWS" => "0".to_owned(),
                _ => return None,
            })
        })
    });
    with_rows(source, &rows.collect::<Vec<_>>())
}

/// USER_PRIVILEGES and SCHEMA_PRIVILEGES, as SHOW GRANTS has them.
pub(super) fn grants<B: Backend>(session: &Session<B>, catalog: &Catalog, source: &Source<'_>) -> String {
    let access = catalog.users.get(&session.user).map(|user| &user.schemas);
    let grantee = format!("'{}'@'%'", session.user);
    let of_user = source.shape.name == "USER_PRIVILEGES";
    let granted: Vec<(&str, &str)> = match access {
        Some(SchemaAccess::All) if of_user => PRIVILEGES.map(|privilege| ("", privilege)).to_vec(),
        Some(SchemaAccess::Only(_)) if of_user => vec![("", "USAGE")],
        Some(SchemaAccess::Only(names)) => {
            let names = names.iter().map(|name| catalog.schema(name).map_or(&**name, |schema| &*schema.name));
            names.flat_map(|name| PRIVILEGES.map(|privilege| (name, privilege))).collect()
        }
        _ => Vec::new(),
    };
    let rows = granted.into_iter().map(|(schema, privilege)| {
        row(source, |column| {
            Some(match column {
                "GRANTEE" => grantee.clone(),
                "TABLE_CATALOG" => "def".to_owned(),
                "TABLE_SCHEMA" => schema.to_owned(),
                "PRIVILEGE_TYPE" => privilege.to_owned(),
                "IS_GRANTABLE" => "NO".to_owned(),
                _ => return None,
            })
        })
    });
    with_rows(source, &rows.collect::<Vec<_>>())
}

/// Variables that are the proxy's own, in upper case.
pub(super) fn variables<B: Backend>(session: &Session<B>) -> Vec<(&'static str, String)> {
    let settings = &session.proxy.catalog.load().settings;
    vec![
        ("VERSION", session.proxy.server_version().to_owned()),
        ("VERSION_COMMENT", "Serval".to_owned()),
        ("HOSTNAME", "serval".to_owned()),
        ("PORT", settings.listen.mysql.port().to_string()),
        ("MAX_CONNECTIONS", settings.max_connections.to_string()),
        ("THREADS_CONNECTED", session.proxy.sessions.len().to_string()),
        ("UPTIME", session.proxy.uptime().as_secs().to_string()),
    ]
}

fn row(source: &Source<'_>, cell: impl Fn(&str) -> Option<String>) -> Row {
    let cell = |column| cell(&name(column).to_ascii_uppercase()).map(String::into_bytes);
    source.columns.iter().map(cell).collect()
}

fn with_rows(source: &Source<'_>, rows: &[Row]) -> String {
    source.none() + &literals::rows(&source.columns, rows)
}
