//! Transactions that nobody ends: other proxies finish them.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::ServalProcess;
use serval_tests::{
    ADMIN, APP, Client, Topology, World, eventually, get, make_databases, on_node, own_cluster,
};

use crate::atomic::{QUICK, branches, filled};

/// SIGKILL while a branch is prepared and the decision waits: a proxy that is started then rolls back.
#[tokio::test]
async fn a_proxy_is_killed_before_it_decides() {
    let cluster = own_cluster().await;
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new("atomic_killed") };
    make_databases(&cluster, &topology.schema).await;
    let start = async || {
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts")
    };
    let connect = async |serval: &ServalProcess| {
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await
    };
    let mut serval = start().await;
    let mut client = connect(&serval).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    client.must("BEGIN").await;
    client.must("UPDATE t1 SET v = 1").await;
    // The first group takes no writes for a while, so the record has to wait.
    let mut locker = cluster.group(0).primary().connect().await.expect("a connection");
    locker.query_drop("FLUSH TABLES WITH READ LOCK").await.expect("a lock");
    let committing = tokio::spawn(async move { client.run("COMMIT").await });
    eventually("the branch is prepared", Duration::from_secs(10), || async {
        branches(&cluster).await.len() == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!committing.is_finished());
    serval.signal("KILL");
    serval.wait(Duration::from_secs(5)).await;
    let _broken = committing.await.expect("the client");
    locker.query_drop("UNLOCK TABLES").await.expect("unlocked");
    let serval = start().await;
    eventually("the branch is rolled back", Duration::from_secs(20), || async {
        branches(&cluster).await.is_empty()
    })
    .await;
    let mut client = connect(&serval).await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "0");
    client.must("UPDATE t1 SET v = 2").await;
    let verdicts = "SELECT verdict FROM $db.serval_transaction ORDER BY verdict";
    let verdicts = on_node(&cluster, &topology.schema, 0, verdicts).await;
    assert_eq!(verdicts, ["abort", "commit", "commit"], "the INSERT, what was killed, the last UPDATE");
}

/// The proxy dies between PREPARE and the decision: another one rolls back. It dies after the decision: another one
/// commits. Both are made by hand here, as the proxy leaves them.
#[tokio::test]
async fn another_proxy_finishes_what_a_dead_one_left() {
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new("atomic_dead") };
    let world = World::with(topology).await;
    let mut client = world.client().await;
    let [here, there] = filled(&world, &mut client).await;
    let group = world.shared.cluster.group(0).primary();
    let uuid: String =
        group.value("SELECT uuid FROM atomic_dead_0.serval_group").await.expect("a query").expect("a UUID");
    for (number, decided) in [(1, false), (2, true)] {
        let gtrid = format!("serval.{uuid}.00000000000a-{number}");
        let (home, away) = (world.shared.cluster.group(0).primary(), world.shared.cluster.group(1).primary());
        let mut branch = away.connect_as_backend(Some("atomic_dead_2")).await.expect("a connection");
        let xa = format!("'{gtrid}','1.{}'", branch.id());
        let node =
            if world.on_node(2, &format!("SELECT id FROM $db.t1 WHERE id = {}", there[0])).await.is_empty() {
                3
            } else {
                2
            };
        for sql in [
            format!("XA START {xa}"),
            format!("UPDATE atomic_dead_{node}.t1 SET v = 10 WHERE id = {}", there[0]),
            format!("XA END {xa}"),
            format!("XA PREPARE {xa}"),
        ] {
            branch.query_drop(sql).await.expect("a branch");
        }
        if decided {
            let insert = format!(
                "INSERT INTO atomic_dead_0.serval_transaction VALUES ('{gtrid}', 'commit', 1, UNIX_TIMESTAMP())"
            );
            home.execute(&insert).await.expect("a record");
        }
        // The connection stays open, as where a network was cut: MariaDB lets nobody else finish the branch then.
        eventually("the branch is finished", Duration::from_secs(15), || async {
            !branches(&world.shared.cluster).await.contains(&gtrid)
        })
        .await;
        let expected = if decided { "10" } else { "0" };
        assert_eq!(client.value(&format!("SELECT v FROM t1 WHERE id = {}", there[0])).await, expected);
        drop(branch);
    }
    client.must(&format!("UPDATE t1 SET v = 3 WHERE id = {}", here[0])).await;
    let log = world.serval.log();
    assert!(log.contains("a branch was recovered"), "{log}");
}

/// Records are deleted when they are old; an abort record lives longer, and one whose branch is prepared stays.
#[tokio::test]
async fn old_records_go() {
    let cluster = own_cluster().await;
    let topology = Topology { more: format!("{QUICK}keep = \"10m\"\n"), ..Topology::new("atomic_sweep") };
    make_databases(&cluster, &topology.schema).await;
    let start = || ServalProcess::start(|ports| topology.toml(&cluster, ports));
    let connect = async |serval: &ServalProcess| {
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await
    };
    let serval = start().await.expect("the proxy starts");
    let mut client = connect(&serval).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)").await;
    drop((client, serval));
    let server = cluster.group(0).primary();
    let uuid: Option<String> =
        server.value("SELECT uuid FROM atomic_sweep_0.serval_group").await.expect("a UUID");
    let name = |number: u32| format!("serval.{}.00000000000a-{number}", uuid.as_deref().unwrap_or_default());
    for (number, verdict, age) in
        [(1, "commit", 1200), (2, "abort", 1200), (3, "commit", 60), (4, "abort", 90_000)]
    {
        let sql = format!(
            "INSERT INTO atomic_sweep_0.serval_transaction VALUES ('{}', '{verdict}', 1, UNIX_TIMESTAMP() - {age})",
            name(number)
        );
        server.execute(&sql).await.expect("a record");
    }
    let serval = start().await.expect("the proxy starts");
    connect(&serval).await.must("UPDATE t1 SET v = 1").await;
    let left = async || {
        let sql = "SELECT gtrid FROM atomic_sweep_0.serval_transaction WHERE gtrid LIKE '%.00000000000a-%' ORDER BY gtrid";
        server.column::<String>(sql).await.expect("records")
    };
    eventually("the old ones are gone", Duration::from_secs(10), || async { left().await.len() == 2 }).await;
    assert_eq!(left().await, [name(2), name(3)]);
}

/// Branches of others are nobody's business here.
#[tokio::test]
async fn foreign_branches_are_left_alone_and_unknown_ones_shown() {
    let cluster = own_cluster().await;
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new("atomic_foreign") };
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let server = cluster.group(1).primary();
    server.execute("CREATE TABLE atomic_foreign_2.x (id INT PRIMARY KEY)").await.expect("a table");
    let unknown = format!("serval.{}.00000000000a-1", "a".repeat(32));
    for (row, name) in [(1, "theirs"), (2, unknown.as_str())] {
        let mut conn = server.connect_as_backend(None).await.expect("a connection");
        let xa = format!("'{name}','1.{}'", conn.id());
        for sql in [
            format!("XA START {xa}"),
            format!("INSERT INTO atomic_foreign_2.x VALUES ({row})"),
            format!("XA END {xa}"),
            format!("XA PREPARE {xa}"),
        ] {
            conn.query_drop(sql).await.expect("a branch");
        }
    }
    let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let rows = admin.rows("show @@transaction").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0][0].as_str(), rows[0][1].as_str()), (unknown.as_str(), "g1"));
    assert!(rows[0][3].contains("not in this config"), "{rows:?}");
    assert_eq!(branches(&cluster).await.len(), 2);
    assert_ne!(admin.run("resolve transaction 'theirs' commit").await.error_number(), 0);
    admin.must(&format!("RESOLVE TRANSACTION '{unknown}' COMMIT")).await;
    assert_eq!(branches(&cluster).await, ["theirs"]);
    assert!(admin.rows("show @@transaction").await.is_empty());
    let metrics = get(serval.ports().http(), "/metrics").await.body;
    assert!(metrics.contains("serval_branches_recovered_total"), "{metrics}");
    let mut client =
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some("atomic_foreign"))).await;
    client.must("DO 1").await;
}

/// A server's clock that jumps makes every record look old: one whose transaction is not finished everywhere stays.
#[tokio::test]
async fn a_record_that_looks_old_is_kept_for_its_branch() {
    let cluster = own_cluster().await;
    let topology = Topology { more: QUICK.replace("1500ms", "8s"), ..Topology::new("atomic_clock") };
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client =
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)").await;
    drop((client, serval));
    let (first, second) = (cluster.group(0).primary(), cluster.group(1).primary());
    let uuid: Option<String> =
        first.value("SELECT uuid FROM atomic_clock_0.serval_group").await.expect("a UUID");
    let name = |number: u32| format!("serval.{}.00000000000a-{number}", uuid.as_deref().unwrap_or_default());
    for number in [1, 2] {
        let record = format!(
            "INSERT INTO atomic_clock_0.serval_transaction VALUES ('{}', 'commit', 1, 0)",
            name(number)
        );
        first.execute(&record).await.expect("a record");
    }
    second.execute("CREATE TABLE atomic_clock_2.x (id INT PRIMARY KEY)").await.expect("a table");
    let mut conn = second.connect_as_backend(None).await.expect("a connection");
    let xa = format!("'{}','1.{}'", name(1), conn.id());
    for sql in [
        format!("XA START {xa}"),
        "INSERT INTO atomic_clock_2.x VALUES (1)".to_owned(),
        format!("XA END {xa}"),
        format!("XA PREPARE {xa}"),
    ] {
        conn.query_drop(sql).await.expect("a branch");
    }
    drop(conn);
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client =
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    client.must("UPDATE t1 SET v = 1").await;
    let sql = "SELECT gtrid FROM atomic_clock_0.serval_transaction WHERE gtrid LIKE '%.00000000000a-%'";
    let left = async || first.column::<String>(sql).await.expect("records");
    eventually("the other is gone", Duration::from_secs(6), || async { left().await == [name(1)] }).await;
    eventually("it is finished", Duration::from_secs(30), || async { branches(&cluster).await.is_empty() })
        .await;
    let there: Option<i64> = second.value("SELECT COUNT(*) FROM atomic_clock_2.x").await.expect("a count");
    assert_eq!(there, Some(1), "the record was there to say commit");
}
