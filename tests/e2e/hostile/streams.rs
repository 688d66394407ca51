//! Streams that never end, come too slowly, or are not read.

use std::time::{Duration, Instant};

use serval_tests::raw::{RAW_USER_TOML, RawClient, Reaction};
use serval_tests::{Limits, Topology, World, eventually};

use super::bystander::Bystander;
use super::resident_kilobytes;
use crate::limits::running;

async fn world(schema: &str, max_packet: &'static str) -> World {
    let limits = Limits { max_packet, ..Limits::default() };
    World::with(Topology { limits, more: RAW_USER_TOML.to_owned(), ..Topology::new(schema) }).await
}

/// Frames of 16 MiB - 1, each of which says that another follows.
#[tokio::test]
async fn frames_without_end_are_cut_off_at_the_limit() {
    let mut world = world("hostile_frames", "20MB").await;
    let bystander = Bystander::start(&world).await;
    let before = resident_kilobytes(world.serval.pid());
    let frame = vec![b'x'; 0xff_ffff];
    for _ in 0..2 {
        let mut client = RawClient::login(world.serval.ports().mysql(), &world.schema).await;
        for sequence in 0..4 {
            client.send_bytes(&[0xff, 0xff, 0xff, sequence]).await;
            client.send_bytes(&frame).await;
        }
        // The error is lost where the kernel resets the connection while the client still sends.
        assert!(!matches!(client.reaction().await, Reaction::Answer(_)));
    }
    bystander.noticed_nothing().await;
    assert!(world.serval.is_running());
    // The limit and the frame that crosses it, of each client.
    let grown = resident_kilobytes(world.serval.pid()).saturating_sub(before);
    assert!(grown < 2 * 36 * 1024, "the proxy grew by {grown} kB");
    eventually("the memory comes back", Duration::from_secs(30), || async {
        resident_kilobytes(world.serval.pid()).saturating_sub(before) < 30_000
    })
    .await;
}

/// Many clients that announce a large packet and send a byte of it now and then hold no memory, and those that do not
/// finish their handshake do not stay.
#[tokio::test]
async fn slow_writers_cost_nothing() {
    let mut world = world("hostile_slow", "64MB").await;
    let bystander = Bystander::start(&world).await;
    let before = resident_kilobytes(world.serval.pid());
    let port = world.serval.ports().mysql();
    let mut handshakes = Vec::new();
    let mut commands = Vec::new();
    for _ in 0..100 {
        handshakes.push(RawClient::connect(port).await);
        commands.push(RawClient::login(port, &world.schema).await);
    }
    for client in &mut commands {
        client.send_bytes(&[0xff, 0xff, 0xff, 0, 3]).await;
    }
    let response = serval_tests::raw::response(&world.schema);
    let header = [u8::try_from(response.len()).expect("short"), 0, 0, 1];
    let begun = Instant::now();
    for byte in header.iter().chain(&response).take(24) {
        for client in handshakes.iter_mut().chain(&mut commands) {
            client.send_bytes(&[*byte]).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let grown = resident_kilobytes(world.serval.pid()).saturating_sub(before);
    assert!(grown < 60_000, "the proxy grew by {grown} kB");
    // A handshake has its time, however often a byte of it comes.
    for client in &mut handshakes {
        assert!(!matches!(client.reaction().await, Reaction::Answer(_)), "a slow handshake goes on");
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    bystander.noticed_nothing().await;
    assert!(world.serval.is_running());
}

/// A client that asks for hundreds of megabytes and reads none of them: the servers wait, the proxy does not fill up.
#[tokio::test]
async fn clients_that_never_read_hold_little() {
    let mut world = world("hostile_unread", "64MB").await;
    let mut owner = world.client().await;
    owner.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, pad MEDIUMTEXT)").await;
    for id in 0..8 {
        owner.must(&format!("INSERT INTO t1 VALUES ({id}, REPEAT('x', 4000000))")).await;
    }
    let bystander = Bystander::start(&world).await;
    let before = resident_kilobytes(world.serval.pid());
    let mut readers = Vec::new();
    // Relayed from one node, merged from four.
    for sql in [
        "SELECT a.* FROM t1 a, t1 b WHERE a.id = 1 AND b.id = 1",
        "SELECT * FROM t1",
        "SELECT * FROM t1 ORDER BY id",
    ] {
        for _ in 0..4 {
            let mut client = RawClient::login(world.serval.ports().mysql(), &world.schema).await;
            client.send(0, &[b"\x03", sql.as_bytes()].concat()).await;
            readers.push(client);
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = resident_kilobytes(world.serval.pid()).saturating_sub(before);
    bystander.noticed_nothing().await;
    // Twelve answers of up to 32 MB; a row of 4 MB at a time has to be held where rows are compared.
    assert!(grown < 200_000, "the proxy grew by {grown} kB");
    drop(readers);
    eventually("nothing is left running", Duration::from_secs(10), || async {
        running(&world, "FROM t1").await == 0
    })
    .await;
    assert!(world.serval.is_running());
}

/// One statement of 5 MB is planned like any other.
#[tokio::test]
async fn a_list_of_five_megabytes_is_answered() {
    let world = world("hostile_list", "64MB").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    let rows: Vec<String> = (0..200).map(|id| format!("({id})")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(","))).await;
    let bystander = Bystander::start(&world).await;
    let before = resident_kilobytes(world.serval.pid());
    let mut list = String::new();
    let mut number = 100;
    while list.len() < 5_000_000 {
        list.push_str(&number.to_string());
        list.push(',');
        number += 1;
    }
    let sql = format!("SELECT COUNT(*) FROM t1 WHERE id IN ({}0)", list);
    assert_eq!(client.value(&sql).await, "101");
    let deep = format!("SELECT COUNT(*) FROM t1 WHERE {}id = 1{}", "(".repeat(10_000), ")".repeat(10_000));
    let answer = client.run(&deep).await;
    assert!(!matches!(answer, serval_tests::Answer::Broken(_)), "{answer:?}");
    for (call, end) in
        [("ABS(", ")"), ("IF(id = 1, 2, ", ")"), ("CASE WHEN id = 1 THEN 2 ELSE ", " END"), ("(SELECT ", ")")]
    {
        for depth in [30, 60, 120, 240, 10_000] {
            let sql = format!("SELECT {}id{} FROM t1", call.repeat(depth), end.repeat(depth));
            let answer = client.run(&sql).await;
            assert!(!matches!(answer, serval_tests::Answer::Broken(_)), "{depth} times {call}: {answer:?}");
        }
    }
    bystander.noticed_nothing().await;
    // What its tree took, some 200 bytes for each byte of the list, is given back within the allocator's ten seconds.
    eventually("the memory comes back", Duration::from_secs(20), || async {
        resident_kilobytes(world.serval.pid()).saturating_sub(before) < 100_000
    })
    .await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "200");
}
