//! Writes that take several steps, on their bad days.

use std::time::Duration;

use serval_tests::{Client, Limits, Topology, World, eventually};

use crate::limits::running;

async fn filled(world: &World) -> Client {
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(400))").await;
    client.must("CREATE TABLE t2 (id INT NOT NULL PRIMARY KEY, v VARCHAR(400))").await;
    client.must("CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, v VARCHAR(400))").await;
    client.must("INSERT INTO t1 VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f')").await;
    client
}

/// Runs a statement that waits, and ends it from outside.
async fn killed(world: &World, client: &mut Client, sql: &str) -> u16 {
    let (id, mut other) = (client.id(), world.client().await);
    let (answer, ()) = tokio::join!(client.run(sql), async {
        eventually("the statement runs", Duration::from_secs(10), || async {
            running(world, "SLEEP(").await > 0
        })
        .await;
        other.must(&format!("KILL QUERY {id}")).await;
    });
    answer.error_number()
}

#[tokio::test]
async fn a_statement_that_is_killed_leaves_nothing() {
    let world = World::new("writes_killed").await;
    let mut client = filled(&world).await;
    let sql = "INSERT INTO t2 SELECT id + SLEEP(3), v FROM t1";
    assert_eq!(killed(&world, &mut client, sql).await, 1317);
    assert_eq!(client.value("SELECT COUNT(*) FROM t2").await, "0");
    // Nothing is left open, and nothing locked.
    client.must("INSERT INTO t2 SELECT * FROM t1").await;
    let mut other = world.client().await;
    assert_eq!(other.value("SELECT COUNT(*) FROM t2").await, "6");
    other.must("UPDATE t1 SET v = 'x'").await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_rows_along() {
    let world = World::new("writes_gone").await;
    let mut client = filled(&world).await;
    let sql = "INSERT INTO t2 SELECT id + SLEEP(1), v FROM t1";
    let gone = tokio::time::timeout(Duration::from_millis(500), client.run(sql)).await;
    assert!(gone.is_err());
    drop(client);
    let mut other = world.client().await;
    eventually("the statement ends", Duration::from_secs(10), || async {
        running(&world, "SLEEP(").await == 0
    })
    .await;
    assert_eq!(other.value("SELECT COUNT(*) FROM t2").await, "0");
    other.must("UPDATE t1 SET v = 'x' ORDER BY id LIMIT 3").await;
}

#[tokio::test]
async fn what_does_not_fit_into_memory_is_not_begun() {
    // One more key of the same section.
    let max_packet = "64MB\"\nmemory_per_query = \"1MB";
    let limits = Limits { max_packet, ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("writes_memory") }).await;
    let mut client = filled(&world).await;
    for step in 0..3 {
        let base = 10 + step * 2000;
        let rows: Vec<String> = (base..base + 2000).map(|id| format!("({id}, REPEAT('x', 300))")).collect();
        client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    }
    let answer = client.run("INSERT INTO t2 SELECT * FROM t1").await;
    assert_eq!(answer.error_number(), 3170, "{answer:?}");
    assert!(answer.message().contains("memory_per_query"), "{answer:?}");
    assert_eq!(client.value("SELECT COUNT(*) FROM t2").await, "0");
    // What fits goes in several statements, and counts as one.
    client.must("INSERT INTO t2 SELECT * FROM t1 WHERE id < 2500").await;
    assert_eq!(client.value("SELECT ROW_COUNT()").await, "2496");
    client.must("DELETE FROM t2 ORDER BY id LIMIT 2400").await;
    assert_eq!(client.value("SELECT ROW_COUNT()").await, "2400");
    assert_eq!(client.value("SELECT MIN(id) FROM t2").await, "2404");
}

#[tokio::test]
async fn chosen_rows_are_locked() {
    let world = World::new("writes_locks").await;
    let mut one = filled(&world).await;
    let mut two = world.client().await;
    two.must("SET innodb_lock_wait_timeout = 1").await;
    one.must("BEGIN").await;
    one.must("UPDATE t1 SET v = 'one' ORDER BY id DESC LIMIT 2").await;
    assert_eq!(two.run("UPDATE t1 SET v = 'two' ORDER BY id DESC LIMIT 1").await.error_number(), 1205);
    assert_eq!(two.run("INSERT INTO t2 SELECT * FROM t1").await.error_number(), 1205);
    one.must("ROLLBACK").await;
    two.must("INSERT INTO t2 SELECT * FROM t1").await;
    assert_eq!(two.value("SELECT v FROM t2 WHERE id = 6").await, "f");
}

/// A row that moves is on one shard, whoever asks.
#[tokio::test]
async fn a_moved_row_is_where_it_belongs() {
    let world = World::new("writes_moved").await;
    let mut client = filled(&world).await;
    for (old, new) in [(1, 101), (2, 102), (3, 103), (4, 104), (5, 105), (6, 106)] {
        client.must(&format!("UPDATE t1 SET id = {new} WHERE id = {old}")).await;
        assert_eq!(client.value(&format!("SELECT COUNT(*) FROM t1 WHERE id = {new}")).await, "1");
    }
    let mut count = 0;
    for node in 0..4 {
        count += world.on_node(node, "SELECT id FROM $db.t1 WHERE id > 100").await.len();
    }
    assert_eq!(count, 6);
}

/// A value that no two calls share is the same on every copy.
#[tokio::test]
async fn copies_agree_about_what_was_evaluated() {
    let world = World::new("writes_copies").await;
    let mut client = filled(&world).await;
    client.must("INSERT INTO regions VALUES (1, UUID()), (2, CONCAT(RAND(), '-', CONNECTION_ID()))").await;
    client.must("INSERT INTO regions SELECT id + 10, UUID() FROM t1").await;
    client.must("DELETE FROM regions ORDER BY v LIMIT 1").await;
    let first = world.on_node(0, "SELECT CONCAT(id, v) FROM $db.regions ORDER BY id").await;
    assert_eq!(first.len(), 7);
    for node in 1..4 {
        assert_eq!(world.on_node(node, "SELECT CONCAT(id, v) FROM $db.regions ORDER BY id").await, first);
    }
}
