//! Limits that protect the proxy and its servers.

use std::time::{Duration, Instant};

use serval_tests::{Client, Limits, Topology, World, eventually};

/// How many statements with this text run on the primaries.
pub(crate) async fn running(world: &World, text: &str) -> usize {
    let mut count = 0;
    for group in world.shared.cluster.groups() {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%{text}%' \
             AND id <> CONNECTION_ID()"
        );
        count += group.primary().value::<usize>(&sql).await.expect("the process list").unwrap_or(0);
    }
    count
}

#[tokio::test]
async fn query_timeout_kills_on_the_backend() {
    let limits = Limits { query_timeout: "1s", ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("limit_time") }).await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO t1 VALUES (1), (2), (3), (4), (5), (6)").await;
    for sql in ["SELECT SLEEP(61) FROM t1 WHERE id = 1", "SELECT id, SLEEP(62) FROM t1 ORDER BY id"] {
        let begun = Instant::now();
        let answer = client.run(sql).await;
        assert_eq!(answer.error_number(), 3024, "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    eventually("the statements are killed", Duration::from_secs(5), || async {
        running(&world, "SLEEP(6").await == 0
    })
    .await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "6");
}

#[tokio::test]
async fn too_many_clients_get_1040_and_the_rest_go_on() {
    let limits = Limits { max_connections: 3, ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("limit_clients") }).await;
    let mut clients = Vec::new();
    eventually("three clients fit", Duration::from_secs(5), || async {
        // The readiness probe's connection may still count for a moment.
        Client::try_connect("proxy", world.client_options()).await.is_ok()
    })
    .await;
    for _ in 0..3 {
        clients.push(connect_soon(&world).await);
    }
    let answer = Client::try_connect("proxy", world.client_options()).await.map(drop);
    assert_eq!(answer.expect_err("a fourth").error_number(), 1040);
    for client in &mut clients {
        assert_eq!(client.value("SELECT 1").await, "1");
    }
    clients.pop();
    connect_soon(&world).await;
}

/// Connects as soon as the proxy has noticed that others have left.
async fn connect_soon(world: &World) -> Client {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match Client::try_connect("proxy", world.client_options()).await {
            Ok(client) => return client,
            Err(answer) => assert!(Instant::now() < deadline, "{answer:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn idle_clients_are_disconnected() {
    let limits = Limits { idle_timeout: "1s", ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("limit_idle") }).await;
    let mut client = world.client().await;
    assert_eq!(client.value("SELECT 1").await, "1");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let answer = client.run("SELECT 1").await;
    assert!(matches!(answer, serval_tests::Answer::Broken(_)) || answer.error_number() == 4031, "{answer:?}");
}

#[tokio::test]
async fn kill_ends_a_statement_of_another_client() {
    let world = World::new("limit_kill").await;
    let mut victim = world.client().await;
    victim.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    victim.must("INSERT INTO t1 VALUES (1)").await;
    let id = victim.id();
    let sleeping = tokio::spawn(async move {
        let answer = victim.run("SELECT SLEEP(63) FROM t1 WHERE id = 1").await;
        (victim, answer)
    });
    eventually("the statement runs", Duration::from_secs(5), || async {
        running(&world, "SLEEP(63)").await == 1
    })
    .await;
    world.client().await.must(&format!("KILL QUERY {id}")).await;
    let (mut victim, answer) = sleeping.await.expect("the victim");
    assert!(answer.error_number() == 1317 || answer.rows() == [["1"]], "{answer:?}");
    eventually("it is killed", Duration::from_secs(5), || async { running(&world, "SLEEP(63)").await == 0 })
        .await;
    assert_eq!(victim.value("SELECT 1").await, "1");
}
