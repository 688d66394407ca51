//! Bytes that are not the protocol: an end for that client, nothing for the others.

mod bystander;
mod commands;
mod crowds;
mod files;
mod long;
mod streams;

use std::time::Duration;

use serval_tests::{Limits, Topology, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Connects, reads the greeting, sends `bytes` and reads until the proxy closes the connection.
async fn closed_after(world: &World, bytes: &[u8]) -> Vec<u8> {
    let mut stream =
        TcpStream::connect(("127.0.0.1", world.serval.ports().mysql())).await.expect("a connection");
    let mut greeting = [0; 1024];
    assert!(stream.read(&mut greeting).await.expect("a greeting") > 4);
    // The proxy may close while we still send.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    let _ = end.expect("the proxy closes the connection");
    answer
}

pub(crate) fn resident_kilobytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the proxy runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let limits = Limits { max_packet: "1MB", ..Limits::default() };
    let mut world = World::with(Topology { limits, ..Topology::new("hostile") }).await;
    let mut bystander = world.client().await;
    let before = resident_kilobytes(world.serval.pid());

    closed_after(&world, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    closed_after(&world, &[0; 64]).await;
    closed_after(&world, &[0xff; 4096]).await;
    // A header that announces 16 MiB, then a stream of it.
    let mut large = vec![0xff, 0xff, 0xff, 1];
    large.resize(17 << 20, b'x');
    closed_after(&world, &large).await;
    // A handshake response that ends in the middle of its fields, of every length.
    let response = [
        0x0d, 0xa6, 0x3f, 0x20, 0, 0, 0, 1, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, b'a', 0, 20,
    ];
    for length in 0..=response.len() {
        let mut packet = vec![u8::try_from(length).expect("short"), 0, 0, 1];
        packet.extend(&response[..length]);
        closed_after(&world, &packet).await;
    }

    assert_eq!(bystander.value("SELECT 1").await, "1");
    assert!(world.serval.is_running());
    let grown = resident_kilobytes(world.serval.pid()).saturating_sub(before);
    assert!(grown < 40_000, "the proxy grew by {grown} kB");
}

#[tokio::test]
async fn a_statement_over_the_limit_gets_its_error() {
    let limits = Limits { max_packet: "1MB", ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("hostile_size") }).await;
    let mut client = world.client().await;
    let fits = format!("SELECT LENGTH('{}')", "x".repeat(900_000));
    assert_eq!(client.value(&fits).await, "900000");
    let answer = client.run(&format!("SELECT LENGTH('{}')", "x".repeat(3_000_000))).await;
    // The error is lost where the kernel resets the connection while the client still sends.
    let lost = matches!(answer, serval_tests::Answer::Broken(_));
    assert!(lost || answer.error_number() == 1153, "{answer:?}");
    assert_eq!(world.client().await.value("SELECT 1").await, "1");
}

#[tokio::test]
async fn deep_nesting_is_an_error() {
    let world = World::new("hostile_deep").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    for depth in [10, 100, 10_000, 200_000] {
        let sql = format!("SELECT id FROM t1 WHERE {}id = 1{}", "(".repeat(depth), ")".repeat(depth));
        let answer = client.run(&sql).await;
        assert!(depth > 50 || answer.error_number() == 0, "{answer:?}");
    }
    let list: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    assert!(client.rows(&format!("SELECT id FROM t1 WHERE id IN ({})", list.join(","))).await.is_empty());
    let ors: Vec<String> = (0..3_000).map(|n| format!("id = {n}")).collect();
    let answer = client.run(&format!("SELECT id FROM t1 WHERE {}", ors.join(" OR "))).await;
    assert!(!matches!(answer, serval_tests::Answer::Broken(_)), "{answer:?}");
    assert_eq!(client.value("SELECT 1").await, "1");
}
