//! Clients that leave in the middle.

use std::time::Duration;

use serval_tests::{World, eventually};

use crate::limits::running;

#[tokio::test]
async fn a_client_that_leaves_takes_its_statement_along() {
    let world = World::new("leave_query").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO t1 VALUES (1), (2), (3), (4)").await;
    let sleeping = tokio::spawn(async move { client.run("SELECT SLEEP(64) FROM t1 WHERE id = 1").await });
    eventually("the statement runs", Duration::from_secs(5), || async {
        running(&world, "SLEEP(64)").await == 1
    })
    .await;
    sleeping.abort();
    eventually("it is killed", Duration::from_secs(5), || async { running(&world, "SLEEP(64)").await == 0 })
        .await;
}

#[tokio::test]
async fn a_client_that_leaves_releases_its_locks() {
    let world = World::new("leave_locks").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0)").await;
    client.must("BEGIN").await;
    client.must("UPDATE t1 SET v = 1").await;
    drop(client);
    let mut other = world.client().await;
    other.must("SET innodb_lock_wait_timeout = 5").await;
    other.must("UPDATE t1 SET v = v + 10").await;
    assert_eq!(other.value("SELECT SUM(v) FROM t1").await, "40");
}

/// A client that asks for much and leaves before it has read all of it.
#[tokio::test]
async fn a_client_that_stops_reading_is_no_burden() {
    let world = World::new("leave_rows").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, pad TEXT)").await;
    let rows: Vec<String> = (1..=200).map(|id| format!("({id}, REPEAT('x', 20000))")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    for _ in 0..5 {
        let mut reader = world.client().await;
        let reading = tokio::spawn(async move { reader.run("SELECT * FROM t1 ORDER BY id").await });
        tokio::time::sleep(Duration::from_millis(15)).await;
        reading.abort();
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "200");
    eventually("nothing is left running", Duration::from_secs(5), || async {
        running(&world, "FROM t1 ORDER BY id").await == 0
    })
    .await;
}
