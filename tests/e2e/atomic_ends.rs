//! Transactions over two groups whose client is killed or goes away; what others see of them; and what is written everywhere.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::ServalProcess;
use serval_tests::{APP, Answer, Client, Topology, World, eventually, make_databases, own_cluster};

use crate::atomic::{QUICK, branches, filled, records};

/// What one session sees of another's rows on both groups, by its isolation level, as on one server.
#[tokio::test]
async fn isolation_levels_hold_on_both_groups() {
    let world = World::new("ends_isolation").await;
    let (mut writer, mut reader) = (world.client().await, world.client().await);
    let [here, there] = filled(&world, &mut writer).await;
    reader.must("SET innodb_lock_wait_timeout = 1").await;
    writer.must("SET innodb_lock_wait_timeout = 1").await;
    // What is seen before anything is written, before it is committed, and after.
    for (level, uncommitted, committed) in
        [("READ UNCOMMITTED", "1", "1"), ("READ COMMITTED", "0", "1"), ("REPEATABLE READ", "0", "0")]
    {
        writer.must("UPDATE t1 SET v = 0").await;
        reader.must(&format!("SET TRANSACTION ISOLATION LEVEL {level}")).await;
        reader.must("BEGIN").await;
        // Of both groups one is first, the other a branch.
        reader.must(&format!("UPDATE t1 SET v = 5 WHERE id = {}", there[1])).await;
        reader.must(&format!("UPDATE t1 SET v = 5 WHERE id = {}", here[1])).await;
        let mut seen = async |expected: &str, when: &str| {
            for id in [&here[0], &there[0]] {
                let value = reader.value(&format!("SELECT v FROM t1 WHERE id = {id}")).await;
                assert_eq!(value, expected, "{level}, {when}");
            }
        };
        seen("0", "before").await;
        writer.must("BEGIN").await;
        writer.must(&format!("UPDATE t1 SET v = 1 WHERE id IN ({}, {})", here[0], there[0])).await;
        seen(uncommitted, "uncommitted").await;
        writer.must("COMMIT").await;
        seen(committed, "committed").await;
        reader.must("ROLLBACK").await;
    }
    // Reads lock.
    reader.must("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await;
    reader.must("BEGIN").await;
    for id in [&here[0], &there[0]] {
        reader.must(&format!("SELECT v FROM t1 WHERE id = {id}")).await;
        let answer = writer.run(&format!("UPDATE t1 SET v = 3 WHERE id = {id}")).await;
        assert_eq!(answer.error_number(), 1205, "{answer:?}");
    }
    reader.must("COMMIT").await;
    // The level was of one transaction.
    reader.must("BEGIN").await;
    reader.must(&format!("SELECT v FROM t1 WHERE id = {}", here[0])).await;
    writer.must(&format!("UPDATE t1 SET v = 3 WHERE id = {}", here[0])).await;
    reader.must("COMMIT").await;
    // READ ONLY holds where the transaction comes later, too.
    reader.must("START TRANSACTION READ ONLY").await;
    for id in [&here[0], &there[0]] {
        reader.must(&format!("SELECT v FROM t1 WHERE id = {id}")).await;
        let answer = reader.run(&format!("UPDATE t1 SET v = 3 WHERE id = {id}")).await;
        assert_eq!(answer.error_number(), 1792, "{answer:?}");
    }
    reader.must("COMMIT").await;
}

/// Before COMMIT: nothing stays, and no lock, on either group.
#[tokio::test]
async fn who_is_killed_or_leaves_before_commit_leaves_nothing() {
    let world = World::new("ends_before").await;
    let mut other = world.client().await;
    filled(&world, &mut other).await;
    other.must("SET innodb_lock_wait_timeout = 8").await;
    for how in ["KILL", "KILL CONNECTION", "KILL QUERY", "leaves", "resets"] {
        let mut client = world.client().await;
        client.must("BEGIN").await;
        client.must("UPDATE t1 SET v = v + 1").await;
        match how {
            "leaves" => drop(client),
            "resets" => client.reconnect().await,
            "KILL QUERY" => {
                // A statement that waits for another's lock on one group: it is undone, the transaction is not.
                let mut waiting = world.client().await;
                waiting.must("BEGIN").await;
                let id = waiting.id();
                let waits = tokio::spawn(async move {
                    let answer = waiting.run("UPDATE t1 SET v = v + 1").await.error_number();
                    (waiting, answer)
                });
                tokio::time::sleep(Duration::from_millis(400)).await;
                other.must(&format!("KILL QUERY {id}")).await;
                let (mut waiting, answer) = waits.await.expect("a client");
                assert_eq!(answer, 1317);
                waiting.must("COMMIT").await;
                client.must("ROLLBACK").await;
            }
            kill => {
                other.must(&format!("{kill} {}", client.id())).await;
                let answer = client.run("COMMIT").await;
                assert!(matches!(answer, Answer::Broken(_)), "{how}: {answer:?}");
            }
        }
        other.must("UPDATE t1 SET v = 0").await;
        assert_eq!(other.value("SELECT SUM(v) FROM t1").await, "0", "{how}");
    }
}

/// While the decision waits: the transaction ends wholly there or wholly gone, whoever is still there to hear of it.
#[tokio::test]
async fn who_is_killed_or_leaves_during_commit() {
    let cluster = own_cluster().await;
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new("ends_during") };
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let connect = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema)));
    let mut other = connect().await;
    other.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    other.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)").await;
    let mut locker = cluster.group(0).primary().connect().await.expect("a connection");
    for (value, how) in (1..).zip(["KILL", "KILL QUERY", "leaves"]) {
        let mut client = connect().await;
        client.must("BEGIN").await;
        client.must(&format!("UPDATE t1 SET v = {value}")).await;
        let id = client.id();
        // The first group takes no writes for a while, so the record has to wait.
        locker.query_drop("FLUSH TABLES WITH READ LOCK").await.expect("a lock");
        let committing = tokio::spawn(async move { client.run("COMMIT").await });
        eventually("the branch is prepared", Duration::from_secs(10), || async {
            branches(&cluster).await.len() == 1
        })
        .await;
        if how == "leaves" {
            committing.abort();
        } else {
            other.must(&format!("{how} {id}")).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        locker.query_drop("UNLOCK TABLES").await.expect("unlocked");
        let told = committing.await.ok().map(|answer| answer.error_number());
        eventually("no branch is left", Duration::from_secs(20), || async {
            branches(&cluster).await.is_empty()
        })
        .await;
        let row = other.rows("SELECT MIN(v), MAX(v) FROM t1").await.remove(0);
        assert_eq!(row[0], row[1], "{how}: half of it, told {told:?}");
        if told == Some(0) {
            assert_eq!(row[0], value.to_string(), "{how}: it was told that it is there");
        }
        // No lock is left either.
        other.must("SET innodb_lock_wait_timeout = 1").await;
        other.must("UPDATE t1 SET v = 0").await;
    }
}

/// The copies of a global table, and a row that moves to another group, are written together or not at all.
#[tokio::test]
async fn global_tables_and_rows_that_move() {
    let world = World::new("ends_global").await;
    let mut client = world.client().await;
    let [here, there] = filled(&world, &mut client).await;
    client.must("CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, name VARCHAR(20))").await;
    let before = records(&world).await;
    client.must("INSERT INTO regions VALUES (1, 'north'), (2, 'south')").await;
    assert_eq!(records(&world).await, before + 1, "one decision for all copies");
    // One of the copies has a row that the others have not: the statement is undone everywhere.
    let second = world.shared.cluster.group(1).primary();
    second.execute("INSERT INTO ends_global_3.regions VALUES (7, 'past')").await.expect("a row");
    let answer = client.run("INSERT INTO regions VALUES (6, 'x'), (7, 'y')").await;
    assert_eq!(answer.error_number(), 1062, "{answer:?}");
    for node in 0..4 {
        let rows = world.on_node(node, "SELECT CONCAT(COUNT(*)) FROM $db.regions WHERE id = 6").await;
        assert_eq!(rows, ["0"], "node {node}");
    }
    second.execute("DELETE FROM ends_global_3.regions WHERE id = 7").await.expect("no row");
    assert_eq!(records(&world).await, before + 1);
    // Beside a sharded table, and undone with it.
    client.must("BEGIN").await;
    client.must("UPDATE regions SET name = 'east' WHERE id = 1").await;
    client.must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", there[0])).await;
    client.must("ROLLBACK").await;
    for node in 0..4 {
        let rows = world.on_node(node, "SELECT name FROM $db.regions WHERE id = 1").await;
        assert_eq!(rows, ["north"], "node {node}");
    }
    // A row that another statement of the same transaction has moved to the other group.
    client.must("BEGIN").await;
    client.must(&format!("DELETE FROM t1 WHERE id = {}", here[0])).await;
    client.must(&format!("UPDATE t1 SET v = 9 WHERE id = {}", there[0])).await;
    client.must("COMMIT").await;
    assert_eq!(records(&world).await, before + 2);
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "19");
}

/// The mode is the schema's, or the session's.
#[tokio::test]
async fn modes_by_schema() {
    let single = World::with(Topology { transaction: "single", ..Topology::new("ends_single") }).await;
    let mut client = single.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let insert = "INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)";
    let refused = client.run(insert).await;
    assert_eq!(refused.error_number(), 1235, "{refused:?}");
    client.must("INSERT INTO t1 VALUES (1, 0)").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "1", "nothing of what was refused is there");
    client.must("SET serval_transaction = 'atomic'").await;
    client.must("DELETE FROM t1").await;
    client.must(insert).await;
    assert_eq!(records(&single).await, 2);

    let effort = World::with(Topology { transaction: "best_effort", ..Topology::new("ends_effort") }).await;
    let mut client = effort.client().await;
    filled(&effort, &mut client).await;
    assert_eq!(records(&effort).await, 0, "each group by itself");
}

/// Inside a statement nodes are locked in one order, so two that write everywhere wait for each other and never lock
/// each other out.
#[tokio::test]
async fn statements_over_all_nodes_lock_in_one_order() {
    let world = World::new("ends_order").await;
    let mut setup = world.client().await;
    let [here, there] = filled(&world, &mut setup).await;
    let statements = [
        "UPDATE t1 SET v = v + 1".to_owned(),
        format!("UPDATE t1 SET v = v + 1 WHERE id IN ({}, {})", there[0], here[0]),
        format!("UPDATE t1 SET v = v + 1 WHERE id IN ({}, {})", here[0], there[0]),
    ];
    let mut workers = Vec::new();
    for sql in statements {
        let mut client = world.client().await;
        workers.push(tokio::spawn(async move {
            for round in 0..30 {
                if round % 2 == 0 {
                    client.must(&sql).await;
                } else {
                    client.must("BEGIN").await;
                    client.must(&sql).await;
                    client.must("COMMIT").await;
                }
            }
        }));
    }
    for worker in workers {
        worker.await.expect("no error");
    }
    assert_eq!(setup.value(&format!("SELECT v FROM t1 WHERE id = {}", here[0])).await, "90");
}
