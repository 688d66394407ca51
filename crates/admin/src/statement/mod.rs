//! The console's statements, one file each.

mod help;
mod kill_connection;
mod reload_config;
mod resolve_transaction;
mod select;
mod show_backend;
mod show_cache;
mod show_connection;
mod show_database;
mod show_datanode;
mod show_datasource;
mod show_time;
mod show_transaction;
mod show_version;

use serval_remote::Backend;
use serval_session::Answer;
use serval_types::{ErrorCode, MysqlError};

use crate::console::Reply;
use crate::{Admin, Control};

/// Each statement and what it does, in the order of `show @@help`.
const STATEMENTS: &[(&str, &str)] = &[
    ("show @@version", "The version of Serval and the one that clients see"),
    ("show @@time.current", "The proxy's clock"),
    ("show @@time.startup", "When the proxy was started"),
    ("show @@database", "Schemas as clients see them"),
    ("show @@datanode [where schema = ?]", "Data nodes: which database of which group"),
    ("show @@datasource", "Servers: state, lag and pools"),
    ("show @@backend", "Servers: what has been done on them since the start"),
    ("show @@connection", "Clients and what each is doing"),
    ("show @@session", "Clients with an open transaction, or with connections of servers to themselves"),
    (
        "show @@transaction",
        "Transactions over several groups that are in doubt, and what will become of them",
    ),
    ("show @@cache", "The plan cache"),
    ("show @@help", "This list"),
    ("kill @@connection id[,id…]", "Ends clients' connections"),
    ("resolve transaction 'name' commit|rollback", "Decides a transaction in doubt by hand"),
    ("reload @@config", "Reads the config again and puts it into effect, if all of it is right"),
];

/// Runs one statement.
///
/// # Errors
/// 1064 for what is no statement of the console; otherwise what the statement says.
pub(crate) async fn run<B, C>(admin: &Admin<B, C>, sql: &str, user: &str) -> Result<Reply, MysqlError>
where
    B: Backend,
    C: Control,
{
    let text = normalised(sql);
    if let Some(rows) = show(admin, &text) {
        return Ok(Reply::Rows(rows));
    }
    if let Some(ids) = text.strip_prefix("kill @@connection ") {
        return kill_connection::run(&admin.proxy.sessions, ids, user).map(Reply::Done);
    }
    if let Some(words) = text.strip_prefix("resolve transaction ") {
        return resolve_transaction::run(&admin.proxy, words, user).await.map(Reply::Done);
    }
    match &*text {
        "reload @@config" | "reload @@config_all" => {
            reload_config::run(&admin.control, user).await.map(Reply::Rows)
        }
        _ if text.starts_with("select ") => {
            Ok(Reply::Rows(select::run(sql, admin.proxy.server_version(), user)))
        }
        // What clients say at connect and leave: character sets, autocommit, transactions.
        "commit" | "rollback" | "begin" => Ok(Reply::Done(0)),
        _ if text.starts_with("set ") || text.starts_with("use ") => Ok(Reply::Done(0)),
        _ => Err(unknown(sql)),
    }
}

fn show<B: Backend, C: Control>(admin: &Admin<B, C>, text: &str) -> Option<Answer> {
    let proxy = &admin.proxy;
    if let Some(condition) = text.strip_prefix("show @@datanode where ") {
        let schema = condition.strip_prefix("schema")?.trim_start().strip_prefix('=')?.trim();
        let schema = schema.trim_matches(['\'', '"', '`']);
        return Some(show_datanode::rows(&proxy.catalog.load(), &(admin.statistics)(), Some(schema)));
    }
    Some(match text {
        "show @@version" => show_version::rows(proxy.server_version()),
        "show @@time.current" => show_time::rows(std::time::SystemTime::now()),
        "show @@time.startup" => show_time::rows(admin.started),
        "show @@database" => show_database::rows(&proxy.catalog.load()),
        "show @@datanode" => show_datanode::rows(&proxy.catalog.load(), &(admin.statistics)(), None),
        "show @@datasource" => show_datasource::rows(&(admin.statistics)()),
        "show @@backend" => show_backend::rows(&(admin.statistics)()),
        "show @@connection" | "show @@processlist" | "show processlist" => {
            show_connection::rows(&proxy.sessions.snapshots(true), &proxy.catalog.load(), false)
        }
        "show @@session" => {
            show_connection::rows(&proxy.sessions.snapshots(true), &proxy.catalog.load(), true)
        }
        "show @@transaction" | "show transactions in doubt" => show_transaction::rows(proxy),
        "show @@cache" => show_cache::rows(proxy.planner.cached(), &proxy.catalog.load()),
        "show @@help" | "help" | "show help" => help::rows(STATEMENTS),
        "show databases" | "show tables" => Answer::of_text(&["Database"]),
        "show warnings" => Answer::of_text(&["Level", "Code", "Message"]),
        _ => return None,
    })
}

/// The statement without its end, in lower case, with single spaces.
fn normalised(sql: &str) -> String {
    let words: Vec<&str> = sql.trim().trim_end_matches(';').split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn unknown(sql: &str) -> MysqlError {
    let near: String = sql.trim().chars().take(80).collect();
    MysqlError::new(
        ErrorCode::Syntax,
        format!("The console knows no statement like '{near}'; show @@help lists them"),
    )
}
