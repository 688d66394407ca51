//! Real servers start, replicate, survive a kill with their data, and leave nothing behind.

use std::path::Path;

use serval_testkit::{Cluster, ClusterSpec, Flavour};

async fn exercise(flavour: Flavour) {
    let cluster = Cluster::start(ClusterSpec::new(flavour, 2, 1)).await.expect("cluster");
    let group = cluster.group(1);
    let (primary, replica) = (group.primary(), group.replica(0));
    primary.execute_all(&["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"]).await.expect("ddl");
    primary.execute("INSERT INTO d.t VALUES (1), (2)").await.expect("insert");
    cluster.wait_until_replicated().await.expect("replicated");
    assert_eq!(replica.column::<i32>("SELECT id FROM d.t ORDER BY id").await.expect("rows"), [1, 2]);

    let mut backend = replica.connect_as_backend(Some("d")).await.expect("backend user");
    let refused = mysql_async::prelude::Queryable::query_drop(&mut backend, "INSERT INTO t VALUES (3)").await;
    assert!(refused.is_err_and(|error| error.to_string().contains("read-only")));
    drop(backend);

    primary.kill().await.expect("kill");
    assert!(primary.connect().await.is_err());
    primary.start_again().await.expect("start again");
    primary.execute("INSERT INTO d.t VALUES (4)").await.expect("insert");
    replica.stop().await.expect("stop");
    replica.start_again().await.expect("start again");
    cluster.wait_until_replicated().await.expect("replicated after restarts");
    assert_eq!(replica.value::<i32>("SELECT COUNT(*) FROM d.t").await.expect("count"), Some(3));

    let mut pids = Vec::new();
    for server in cluster.servers() {
        pids.push(server.pid().await.expect("running"));
    }
    let directory = cluster.directory().to_owned();
    drop(cluster);
    assert!(!directory.exists());
    assert!(pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
}

#[tokio::test]
async fn mariadb() {
    exercise(Flavour::MariaDb).await;
}

#[tokio::test]
async fn mysql97_where_it_is_prepared() {
    if Flavour::MySql97.available().is_ok() {
        exercise(Flavour::MySql97).await;
    }
}
