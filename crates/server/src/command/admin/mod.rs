//! `serval admin`: a shell on the admin console.

mod shell;
mod table;

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Row};

use super::run::runtime;
use crate::cli::ConfigArgs;
use crate::config_files::ConfigFiles;
use crate::failure::Failure;
use crate::output::say;
use table::{Shape, render};

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The variable that a password is taken from.
const PASSWORD: &str = "SERVAL_ADMIN_PASSWORD";

/// Arguments of `serval admin`.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// Where the config is; it says where the console listens
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Where the console listens; without it the config is asked
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<SocketAddr>,
    /// The console's user; without it the config's only one
    #[arg(short, long)]
    pub user: Option<String>,
    /// A file whose first line is the password; without it SERVAL_ADMIN_PASSWORD is looked at, and then it is asked for
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Run these statements, with `;` between them, and leave
    #[arg(short, long, value_name = "STATEMENTS")]
    pub execute: Option<String>,
}

/// Runs the statements of `-e`, or those that are typed.
pub fn run(args: &AdminArgs) -> Result<(), Failure> {
    let (address, user) = whom(args)?;
    let password = password(args, &user)?;
    let runtime = runtime()?;
    let mut conn = runtime.block_on(connect(address, &user, &password))?;
    match &args.execute {
        Some(statements) => {
            let shape = if std::io::stdout().is_terminal() { Shape::Table } else { Shape::Tabs };
            statements_of(statements).try_for_each(|sql| {
                let (header, rows) = runtime.block_on(ask(&mut conn, sql)).map_err(Failure::other)?;
                say(render(&header, &rows, shape));
                Ok(())
            })
        }
        None => shell::run(&runtime, &mut conn),
    }
}

/// Where the console is, and who logs in.
fn whom(args: &AdminArgs) -> Result<(SocketAddr, String), Failure> {
    if let (Some(address), Some(user)) = (args.address, &args.user) {
        return Ok((address, user.clone()));
    }
    let (catalog, _) = ConfigFiles::read(&args.config.config)?.load_without_secrets()?;
    let address = args.address.or(catalog.settings.listen.admin).ok_or_else(|| {
        Failure::Config(
            "error: the config has no console; add `admin = \"127.0.0.1:9066\"` to [listen]".to_owned(),
        )
    })?;
    let user = match (&args.user, catalog.admin_users.len()) {
        (Some(user), _) => user.clone(),
        (None, 1) => catalog.admin_users.keys().next().cloned().unwrap_or_default(),
        (None, _) => return Err(Failure::other("say who logs in with --user")),
    };
    Ok((reachable(address), user))
}

/// Listening on every address is listening on this machine's own, too.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn password(args: &AdminArgs, user: &str) -> Result<String, Failure> {
    if let Some(path) = &args.password_file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::other(format!("cannot read {}: {error}", path.display())))?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(password);
    }
    rpassword::prompt_password(format!("Password of {user}: "))
        .map_err(|error| Failure::other(format!("no password could be read ({error}); set {PASSWORD}")))
}

async fn connect(address: SocketAddr, user: &str, password: &str) -> Result<Conn, Failure> {
    let options = OptsBuilder::default()
        .ip_or_hostname(address.ip().to_string())
        .tcp_port(address.port())
        .user(Some(user))
        .pass(Some(password))
        .prefer_socket(false)
        .stmt_cache_size(0);
    let connecting = tokio::time::timeout(PATIENCE, Conn::new(options)).await;
    let failed = |reason: String| Failure::other(format!("the console at {address}: {reason}"));
    connecting
        .map_err(|_| failed(format!("no answer within {} s; is the proxy running?", PATIENCE.as_secs())))?
        .map_err(|error| failed(error.to_string()))
}

/// The columns' names and the rows of an answer.
type Answered = (Vec<String>, Vec<Vec<String>>);

/// Runs a statement. A console answers everything as text.
async fn ask(conn: &mut Conn, sql: &str) -> Result<Answered, String> {
    let mut result = conn.query_iter(sql).await.map_err(|error| error.to_string())?;
    let columns = result.columns();
    let header =
        columns.iter().flat_map(|columns| columns.iter()).map(|c| c.name_str().into_owned()).collect();
    let rows: Vec<Row> = result.collect().await.map_err(|error| error.to_string())?;
    let text = |value: mysql_async::Value| match value {
        mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true),
    };
    Ok((header, rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()))
}

/// The statements of a text. No statement of the console has a `;` inside.
fn statements_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|sql| !sql.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_all_is_reached_at_this_machine() {
        assert_eq!(reachable("0.0.0.0:9066".parse().unwrap()).to_string(), "127.0.0.1:9066");
        assert_eq!(reachable("[::]:9066".parse().unwrap()).to_string(), "[::1]:9066");
        assert_eq!(reachable("10.0.0.1:9066".parse().unwrap()).to_string(), "10.0.0.1:9066");
    }

    #[test]
    fn statements_are_cut_at_semicolons() {
        let cut: Vec<&str> = statements_of(" show @@help ;; show @@version;\n").collect();
        assert_eq!(cut, ["show @@help", "show @@version"]);
    }
}
