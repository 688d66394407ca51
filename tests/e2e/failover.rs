//! A replica is promoted that lacks what the old primary had acknowledged.

use std::time::Duration;

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::{ADMIN, APP, Client, Topology, eventually, get, make_databases, own_cluster};

use crate::atomic::QUICK;

/// The configuration in which the replicas of these groups are the primaries.
fn promoted(text: &str, cluster: &Cluster, groups: &[usize]) -> String {
    let mut text = text.to_owned();
    for &group in groups {
        let (primary, replica) = (cluster.group(group).primary(), cluster.group(group).replica(0));
        let old = format!("primary = \"{}\"\nreplicas = [\"{}\"]", primary.address(), replica.address());
        let new = format!("primary = \"{}\"\nreplicas = []", replica.address());
        assert!(text.contains(&old), "{text}");
        text = text.replace(&old, &new);
    }
    text
}

/// Makes the replicas of these groups writable, and tells the proxy.
pub(crate) async fn promote(
    cluster: &Cluster,
    topology: &Topology,
    serval: &ServalProcess,
    groups: &[usize],
) {
    let last = groups.last().expect("a group");
    let replica = cluster.group(*last).replica(0);
    for sql in ["STOP REPLICA", "SET GLOBAL read_only = OFF"] {
        replica.execute(sql).await.expect(sql);
    }
    let text = promoted(&topology.toml(cluster, serval.ports()), cluster, groups);
    std::fs::write(serval.config_path(), text).expect("write the configuration");
    let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    admin.must("reload @@config").await;
}

/// A quick proxy over these servers, with twenty rows in t1 on all nodes.
pub(crate) async fn proxy_over_rows(cluster: &Cluster, name: &str) -> (Topology, ServalProcess) {
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new(name) };
    make_databases(cluster, &topology.schema).await;
    let serval = ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("the proxy starts");
    let options = serval.client_options(APP.0, APP.1, Some(&topology.schema));
    let mut client = Client::connect("proxy", options).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    (topology, serval)
}

#[tokio::test]
async fn what_a_failover_loses_is_shown() {
    let cluster = own_cluster().await;
    let (topology, serval) = proxy_over_rows(&cluster, "failover").await;
    let connect =
        async || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    let mut client = connect().await;
    let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    // What is not lost: the replica has it all, and nothing is said.
    let rounds = || tokio::time::sleep(Duration::from_millis(2000));
    rounds().await;
    cluster.wait_until_replicated().await.expect("replication");
    assert!(admin.rows("show @@transaction").await.is_empty());

    // First branches, then decisions.
    for (lost, groups, expected) in
        [(1, vec![1], ["lost", "perhaps lost"]), (0, vec![1, 0], ["lost", "lost"])]
    {
        rounds().await;
        cluster.group(lost).replica(0).stop_replication().await.expect("stopped");
        for value in [1, 2] {
            client.must(&format!("UPDATE t1 SET v = {value}")).await;
            rounds().await;
        }
        cluster.group(lost).primary().kill().await.expect("kill");
        promote(&cluster, &topology, &serval, &groups).await;
        let mut shown = Vec::new();
        for _ in 0..100 {
            shown = admin.rows("show @@transaction").await;
            if !shown.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut verdicts: Vec<&str> = shown.iter().map(|row| row[3].as_str()).collect();
        verdicts.sort_unstable();
        assert_eq!(verdicts, expected, "{shown:?}\n{}", serval.log());
        assert!(shown.iter().all(|row| row[1] == format!("g{lost}")), "{shown:?}");
        let metrics = get(serval.ports().http(), "/metrics").await.body;
        let count = if lost == 1 { 2 } else { 4 };
        assert!(metrics.contains(&format!("serval_transactions_lost_total {count}")), "{metrics}");
        assert!(serval.log().contains("a failover has lost"), "{}", serval.log());
        client = connect().await;
        let values = client.rows("SELECT v FROM t1 GROUP BY v").await;
        assert_eq!(values.len(), 2, "half of it is gone: {values:?}");
        // Who has seen it says so.
        for row in &shown {
            admin.must(&format!("resolve transaction '{}' commit", row[0])).await;
        }
        assert!(admin.rows("show @@transaction").await.is_empty());
        client.must("UPDATE t1 SET v = 7").await;
    }
}

/// A failover that loses nothing says nothing.
#[tokio::test]
async fn a_failover_without_loss_is_silent() {
    let cluster = own_cluster().await;
    let (topology, serval) = proxy_over_rows(&cluster, "failover_calm").await;
    let connect =
        async || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    let mut client = connect().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    client.must("UPDATE t1 SET v = 1").await;
    cluster.wait_until_replicated().await.expect("replication");
    for (number, groups) in [(0, vec![0]), (1, vec![0, 1])] {
        cluster.group(number).primary().kill().await.expect("kill");
        promote(&cluster, &topology, &serval, &groups).await;
    }
    eventually("all groups serve again", Duration::from_secs(20), || async {
        connect().await.run("SELECT SUM(v) FROM t1").await.error_number() == 0
    })
    .await;
    eventually("the failovers are noticed", Duration::from_secs(20), || async {
        serval.log().matches("primary is another server").count() == 2
    })
    .await;
    let mut client = connect().await;
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "20");
    let metrics = get(serval.ports().http(), "/metrics").await.body;
    assert!(metrics.contains("serval_transactions_lost_total 0"), "{metrics}");
}

/// A proxy that was started after the commits misses them as the one that made them would.
#[tokio::test]
async fn a_proxy_that_is_started_later_notices_too() {
    let cluster = own_cluster().await;
    let (topology, first) = proxy_over_rows(&cluster, "failover_later").await;
    let mut client =
        Client::connect("proxy", first.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    cluster.wait_until_replicated().await.expect("replication");
    cluster.group(0).replica(0).stop_replication().await.expect("stopped");
    client.must("UPDATE t1 SET v = 1").await;
    client.must("UPDATE t1 SET v = 2").await;
    drop((client, first));
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    cluster.group(0).primary().kill().await.expect("kill");
    promote(&cluster, &topology, &serval, &[0]).await;
    let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    let mut shown = Vec::new();
    for _ in 0..100 {
        shown = admin.rows("show @@transaction").await;
        if !shown.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(shown.len(), 2, "{shown:?}\n{}", serval.log());
    assert!(shown.iter().all(|row| row[1] == "g0" && row[3] == "lost"), "{shown:?}");
}
