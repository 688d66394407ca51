//! A new configuration while clients work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::ServalProcess;
use serval_tests::link::Link;
use serval_tests::{ADMIN, APP, Client, Topology, World, eventually, make_databases, own_cluster};

use crate::atomic::branches;

#[tokio::test]
async fn reload_under_load_disturbs_nobody() {
    let world = World::new("reload").await;
    let mut setup = world.client().await;
    setup.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=32).map(|id| format!("({id}, 0)")).collect();
    setup.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;

    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut workers = Vec::new();
    for worker in 0..4 {
        let mut client = world.client().await;
        let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
        workers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                client.must("BEGIN").await;
                client
                    .must(&format!("UPDATE t1 SET v = v + 1 WHERE id IN ({}, {})", worker + 1, worker + 9))
                    .await;
                client.must("COMMIT").await;
                assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "32");
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let mut admin = world.admin().await;
    for round in 0..10 {
        let topology = Topology {
            consistency: if round % 2 == 0 { "any" } else { "primary" },
            ..Topology::new(&world.schema)
        };
        let text = topology.toml(&world.shared.cluster, world.serval.ports());
        std::fs::write(world.serval.config_path(), text).expect("write the configuration");
        admin.must("reload @@config").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("a worker without an error");
    }
    let sum: u64 = setup.value("SELECT SUM(v) FROM t1").await.parse().expect("a number");
    assert_eq!(sum, 2 * done.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_bad_configuration_changes_nothing() {
    let world = World::new("reload_bad").await;
    let mut client = world.client().await;
    let mut admin = world.admin().await;
    std::fs::write(world.serval.config_path(), "[listen]\nmysql = 5\nnosuch = 1\n").expect("write");
    let answer = admin.run("reload @@config").await;
    assert_ne!(answer.error_number(), 0, "{answer:?}");
    assert!(answer.message().contains("nosuch"), "the console says what is wrong: {answer:?}");
    assert_eq!(client.value("SELECT 1").await, "1");
    assert_eq!(world.client().await.value("SELECT DATABASE()").await, "reload_bad");
}

/// A commit over two groups is between PREPARE and its decision while the configuration changes under it.
#[tokio::test]
async fn a_commit_that_is_under_way_ends_as_it_began() {
    let cluster = own_cluster().await;
    let topology = Topology::new("reload_commit");
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let options = || serval.client_options(APP.0, APP.1, Some(&topology.schema));
    let mut client = Client::connect("proxy", options()).await;
    let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)").await;
    let mut locker = cluster.group(0).primary().connect().await.expect("a connection");
    // The same servers at other addresses: every pool is made anew.
    let mut links = Vec::new();
    for group in cluster.groups() {
        links.push(Link::to(group.primary().port(), &Arc::default()).await);
    }
    let text = |topology: &Topology| topology.toml(&cluster, serval.ports());
    let usual = text(&topology);
    let elsewhere = Topology { primaries: links.iter().map(Link::address).collect(), ..topology.clone() };
    let changes = [
        ("settings", usual.replace("query_timeout = \"30s\"", "query_timeout = \"29s\"")),
        ("the mode", text(&Topology { transaction: "single", ..topology.clone() })),
        ("pools", usual.replace("max_connections = 32", "max_connections = 31")),
        ("addresses", text(&elsewhere)),
        ("addresses again", usual.clone()),
    ];
    for (number, (what, changed)) in (1..).zip(changes) {
        client.must("BEGIN").await;
        client.must("UPDATE t1 SET v = v + 1").await;
        // The first group takes no writes for a while, so the record has to wait.
        locker.query_drop("FLUSH TABLES WITH READ LOCK").await.expect("a lock");
        let committing = tokio::spawn(async move {
            let answer = client.run("COMMIT").await;
            (client, answer)
        });
        eventually("the branch is prepared", Duration::from_secs(10), || async {
            branches(&cluster).await.len() == 1
        })
        .await;
        std::fs::write(serval.config_path(), changed).expect("write the configuration");
        admin.must("reload @@config").await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(!committing.is_finished(), "{what}");
        locker.query_drop("UNLOCK TABLES").await.expect("unlocked");
        let (same, answer) = committing.await.expect("the client");
        assert_eq!(answer.error_number(), 0, "{what}: {answer:?}");
        client = same;
        assert_eq!(client.value("SELECT SUM(v) FROM t1").await, (8 * number).to_string(), "{what}");
        assert!(branches(&cluster).await.is_empty(), "{what}");
        client.must("SET serval_transaction = 'atomic'").await;
    }
    // Until recovery has looked again, it shows what it has seen.
    eventually("nothing is in doubt", Duration::from_secs(20), || async {
        let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
        admin.rows("show @@transaction").await.is_empty()
    })
    .await;
}
