//! A lock wait that takes too long, where the servers undo the whole transaction then (`innodb_rollback_on_timeout`).

use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use serval_tests::{APP, Client, Topology, make_databases, on_node};

use crate::atomic::branches;

#[tokio::test]
async fn a_timeout_that_undoes_all_undoes_it_everywhere() {
    let mut spec = ClusterSpec::new(Flavour::from_env(), 2, 0);
    spec.options = vec!["--innodb-rollback-on-timeout=ON".to_owned()];
    let cluster = Cluster::start(spec).await.expect("the servers start");
    let topology = Topology::new("timeouts");
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let connect = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema)));
    let (mut client, mut holder) = (connect().await, connect().await);
    client.must("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)").await;
    let mut ids = [Vec::new(), Vec::new()];
    for node in 0..4 {
        let found = on_node(&cluster, &topology.schema, node, "SELECT id FROM $db.t1").await;
        ids[node / 2].extend(found);
    }
    client.must("SET innodb_lock_wait_timeout = 1").await;
    let set = |id: &str, v: u32| format!("UPDATE t1 SET v = {v} WHERE id = {id}");
    // The wait is on the group that came first, and on one that came later.
    for (first, waits) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
        let held = ids[waits].last().expect("rows");
        holder.must("BEGIN").await;
        holder.must(&set(held, 5)).await;
        client.must("BEGIN").await;
        client.must(&set(&ids[first][0], 1)).await;
        client.must(&set(&ids[1 - first][0], 1)).await;
        let answer = client.run(&set(held, 1)).await;
        assert_eq!(answer.error_number(), 1205, "{answer:?}");
        // As on one server: the transaction is over, and what comes next is by itself.
        client.must(&set(&ids[1 - waits][0], 2)).await;
        client.must("ROLLBACK").await;
        holder.must("ROLLBACK").await;
        let sum = client.value("SELECT SUM(v) FROM t1").await;
        assert_eq!(sum, "2", "first on group {first}, waited on {waits}");
        client.must("UPDATE t1 SET v = 0").await;
    }
    assert!(branches(&cluster).await.is_empty());
}
