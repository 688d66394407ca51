//! The console's statements, one file each.

mod check_global;
mod check_rows;
mod check_schema;
mod dry_run;
mod help;
mod kill_connection;
mod periods;
mod reload_config;
mod repair_global;
mod resolve_transaction;
mod rollback_config;
mod scope;
mod select;
mod show_backend;
mod show_cache;
mod show_config;
mod show_connection;
mod show_database;
mod show_datanode;
mod show_datasource;
mod show_ddl;
mod show_time;
mod show_transaction;
mod show_version;
mod wishes;

use serval_remote::{Backend, EngineStatus};
use serval_session::Answer;
use serval_types::{ErrorCode, MysqlError};

use crate::console::Reply;
use crate::{Admin, Control};
use scope::Tables;

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
    ("show @@ddl", "Definitions that are running, and how many of their physical tables are done"),
    (
        "show @@periods [where schema = ? [and table = ?]]",
        "Tables of rules that go on with the clock: which are there, missing or expired",
    ),
    (
        "dry run @@periods [where schema = ? [and table = ?]]",
        "What would be created and dropped of these now",
    ),
    ("show @@cache", "The plan cache"),
    ("show @@help", "This list"),
    ("kill @@connection id[,id…]", "Ends clients' connections"),
    ("resolve transaction 'name' commit|rollback", "Decides a transaction in doubt by hand"),
    (
        "reload @@config [force]",
        "Reads the config again and puts it into effect, if all of it is right and no row would be stranded",
    ),
    ("rollback @@config [to N] [force]", "Puts an older version of the config into effect"),
    ("dry run @@config [N]", "What a reload, or a rollback to N, would change and send elsewhere"),
    ("show @@config.versions", "Versions of the config: when, by whom and how"),
    ("show @@config.version [N]", "The text of a version, without its secrets"),
    (
        "show @@config.diff N [M]",
        "What is different between two versions, or between one and the running one",
    ),
    (
        "check @@rows [where schema = ? [and table = ?]] [limit N]",
        "Rows that lie where their rule would not put them",
    ),
    (
        "check @@schema [where schema = ? [and table = ?]]",
        "Tables that do not look alike on all their nodes, and what would make them",
    ),
    (
        "check @@global [where schema = ? [and table = ?]]",
        "Whether the copies of global tables hold the same rows",
    ),
    (
        "repair @@global where schema = ? and table = ? [from node] [dry run]",
        "Makes the copies of a global table equal to those of a node, or of most",
    ),
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
    if let Some(reply) = upkeep(admin, &text, user).await {
        return reply;
    }
    if let Some(wish) = wishes::parse(&text) {
        return wishes::run(&admin.control, wish, user).await.map(Reply::Rows);
    }
    match &*text {
        _ if text.starts_with("select ") => {
            Ok(Reply::Rows(select::run(sql, admin.proxy.server_version(), user)))
        }
        // What clients say at connect and leave: character sets, autocommit, transactions.
        "commit" | "rollback" | "begin" => Ok(Reply::Done(0)),
        _ if text.starts_with("set ") || text.starts_with("use ") => Ok(Reply::Done(0)),
        _ => Err(unknown(sql)),
    }
}

/// What looks at the servers' tables; `None` where the text is none of that.
async fn upkeep<B, C>(admin: &Admin<B, C>, text: &str, user: &str) -> Option<Result<Reply, MysqlError>>
where
    B: Backend,
    C: Control,
{
    let after = |prefix: &str| text.strip_prefix(prefix).and_then(Tables::parse);
    if let Some((tables, rest)) = after("check @@schema")
        && rest.is_empty()
    {
        return Some(Ok(Reply::Rows(check_schema::run(&admin.proxy, &tables).await)));
    }
    if let Some((tables, rest)) = after("check @@global")
        && rest.is_empty()
    {
        return Some(Ok(Reply::Rows(check_global::run(&admin.proxy, &tables).await)));
    }
    if let Some((tables, rest)) = after("show @@periods")
        && rest.is_empty()
    {
        return Some(Ok(Reply::Rows(periods::show(&admin.proxy, &tables).await)));
    }
    if let Some((tables, rest)) = after("dry run @@periods")
        && rest.is_empty()
    {
        return Some(Ok(Reply::Rows(periods::dry_run(&admin.proxy, &tables).await)));
    }
    let (tables, rest) = after("repair @@global")?;
    let wanted = repair_global::wanted(&rest)?;
    Some(repair_global::run(&admin.proxy, &tables, &wanted, user).await.map(Reply::Rows))
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
        "show @@datasource" => show_datasource::rows(&(admin.statistics)(), &engines(admin)),
        "show @@backend" => show_backend::rows(&(admin.statistics)()),
        "show @@connection" | "show @@processlist" | "show processlist" => {
            show_connection::rows(&proxy.sessions.snapshots(true), &proxy.catalog.load(), false)
        }
        "show @@session" => {
            show_connection::rows(&proxy.sessions.snapshots(true), &proxy.catalog.load(), true)
        }
        "show @@transaction" | "show transactions in doubt" => show_transaction::rows(proxy),
        "show @@ddl" => show_ddl::rows(&proxy.sessions.snapshots(true)),
        "show @@cache" => show_cache::rows(proxy.planner.cached(), &proxy.catalog.load()),
        "show @@help" | "help" | "show help" => help::rows(STATEMENTS),
        "show databases" | "show tables" => Answer::of_text(&["Database"]),
        "show warnings" => Answer::of_text(&["Level", "Code", "Message"]),
        _ => return None,
    })
}

fn engines<B: Backend, C: Control>(admin: &Admin<B, C>) -> Vec<EngineStatus> {
    admin.proxy.backend.engines().map(|engines| engines.statistics()).unwrap_or_default()
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
