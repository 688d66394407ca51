//! Connections and pools against scripted servers: refusals, broken connections, silence, floods.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fake;
mod handshake;
mod pool;
mod preamble;
mod prepared;
mod release;
mod result;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_backend::{ServerConnection, Servers, Timing};
use serval_catalog::{Address, Group, Role, Secret, Server, ServerTls, Settings};
use serval_remote::{Access, Backend, Connection, RemoteError, Request, SessionState};
use serval_types::GroupId;
use serval_wire::response::Completion;
use tokio_util::sync::CancellationToken;

use fake::Fake;

/// A group of fake servers, the first one the primary.
fn group(fakes: &[&Fake], max_connections: usize) -> Group {
    let server = |(index, fake): (usize, &&Fake)| Server {
        name: format!("g0/{index}"),
        address: Address::Tcp { host: fake.address.ip().to_string(), port: fake.address.port() },
        role: if index == 0 { Role::Primary } else { Role::Replica },
        weight: 1,
    };
    Group {
        id: GroupId(0),
        name: "g0".to_owned(),
        servers: fakes.iter().enumerate().map(server).collect(),
        user: "serval".to_owned(),
        password: Secret::new(fake::PASSWORD),
        max_connections,
        lag_limit: None,
        tls: ServerTls::default(),
        xa: true,
    }
}

fn timing() -> Timing {
    Timing {
        probe_interval: Duration::from_millis(100),
        probe: Duration::from_millis(500),
        cleanup: Duration::from_secs(2),
        ..Timing::default()
    }
}

fn start(groups: &[Group]) -> Arc<Servers> {
    start_timed(groups, timing())
}

fn start_timed(groups: &[Group], timing: Timing) -> Arc<Servers> {
    let settings = Settings { connect_timeout: Duration::from_secs(1), ..Settings::default() };
    Servers::start_with(groups, &settings, timing, CancellationToken::new())
}

async fn acquire(servers: &Servers) -> Result<ServerConnection, RemoteError> {
    servers.acquire(GroupId(0), Access::Primary, &SessionState::default(), soon()).await
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(2)
}

fn plain(sql: &str) -> Request<'_> {
    static FRESH: std::sync::LazyLock<SessionState> = std::sync::LazyLock::new(SessionState::default);
    Request { database: None, state: &FRESH, begin: None, sql: sql.as_bytes(), execution: None }
}

/// Sends a statement and reads its answer to the end.
async fn run(connection: &mut ServerConnection, request: &Request<'_>) -> Result<Completion, RemoteError> {
    connection.send(request).await?;
    loop {
        if let Some(completion) = connection.read_burst().await?.completion {
            return Ok(completion);
        }
    }
}
