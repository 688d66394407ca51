//! Plain connections to single servers, for the commands that look at them without a proxy in between.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{ClientIdentity, Conn, DriverError, Error, OptsBuilder, Row, SslOpts, Value};
use serval_catalog::{Address, Group, Pem, Server, TlsMode};

/// How long a server may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to one server, with the group's user and encrypted as the group says.
pub async fn connect(group: &Group, server: &Server) -> Result<Conn, String> {
    let plain = options(group, server);
    let Some(tls) = tls(group) else { return open(plain).await?.map_err(|error| error.to_string()) };
    match open(plain.clone().ssl_opts(Some(tls))).await? {
        Err(Error::Driver(DriverError::NoClientSslFlagFromServer))
            if group.tls.mode == TlsMode::Preferred =>
        {
            open(plain).await?.map_err(|error| error.to_string())
        }
        outcome => outcome.map_err(|error| error.to_string()),
    }
}

async fn open(options: OptsBuilder) -> Result<Result<Conn, Error>, String> {
    let connecting = tokio::time::timeout(PATIENCE, Conn::new(options));
    connecting.await.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))
}

fn options(group: &Group, server: &Server) -> OptsBuilder {
    let options = OptsBuilder::default()
        .user(Some(group.user.clone()))
        .pass(Some(group.password.reveal().to_owned()))
        .prefer_socket(Some(false))
        .stmt_cache_size(Some(0));
    match &server.address {
        Address::Tcp { host, port } => options.ip_or_hostname(host.clone()).tcp_port(*port),
        Address::Unix(path) => options.socket(Some(path.display().to_string())),
    }
}

fn tls(group: &Group) -> Option<SslOpts> {
    let tls = &group.tls;
    let file = |pem: &Pem| pem.text().as_bytes().to_vec().into();
    let identity =
        tls.identity.as_ref().map(|own| ClientIdentity::new(file(&own.certificate), file(&own.key)));
    let options = SslOpts::default()
        .with_client_identity(identity)
        .with_root_certs(tls.authorities.iter().map(file).collect())
        .with_disable_built_in_roots(true);
    match tls.mode {
        TlsMode::Off => None,
        TlsMode::Preferred | TlsMode::Required => Some(options.with_danger_accept_invalid_certs(true)),
        TlsMode::VerifyCa => Some(options.with_danger_skip_domain_validation(true)),
        TlsMode::VerifyIdentity => Some(options),
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
