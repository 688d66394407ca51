//! Servers that go away, come back, freeze and fall behind.

use std::time::{Duration, Instant};

use serval_backend::Servers;
use serval_catalog::Secret;
use serval_remote::{Access, Connection, RemoteError, SessionState};

use crate::{acquire, ask, cluster, eventually, group, plain, start};

async fn becomes(servers: &Servers, server: usize, word: &str) {
    eventually(word, async || servers.statistics()[server].health.word() == word).await;
}

async fn fails_fast(servers: &Servers) {
    let started = Instant::now();
    let failed = acquire(servers, Access::Primary).await.err();
    assert!(matches!(failed, Some(RemoteError::Unavailable { .. })), "{failed:?}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_primary_dies_and_comes_back() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    let servers = start(group(&cluster, 4));
    let fresh = SessionState::default();
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    ask(&mut connection, &plain("SELECT 1", &fresh)).await.unwrap();
    assert!(servers.lowest_version().is_some());

    server.kill().await.unwrap();
    let lost = ask(&mut connection, &plain("SELECT 1", &fresh)).await;
    assert!(matches!(lost, Err(RemoteError::Lost { .. })), "{lost:?}");
    drop(connection);
    fails_fast(&servers).await;
    becomes(&servers, 0, "down").await;

    server.start_again().await.unwrap();
    becomes(&servers, 0, "up").await;
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    assert_eq!(ask(&mut connection, &plain("SELECT 1", &fresh)).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_waited_for() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    server.stop().await.unwrap();
    let servers = start(group(&cluster, 4));
    fails_fast(&servers).await;
    server.start_again().await.unwrap();
    becomes(&servers, 0, "up").await;
    acquire(&servers, Access::Primary).await.unwrap();
}

#[tokio::test]
async fn a_frozen_server_is_noticed() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    let servers = start(group(&cluster, 4));
    becomes(&servers, 0, "up").await;
    server.pause().await;
    becomes(&servers, 0, "down").await;
    fails_fast(&servers).await;
    server.resume().await;
    becomes(&servers, 0, "up").await;
    acquire(&servers, Access::Primary).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let cluster = cluster(0, &[]).await;
    let mut group = group(&cluster, 4);
    group.password = Secret::new("not-it");
    let servers = start(group);
    let failed = acquire(&servers, Access::Primary).await.unwrap_err().to_string();
    assert!(failed.contains("1045") && !failed.contains("not-it"), "{failed}");
}

#[tokio::test]
async fn a_user_without_password_and_a_socket() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    server.execute_all(&["CREATE USER nobody@'%'", "GRANT SELECT ON *.* TO nobody@'%'"]).await.unwrap();
    let mut nobody = group(&cluster, 1);
    (nobody.user, nobody.password) = ("nobody".to_owned(), Secret::new(""));
    acquire(&start(nobody), Access::Primary).await.unwrap();
    let mut local = group(&cluster, 1);
    local.servers[0].address = serval_catalog::Address::Unix(server.socket());
    let mut connection = acquire(&start(local), Access::Primary).await.unwrap();
    ask(&mut connection, &plain("SELECT 1", &SessionState::default())).await.unwrap();
}

#[tokio::test]
async fn reads_go_to_replicas_that_replicate() {
    let cluster = cluster(2, &[]).await;
    let servers = start(group(&cluster, 4));
    let names: Vec<String> = cluster.servers().map(|server| server.name().to_owned()).collect();
    for replica in [1, 2] {
        becomes(&servers, replica, "up").await;
        let status = &servers.statistics()[replica];
        assert!(status.lag.is_some() && status.version.is_some(), "{status:?}");
    }
    let readers = async || {
        let mut readers = std::collections::BTreeSet::new();
        for _ in 0..20 {
            readers.insert(acquire(&servers, Access::Replica).await.unwrap().server_name().to_owned());
        }
        readers.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(readers().await, names[1..]);

    cluster.group(0).replica(0).stop_replication().await.unwrap();
    becomes(&servers, 1, "lagging").await;
    assert_eq!(readers().await, names[2..]);
    cluster.group(0).replica(1).kill().await.unwrap();
    assert_eq!(readers().await, names[..1]);
    cluster.group(0).replica(0).start_replication().await.unwrap();
    becomes(&servers, 1, "up").await;
    assert_eq!(readers().await, names[1..2]);
}
