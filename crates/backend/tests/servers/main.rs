//! Connections, pools and health against real servers: MariaDB, or what `SERVAL_FLAVOUR` names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod health;
mod prepared;
mod sessions;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_backend::{ServerConnection, Servers, Timing};
use serval_catalog::{Address, Group, Role, Secret, Server, ServerTls, Settings};
use serval_remote::{Access, Backend, Connection, RemoteError, Request, SessionState};
use serval_testkit::{Cluster, ClusterSpec, Flavour};
use serval_types::GroupId;
use serval_wire::response::{Part, PartDecoder};
use serval_wire::text_row;
use tokio_util::sync::CancellationToken;

/// One group with so many replicas, and further options for its servers.
async fn cluster(replicas: usize, options: &[&str]) -> Cluster {
    let mut spec = ClusterSpec::new(Flavour::from_env(), 1, replicas);
    spec.options = options.iter().map(|&option| option.to_owned()).collect();
    Cluster::start(spec).await.unwrap()
}

fn group(cluster: &Cluster, max_connections: usize) -> Group {
    let server = |(index, server): (usize, &serval_testkit::Server)| Server {
        name: server.name().to_owned(),
        address: Address::Tcp { host: "127.0.0.1".to_owned(), port: server.port() },
        role: if index == 0 { Role::Primary } else { Role::Replica },
        weight: 1,
    };
    Group {
        id: GroupId(0),
        name: "g0".to_owned(),
        servers: cluster.servers().enumerate().map(server).collect(),
        user: cluster.backend_user().to_owned(),
        password: Secret::new(cluster.backend_password()),
        max_connections,
        lag_limit: Some(Duration::from_secs(5)),
        tls: ServerTls::default(),
        xa: true,
    }
}

fn start(group: Group) -> Arc<Servers> {
    let timing = Timing { probe_interval: Duration::from_millis(200), ..Timing::default() };
    Servers::start_with(&[group], &Settings::default(), timing, CancellationToken::new())
}

async fn acquire(servers: &Servers, access: Access) -> Result<ServerConnection, RemoteError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    servers.acquire(GroupId(0), access, &SessionState::default(), deadline).await
}

fn plain<'a>(sql: &'a str, state: &'a SessionState) -> Request<'a> {
    Request { database: None, state, begin: None, sql: sql.as_bytes(), execution: None }
}

/// The rows of an answer as text, cells separated by `|`; an error as its number.
async fn ask(connection: &mut ServerConnection, request: &Request<'_>) -> Result<Vec<String>, RemoteError> {
    connection.send(request).await?;
    let mut decoder = PartDecoder::new(true);
    loop {
        let burst = connection.read_burst().await?;
        decoder.push(burst.bytes.freeze());
        if burst.completion.is_some() {
            break;
        }
    }
    let mut rows = Vec::new();
    while let Some(part) = decoder.next().unwrap() {
        match part {
            Part::Row(payload) => {
                let text = |cell: Option<&[u8]>| {
                    cell.map_or("NULL".into(), |cell| String::from_utf8_lossy(cell).into_owned())
                };
                rows.push(
                    text_row::cells(&payload).map(|cell| text(cell.unwrap())).collect::<Vec<_>>().join("|"),
                );
            }
            Part::Err(error) => rows.push(format!("error {}", error.number)),
            _ => {}
        }
    }
    Ok(rows)
}

/// Tries again until it holds, for ten seconds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
