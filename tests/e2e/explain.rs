//! The plan as the proxy shows it, and MySQL's own.

use serval_testkit::ServalProcess;
use serval_tests::World;

#[tokio::test]
async fn shows_the_nodes_and_leaves_mysqls_own_alone() {
    let world = World::new("explain_on").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client
        .must("CREATE TABLE events (id INT NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (id, created_at))")
        .await;
    let plan = |rows: Vec<Vec<String>>| rows.concat().join("\n");

    let one = plan(client.rows("EXPLAIN FORMAT=SERVAL SELECT * FROM t1 WHERE id = 7").await);
    assert_eq!(one.matches("dn").count(), 1, "{one}");
    let all = plan(client.rows("EXPLAIN FORMAT=SERVAL SELECT * FROM t1 ORDER BY v LIMIT 3").await);
    assert!(["dn0", "dn1", "dn2", "dn3"].iter().all(|node| all.contains(node)), "{all}");
    let month = "SELECT COUNT(*) FROM events WHERE created_at >= '2026-03-01' AND created_at < '2026-04-01'";
    let month = plan(client.rows(&format!("EXPLAIN FORMAT=SERVAL {month}")).await);
    assert!(month.contains("events_202603") && !month.contains("events_202604"), "{month}");

    let own = client.must("EXPLAIN SELECT * FROM t1 WHERE id = 7").await;
    let theirs = {
        let mut oracle = world.oracle().await;
        oracle.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
        oracle.must("EXPLAIN SELECT * FROM t1 WHERE id = 7").await
    };
    let (
        serval_tests::Answer::Rows { columns: ours, .. },
        serval_tests::Answer::Rows { columns: theirs, .. },
    ) = (own, theirs)
    else {
        panic!("EXPLAIN answers rows")
    };
    assert_eq!(ours, theirs);
}

/// The same tree without a proxy and without servers, from the snapshot of definitions.
#[tokio::test]
async fn offline_and_online_print_the_same() {
    let world = World::new("explain_off").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let config = world.serval.config_path();
    let snapshot = ["snapshot".as_ref(), "--config".as_ref(), config.as_os_str()];
    let ended = ServalProcess::run_to_end(snapshot).expect("serval snapshot");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for sql in [
        "SELECT * FROM t1 WHERE id = 7",
        "SELECT v FROM t1 ORDER BY v DESC LIMIT 2, 3",
        "SELECT v, COUNT(*) FROM t1 GROUP BY v",
        "UPDATE t1 SET v = 1 WHERE id IN (1, 2, 3)",
    ] {
        let online = client.rows(&format!("EXPLAIN FORMAT=SERVAL {sql}")).await.concat().join("\n");
        let explain = ["explain".as_ref(), "--config".as_ref(), config.as_os_str(), sql.as_ref()];
        let ended = ServalProcess::run_to_end(explain).expect("serval explain");
        assert_eq!((ended.code, ended.output.trim_end()), (Some(0), online.trim_end()), "{sql}");
    }
}
