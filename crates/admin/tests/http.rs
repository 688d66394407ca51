//! `/healthz` and `/readyz` over a real socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::SystemTime;

use metrics_exporter_prometheus::PrometheusBuilder;
use serval_admin::{Http, serve_http};
use serval_backend::{Health, ServerStatus};
use serval_catalog::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

fn primary(group: &str, health: Health) -> ServerStatus {
    ServerStatus {
        group: group.to_owned(),
        server: format!("{group}/primary"),
        address: "127.0.0.1:3310".parse().unwrap(),
        role: Role::Primary,
        weight: 1,
        health,
        since: SystemTime::UNIX_EPOCH,
        last_error: None,
        lag: None,
        read_only: None,
        version: None,
        max_connections: 1,
        used: 0,
        free: 0,
        opened: 0,
        queries: 0,
        errors: 0,
        lost: 0,
        killed: 0,
        bytes_in: 0,
        bytes_out: 0,
    }
}

async fn get(path: &str, second: Health) -> String {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let statistics = move || vec![primary("g0", Health::Up), primary("g1", second.clone())];
    let http = Http { metrics, statistics: Arc::new(statistics) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve_http(listener, http, shutdown.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    shutdown.cancel();
    server.await.unwrap().unwrap();
    let status = answer.lines().next().unwrap_or_default().to_owned();
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    format!("{status} {body}")
}

#[tokio::test]
async fn the_process_is_alive_whatever_the_servers_are() {
    let down = Health::Down { error: "x".to_owned() };
    assert_eq!(get("/healthz", down).await, "HTTP/1.1 200 OK ok\n");
}

#[tokio::test]
async fn readiness_needs_every_primary() {
    let up = get("/readyz", Health::Up).await;
    assert_eq!(up, r#"HTTP/1.1 200 OK {"ready":true,"groups":{"g0":"up","g1":"up"}}"#);
    let down = get("/readyz", Health::Down { error: "x".to_owned() }).await;
    assert_eq!(down, r#"HTTP/1.1 503 Service Unavailable {"ready":false,"groups":{"g0":"up","g1":"down"}}"#);
}

#[tokio::test]
async fn metrics_are_text() {
    assert!(get("/metrics", Health::Up).await.starts_with("HTTP/1.1 200 OK"));
}
