//! Plain connections to single servers, for the commands that look at them without a proxy in between.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Row, Value};
use serval_catalog::{Address, Group, Server};

/// How long a server may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to one server, with the group's user.
pub async fn connect(group: &Group, server: &Server) -> Result<Conn, String> {
    let options = OptsBuilder::default()
        .user(Some(group.user.clone()))
        .pass(Some(group.password.reveal().to_owned()))
        .prefer_socket(Some(false))
        .stmt_cache_size(Some(0));
    let options = match &server.address {
        Address::Tcp { host, port } => options.ip_or_hostname(host.clone()).tcp_port(*port),
        Address::Unix(path) => options.socket(Some(path.display().to_string())),
    };
    match tokio::time::timeout(PATIENCE, Conn::new(options)).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The rows of a query, each cell as text.
pub async fn rows(conn: &mut Conn, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    let rows: Vec<Row> = match tokio::time::timeout(PATIENCE, conn.query(sql)).await {
        Ok(rows) => rows.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect())
}

/// The first cell of the first row.
pub async fn value(conn: &mut Conn, sql: &str) -> Result<Option<String>, String> {
    Ok(rows(conn, sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
}

/// COM_QUERY answers in text, so every value that is not NULL is bytes.
fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true)),
    }
}
