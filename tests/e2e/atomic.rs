//! Transactions over two groups: all or nothing.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::Cluster;
use serval_tests::{Client, World, get};

use crate::deadlocks::{SOON, say};

/// Recovery that does not let a test wait.
pub(crate) const QUICK: &str = "[recovery]\ninterval = \"500ms\"\npatience = \"1500ms\"\n";

/// The prepared branches on all primaries, Serval's or not: the names of their transactions.
pub(crate) async fn branches(cluster: &Cluster) -> Vec<String> {
    let mut names = Vec::new();
    for group in cluster.groups() {
        let mut conn = group.primary().connect().await.expect("a connection");
        let rows: Vec<(i64, usize, i64, Vec<u8>)> = conn.query("XA RECOVER").await.expect("XA RECOVER");
        let name = |(_, length, _, data): (i64, usize, i64, Vec<u8>)| {
            String::from_utf8_lossy(&data[..length]).into_owned()
        };
        names.extend(rows.into_iter().map(name));
    }
    names
}

/// A table with the rows 1 to 20, and which of them lie on each group.
pub(crate) async fn filled(world: &World, client: &mut Client) -> [Vec<String>; 2] {
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    let mut ids = [Vec::new(), Vec::new()];
    for node in 0..4 {
        ids[node / 2].extend(world.on_node(node, "SELECT id FROM $db.t1").await);
    }
    assert!(ids.iter().all(|ids| ids.len() > 1), "{ids:?}");
    ids
}

/// How many decisions are recorded.
pub(crate) async fn records(world: &World) -> usize {
    let mut records = 0;
    for node in 0..4 {
        let sql = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$db' AND table_name = 'serval_transaction'";
        if world.on_node(node, sql).await == ["1"] {
            let count = world.on_node(node, "SELECT CONCAT(COUNT(*)) FROM $db.serval_transaction").await;
            records += count[0].parse::<usize>().expect("a number");
        }
    }
    records
}

#[tokio::test]
async fn two_groups_commit_together_and_one_costs_nothing() {
    let world = World::new("atomic_two").await;
    let mut client = world.client().await;
    let [here, there] = filled(&world, &mut client).await;
    let before = records(&world).await;
    assert_eq!(before, 1, "the INSERT over both groups was a transaction of its own");

    client.must("BEGIN").await;
    client.must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", here[0])).await;
    client.must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", there[0])).await;
    client.must("COMMIT").await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "2");
    assert_eq!(records(&world).await, before + 1);

    // One group alone; two groups of which one is only read from, in either order; two nodes of one group.
    for statements in [
        vec![format!("UPDATE t1 SET v = 2 WHERE id IN ({})", here.join(", "))],
        vec![
            format!("SELECT v FROM t1 WHERE id = {}", here[0]),
            format!("UPDATE t1 SET v = 3 WHERE id = {}", there[0]),
        ],
        vec![
            format!("UPDATE t1 SET v = 4 WHERE id = {}", there[0]),
            format!("SELECT v FROM t1 WHERE id = {}", here[0]),
        ],
        vec!["SELECT SUM(v) FROM t1".to_owned()],
    ] {
        client.must("BEGIN").await;
        for sql in &statements {
            client.must(sql).await;
        }
        client.must("COMMIT").await;
        assert_eq!(records(&world).await, before + 1, "{statements:?}");
    }
    assert_eq!(client.value(&format!("SELECT v FROM t1 WHERE id = {}", there[0])).await, "4");

    client.must("BEGIN").await;
    client.must("UPDATE t1 SET v = 9").await;
    client.must("ROLLBACK").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1 WHERE v = 9").await, "0");
    // A locking read takes part: its locks hold until the decision.
    client.must("BEGIN").await;
    client.must(&format!("SELECT v FROM t1 WHERE id = {} FOR UPDATE", here[0])).await;
    client.must(&format!("UPDATE t1 SET v = 5 WHERE id = {}", there[0])).await;
    client.must("COMMIT").await;
    assert_eq!(records(&world).await, before + 2);
    assert!(!client.rows("SHOW TABLES").await.iter().flatten().any(|name| name.starts_with("serval_")));
    let metrics = get(world.serval.ports().http(), "/metrics").await.body;
    assert!(metrics.contains("serval_transactions_two_phase_total 3"), "{metrics}");
}

#[tokio::test]
async fn savepoints_and_errors_inside() {
    let world = World::new("atomic_save").await;
    let mut client = world.client().await;
    let [here, there] = filled(&world, &mut client).await;
    client.must("BEGIN").await;
    client.must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", here[0])).await;
    client.must("SAVEPOINT s").await;
    client.must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", there[0])).await;
    client.must(&format!("UPDATE t1 SET v = 7 WHERE id IN ({}, {})", here[1], there[1])).await;
    client.must("ROLLBACK TO SAVEPOINT s").await;
    client.must(&format!("UPDATE t1 SET v = 2 WHERE id = {}", there[0])).await;
    // One row of three is there already: the statement is undone on both groups, the transaction goes on.
    let answer = client
        .run(&format!("INSERT INTO t1 VALUES (101, 1), (102, 1), (103, 1), (104, 1), ({}, 1)", there[1]))
        .await;
    assert_eq!(answer.error_number(), 1062);
    client.must("COMMIT").await;
    let rows = client.rows("SELECT v, COUNT(*) FROM t1 GROUP BY v ORDER BY v").await;
    assert_eq!(rows, [["0", "18"], ["1", "1"], ["2", "1"]]);
    // The same outside: all of the rows or none.
    let answer = client
        .run(&format!("INSERT INTO t1 VALUES (101, 1), (102, 1), (103, 1), (104, 1), ({}, 1)", there[1]))
        .await;
    assert_eq!(answer.error_number(), 1062);
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "20");
}

/// 1205 undoes the statement, 1213 the transaction, on both groups.
#[tokio::test]
async fn lock_waits_and_deadlocks() {
    let world = World::new("atomic_locks").await;
    let (mut one, mut two) = (world.client().await, world.client().await);
    let [here, there] = filled(&world, &mut one).await;
    one.must("BEGIN").await;
    one.must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", there[1])).await;
    two.must("SET innodb_lock_wait_timeout = 1").await;
    two.must("BEGIN").await;
    two.must(&format!("UPDATE t1 SET v = 2 WHERE id = {}", here[0])).await;
    assert_eq!(two.run(&format!("UPDATE t1 SET v = 2 WHERE id = {}", there[1])).await.error_number(), 1205);
    two.must(&format!("UPDATE t1 SET v = 2 WHERE id = {}", there[0])).await;
    // A circle inside one group: that server finds it. The victim is rolled back on both.
    two.must("SET innodb_lock_wait_timeout = 50").await;
    let waits = format!("UPDATE t1 SET v = 1 WHERE id = {}", there[0]);
    let waiting = tokio::spawn(async move {
        let answer = one.run(&waits).await.error_number();
        (one, answer)
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = two.run(&format!("UPDATE t1 SET v = 2 WHERE id = {}", there[1])).await.error_number();
    let (mut one, first) = waiting.await.expect("the first client");
    assert!(matches!((first, second), (1213, 0) | (0, 1213)), "{first} {second}");
    one.must("COMMIT").await;
    two.must("COMMIT").await;
    let expected = if first == 1213 { "2" } else { "1" };
    for id in [&there[0], &there[1]] {
        assert_eq!(one.value(&format!("SELECT v FROM t1 WHERE id = {id}")).await, expected);
    }
    assert_eq!(
        one.value(&format!("SELECT v FROM t1 WHERE id = {}", here[0])).await,
        if first == 1213 { "2" } else { "0" }
    );
}

/// A circle over two groups, which no server sees: one of the two is told 1213 long before its lock wait times out.
#[tokio::test]
async fn deadlocks_over_groups() {
    let world = World::new("atomic_circle").await;
    let (mut one, mut two) = (world.client().await, world.client().await);
    let [here, there] = filled(&world, &mut one).await;
    for (client, first) in [(&mut one, &here[0]), (&mut two, &there[0])] {
        client.must("BEGIN").await;
        client
            .must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", here[1 + usize::from(*first == there[0])]))
            .await;
        client
            .must(&format!("UPDATE t1 SET v = 1 WHERE id = {}", there[1 + usize::from(*first == there[0])]))
            .await;
        client.must(&format!("UPDATE t1 SET v = v + 10 WHERE id = {first}")).await;
    }
    let sql = format!("UPDATE t1 SET v = v + 10 WHERE id = {}", there[0]);
    let waiting = tokio::spawn(async move {
        let answer = one.run(&sql).await.error_number();
        (one, answer)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = std::time::Instant::now();
    let second = two.run(&format!("UPDATE t1 SET v = v + 10 WHERE id = {}", here[0])).await.error_number();
    let took = begun.elapsed();
    let (mut one, first) = waiting.await.expect("the first client");
    assert!(took < SOON, "{took:?}");
    say(took);
    assert_eq!((first, second), (0, 1213), "the younger one gives way");
    one.must("COMMIT").await;
    for id in [&here[0], &there[0]] {
        assert_eq!(two.value(&format!("SELECT v FROM t1 WHERE id = {id}")).await, "10");
    }
}

#[tokio::test]
async fn kinds_of_transactions() {
    let world = World::new("atomic_kinds").await;
    let mut client = world.client().await;
    filled(&world, &mut client).await;
    for begin in ["START TRANSACTION READ ONLY", "START TRANSACTION WITH CONSISTENT SNAPSHOT"] {
        client.must(begin).await;
        assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "20");
        client.must("COMMIT").await;
    }
    client.must("START TRANSACTION READ ONLY").await;
    assert_eq!(client.run("UPDATE t1 SET v = 1").await.error_number(), 1792);
    client.must("ROLLBACK").await;
    client.must("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await;
    client.must("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    client.must("UPDATE t1 SET v = v + 1").await;
    // DDL commits first, over both groups.
    client.must("CREATE TABLE t2 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("ROLLBACK").await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "20");
    client.must("SET autocommit = 0").await;
    client.must("UPDATE t1 SET v = v + 1").await;
    client.must("SET autocommit = 1").await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "40");
    // By session.
    client.must("SET serval_transaction = 'single'").await;
    assert_eq!(client.run("UPDATE t1 SET v = v + 1").await.error_number(), 1235);
    client.must("SET serval_transaction = 'best_effort'").await;
    let before = records(&world).await;
    client.must("UPDATE t1 SET v = v + 1").await;
    assert_eq!(records(&world).await, before);
    client.must("SET serval_transaction = DEFAULT").await;
    client.must("UPDATE t1 SET v = v + 1").await;
    assert_eq!(records(&world).await, before + 1);
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "80");
}

/// Two-phase commits must give their connections back: were they closed, each would cost a login.
#[tokio::test]
async fn connections_are_used_again() {
    let world = World::new("atomic_pool").await;
    let mut client = world.client().await;
    filled(&world, &mut client).await;
    let opened = || async {
        let metrics = get(world.serval.ports().http(), "/metrics").await.body;
        let lines = metrics.lines().filter(|line| line.starts_with("serval_backend_opened_total"));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
    };
    client.must("UPDATE t1 SET v = v + 1").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let before = opened().await;
    for _ in 0..50 {
        client.must("UPDATE t1 SET v = v + 1").await;
        client.must("BEGIN").await;
        client.must("UPDATE t1 SET v = v + 1").await;
        client.must("ROLLBACK").await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let after = opened().await;
    assert!(after - before < 10.0, "{before} → {after}");
}

/// A group without dependable XA may begin a transaction, and not come to it from another.
#[tokio::test]
async fn a_group_without_xa_comes_first() {
    let cluster = serval_tests::own_cluster().await;
    let topology = serval_tests::Topology::new("atomic_first");
    serval_tests::make_databases(&cluster, &topology.schema).await;
    let serval = serval_testkit::ServalProcess::start(|ports| {
        let text = topology.toml(&cluster, ports);
        text.replacen("[groups.g1]\n", "[groups.g1]\nxa = false\n", 1)
    });
    let serval = serval.await.expect("the proxy starts");
    let options = serval.client_options(serval_tests::APP.0, serval_tests::APP.1, Some(&topology.schema));
    let mut client = Client::connect("proxy", options).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    for id in 1..=8 {
        client.must(&format!("INSERT INTO t1 VALUES ({id}, 0)")).await;
    }
    let mut ids = Vec::new();
    for node in [0, 2] {
        ids.push(
            serval_tests::on_node(&cluster, &topology.schema, node, "SELECT id FROM $db.t1").await.remove(0),
        );
    }
    let update = |at: usize| format!("UPDATE t1 SET v = v + 1 WHERE id = {}", ids[at]);
    client.must("BEGIN").await;
    client.must(&update(1)).await;
    client.must(&update(0)).await;
    client.must("COMMIT").await;
    client.must("BEGIN").await;
    client.must(&update(0)).await;
    let answer = client.run(&update(1)).await;
    assert_eq!(answer.error_number(), 1235);
    assert!(answer.message().contains("xa = false"), "{answer:?}");
    // The statement alone is refused.
    client.must("COMMIT").await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "3");
    // Statements over both groups begin where that is allowed only in the other mode.
    assert_eq!(client.run("UPDATE t1 SET v = v + 1").await.error_number(), 1235);
    client.must("SET serval_transaction = 'best_effort'").await;
    client.must("UPDATE t1 SET v = v + 1").await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "11");
}

/// A lock wait timeout undoes what the servers' setting says, on all groups: here the transaction.
#[tokio::test]
async fn a_lock_wait_timeout_undoes_what_the_servers_say() {
    let mut spec = serval_testkit::ClusterSpec::new(serval_testkit::Flavour::from_env(), 2, 0);
    spec.options.push("--innodb-rollback-on-timeout=ON".to_owned());
    let cluster = Cluster::start(spec).await.expect("the servers start");
    let topology = serval_tests::Topology::new("atomic_timeout");
    serval_tests::make_databases(&cluster, &topology.schema).await;
    let serval = serval_testkit::ServalProcess::start(|ports| topology.toml(&cluster, ports)).await;
    let serval = serval.expect("the proxy starts");
    let options = || serval.client_options(serval_tests::APP.0, serval_tests::APP.1, Some(&topology.schema));
    let (mut one, mut two) =
        (Client::connect("proxy", options()).await, Client::connect("proxy", options()).await);
    one.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    one.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)").await;
    two.must("SET innodb_lock_wait_timeout = 1").await;
    for id in 1..=8 {
        // Whichever group the row lies on, the first or a later one.
        one.must("BEGIN").await;
        one.must(&format!("UPDATE t1 SET v = 5 WHERE id = {id}")).await;
        two.must("BEGIN").await;
        let others = format!("UPDATE t1 SET v = 7 WHERE id IN ({}, {})", id % 8 + 1, (id + 3) % 8 + 1);
        two.must(&others).await;
        assert_eq!(two.run(&format!("UPDATE t1 SET v = 9 WHERE id = {id}")).await.error_number(), 1205);
        two.must("COMMIT").await;
        assert_eq!(two.value("SELECT SUM(v) FROM t1").await, "0", "row {id}");
        one.must("ROLLBACK").await;
    }
}

/// Temporary tables lie on the default node. MySQL makes none in a branch and says so; before the transaction, or with that
/// group first, it does.
#[tokio::test]
async fn temporary_tables_on_a_later_group() {
    let world = World::new("atomic_temporary").await;
    let mut client = world.client().await;
    let [_, there] = filled(&world, &mut client).await;
    let update = format!("UPDATE t1 SET v = v + 1 WHERE id = {}", there[0]);
    let create = "CREATE TEMPORARY TABLE passing (id INT)";
    client.must("BEGIN").await;
    client.must(&update).await;
    let answer = client.run(create).await;
    let mysql = serval_testkit::Flavour::from_env() != serval_testkit::Flavour::MariaDb;
    assert_eq!(answer.error_number(), if mysql { 4091 } else { 0 }, "{answer:?}");
    // The statement is refused, the transaction goes on.
    client.must("COMMIT").await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "1");
    if mysql {
        client.must("BEGIN").await;
        client.must(create).await;
        client.must("INSERT INTO passing VALUES (1)").await;
        client.must(&update).await;
        client.must("COMMIT").await;
    }
    client.must("INSERT INTO passing VALUES (2)").await;
    assert_eq!(client.value("SELECT MAX(id) FROM passing").await, "2");
}
