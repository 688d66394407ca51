//! Where a group's replication is semi-synchronous, a transaction is decided only when what was prepared there has reached
//! a replica.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::{Cluster, Flavour, ServalProcess};
use serval_tests::{APP, Client, Topology, eventually, get, make_databases, on_node, own_cluster};

use crate::failover::{promote, proxy_over_rows};

/// Turns semi-synchronous replication on in all groups, with a timeout that never falls back: lossless with AFTER_SYNC. MySQL
/// has it as plugins.
pub(crate) async fn acknowledged(cluster: &Cluster, wait_point: &str) {
    let (source, sink, clients) = match Flavour::from_env() {
        Flavour::MariaDb => ("master", "slave", "information_schema.GLOBAL_STATUS"),
        Flavour::MySql97 => ("source", "replica", "performance_schema.global_status"),
    };
    for group in cluster.groups() {
        let (primary, replica) = (group.primary(), group.replica(0));
        if Flavour::from_env() == Flavour::MySql97 {
            for (server, role) in [(primary, source), (replica, sink)] {
                let install = format!("INSTALL PLUGIN rpl_semi_sync_{role} SONAME 'semisync_{role}.so'");
                server.execute_all(&["SET sql_log_bin = 0", &install]).await.expect("a plugin");
            }
        }
        for (server, sql) in [
            (replica, format!("SET GLOBAL rpl_semi_sync_{sink}_enabled = ON")),
            (replica, "STOP REPLICA IO_THREAD".to_owned()),
            (primary, format!("SET GLOBAL rpl_semi_sync_{source}_timeout = 600000")),
            (primary, format!("SET GLOBAL rpl_semi_sync_{source}_wait_point = {wait_point}")),
            (primary, format!("SET GLOBAL rpl_semi_sync_{source}_enabled = ON")),
            (replica, "START REPLICA IO_THREAD".to_owned()),
        ] {
            server.execute(&sql).await.expect("semi-synchronous replication");
        }
        let sql = format!(
            "SELECT VARIABLE_VALUE FROM {clients} WHERE VARIABLE_NAME = 'rpl_semi_sync_{source}_clients'"
        );
        eventually("the replica acknowledges", Duration::from_secs(20), || async {
            primary.value::<String>(&sql).await.expect("a status").as_deref() == Some("1")
        })
        .await;
    }
}

/// MariaDB needs help for this: its XA PREPARE does not wait where its commits wait after they are done. MySQL's does.
#[tokio::test]
async fn the_decision_waits_for_the_replica() {
    let cluster = own_cluster().await;
    let replica = cluster.group(1).replica(0);
    acknowledged(&cluster, "AFTER_COMMIT").await;
    let topology = Topology::new("semi_sync");
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let options = || serval.client_options(APP.0, APP.1, Some(&topology.schema));
    let mut client = Client::connect("proxy", options()).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    let records = async || {
        let sql = "SELECT COUNT(*) FROM $db.serval_transaction";
        on_node_number(&cluster, &topology.schema, sql).await
    };
    let before = records().await;

    replica.execute("STOP REPLICA IO_THREAD").await.expect("stop");
    let id = client.id();
    let committing = tokio::spawn(async move {
        let answer = client.run("UPDATE t1 SET v = 1").await;
        (client, answer)
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!committing.is_finished(), "no replica has what was prepared");
    assert_eq!(records().await, before, "nothing is decided yet");
    // A commit that is under way is not interrupted: on one server it would not be either.
    let mut other = Client::connect("proxy", options()).await;
    other.must(&format!("KILL QUERY {id}")).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!committing.is_finished());
    replica.execute("START REPLICA IO_THREAD").await.expect("start");
    let (mut client, answer) = committing.await.expect("the client");
    assert_eq!(answer.error_number(), 0, "{answer:?}");
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "20");
    assert_eq!(records().await, before + 1);
}

async fn on_node_number(cluster: &serval_testkit::Cluster, schema: &str, sql: &str) -> u64 {
    let sql = sql.replace("COUNT(*)", "CONCAT(COUNT(*))");
    on_node(cluster, schema, 0, &sql).await[0].parse().expect("a number")
}

/// With lossless semi-synchronous replication a failover loses nothing that a client was told, and nothing is half there.
#[tokio::test]
async fn a_failover_loses_nothing() {
    let cluster = own_cluster().await;
    acknowledged(&cluster, "AFTER_SYNC").await;
    let (topology, serval) = proxy_over_rows(&cluster, "semi_sync_over").await;
    let connect =
        async || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    let mut client = connect().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // The second group first, which holds branches; then the first, which holds the decisions.
    for (lost, groups) in [(1, vec![1]), (0, vec![1, 0])] {
        let mut working = connect().await;
        let committing = tokio::spawn(async move {
            let mut done = 0;
            while working.run("UPDATE t1 SET v = v + 1").await.error_number() == 0 && done < 100_000 {
                done += 1;
            }
            done
        });
        let before: u64 = client.value("SELECT MIN(v) FROM t1").await.parse().expect("a number");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        cluster.group(lost).primary().kill().await.expect("kill");
        let replica = cluster.group(lost).replica(0);
        // What was acknowledged is in the relay log, and has to be applied before the replica is promoted.
        replica.execute("STOP REPLICA IO_THREAD").await.expect("stop");
        let idle = match Flavour::from_env() {
            Flavour::MariaDb => {
                "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Slave has read all relay log%'"
            }
            Flavour::MySql97 => {
                "SELECT GTID_SUBSET(received_transaction_set, @@GLOBAL.gtid_executed) FROM \
                 performance_schema.replication_connection_status"
            }
        };
        eventually("the relay log is applied", Duration::from_secs(20), || async {
            replica.value::<u64>(idle).await.expect("what the replica does") == Some(1)
        })
        .await;
        promote(&cluster, &topology, &serval, &groups).await;
        let done: u64 = committing.await.expect("the client");
        assert!(done > 0, "it has worked before");
        eventually("no branch is left", Duration::from_secs(20), || async {
            let rows: Vec<mysql_async::Row> =
                replica.connect().await.expect("a connection").query("XA RECOVER").await.expect("XA RECOVER");
            rows.is_empty() && connect().await.run("SELECT SUM(v) FROM t1").await.error_number() == 0
        })
        .await;
        client = connect().await;
        let row = client.rows("SELECT MIN(v), MAX(v) FROM t1").await.remove(0);
        assert_eq!(row[0], row[1], "all of a transaction or nothing");
        let there: u64 = row[0].parse().expect("a number");
        assert!(there >= done && there >= before, "{there} of {done}");
        let metrics = get(serval.ports().http(), "/metrics").await.body;
        assert!(metrics.contains("serval_transactions_lost_total 0"), "{metrics}\n{}", serval.log());
    }
}
