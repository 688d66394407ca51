//! Servers that die and come back.

use std::time::Duration;

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::{APP, Client, Topology, eventually, get, make_databases, on_node, own_cluster};

const ROWS: usize = 20;

/// A proxy on servers of its own, with a table of twenty rows over all nodes.
async fn start(topology: &Topology) -> (Cluster, ServalProcess, Client) {
    let cluster = own_cluster().await;
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client = connect(&serval, topology).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let rows: Vec<String> = (1..=ROWS).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    cluster.wait_until_replicated().await.expect("replicated");
    (cluster, serval, client)
}

async fn connect(serval: &ServalProcess, topology: &Topology) -> Client {
    Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await
}

/// The ids that live on a group.
async fn ids_on(cluster: &Cluster, schema: &str, group: usize) -> Vec<String> {
    let mut ids = on_node(cluster, schema, group * 2, "SELECT id FROM $db.t1").await;
    ids.extend(on_node(cluster, schema, group * 2 + 1, "SELECT id FROM $db.t1").await);
    ids
}

#[tokio::test]
async fn reads_go_on_without_a_replica() {
    let topology = Topology { consistency: "any", ..Topology::new("lost_replica") };
    let (cluster, serval, mut client) = start(&topology).await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "20");
    cluster.group(0).replica(0).kill().await.expect("kill");
    for round in 0..40 {
        let answer = client.run("SELECT COUNT(*) FROM t1").await;
        assert_eq!(
            answer.rows().first().map(Vec::as_slice),
            Some(["20".to_owned()].as_slice()),
            "round {round}"
        );
        let answer = client.run(&format!("SELECT v FROM t1 WHERE id = {}", round % ROWS + 1)).await;
        assert_eq!(answer.rows().len(), 1);
    }
    assert_eq!(get(serval.ports().http(), "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_lost_primary_takes_only_its_own_shards() {
    let topology = Topology::new("lost_primary");
    let (cluster, _serval, mut client) = start(&topology).await;
    let (here, gone) =
        (ids_on(&cluster, &topology.schema, 0).await, ids_on(&cluster, &topology.schema, 1).await);
    assert!(!here.is_empty() && !gone.is_empty());
    cluster.group(1).primary().kill().await.expect("kill");

    for id in &gone {
        let answer = client.run(&format!("UPDATE t1 SET v = 1 WHERE id = {id}")).await;
        assert_eq!(answer.error_number(), 1429, "{answer:?}");
        assert!(answer.message().contains("g1"), "the error names the group: {answer:?}");
        assert!(!answer.message().contains("127.0.0.1"), "but no address: {answer:?}");
    }
    assert_eq!(client.run("SELECT COUNT(*) FROM t1").await.error_number(), 1429);
    for id in &here {
        client.must(&format!("UPDATE t1 SET v = 1 WHERE id = {id}")).await;
    }

    cluster.group(1).primary().start_again().await.expect("start again");
    let update = format!("UPDATE t1 SET v = 2 WHERE id = {}", gone[0]);
    let deadline = std::time::Instant::now() + Duration::from_secs(15);
    while client.run(&update).await.error_number() != 0 {
        assert!(std::time::Instant::now() < deadline, "the group does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "20");
}

#[tokio::test]
async fn a_transaction_that_lost_a_participant_is_rolled_back_as_a_whole() {
    let topology = Topology::new("lost_part");
    let (cluster, _serval, mut client) = start(&topology).await;
    let (here, gone) =
        (ids_on(&cluster, &topology.schema, 0).await, ids_on(&cluster, &topology.schema, 1).await);
    client.must("BEGIN").await;
    client.must(&format!("UPDATE t1 SET v = 7 WHERE id IN ({}, {})", here[0], gone[0])).await;
    cluster.group(1).primary().kill().await.expect("kill");
    let answer = client.run(&format!("UPDATE t1 SET v = 8 WHERE id = {}", gone[0])).await;
    assert_ne!(answer.error_number(), 0, "{answer:?}");
    let answer = client.run(&format!("UPDATE t1 SET v = 8 WHERE id = {}", here[0])).await;
    assert_ne!(answer.error_number(), 0, "nothing more happens in a broken transaction: {answer:?}");
    let answer = client.run("COMMIT").await;
    assert_ne!(answer.error_number(), 0, "a commit cannot be promised: {answer:?}");
    client.must("ROLLBACK").await;
    assert_eq!(client.value(&format!("SELECT v FROM t1 WHERE id = {}", here[0])).await, "0");
}

#[tokio::test]
async fn starts_while_a_group_is_down_and_serves_the_rest() {
    let topology = Topology::new("down_first");
    let (cluster, serval, client) = start(&topology).await;
    drop((client, serval));
    let (here, gone) =
        (ids_on(&cluster, &topology.schema, 0).await, ids_on(&cluster, &topology.schema, 1).await);
    for server in [cluster.group(1).primary(), cluster.group(1).replica(0)] {
        server.kill().await.expect("kill");
    }
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("starts all the same");
    let mut client = connect(&serval, &topology).await;
    for id in &here {
        client.must(&format!("UPDATE t1 SET v = v + 1 WHERE id = {id}")).await;
    }
    assert!(serval.log().contains("g1"), "the log says what is down:\n{}", serval.log());
    cluster.group(1).primary().start_again().await.expect("start again");
    let sql = format!("SELECT v FROM t1 WHERE id = {}", gone[0]);
    eventually("the group serves again", Duration::from_secs(20), || async {
        connect(&serval, &topology).await.run(&sql).await.error_number() == 0
    })
    .await;
}
