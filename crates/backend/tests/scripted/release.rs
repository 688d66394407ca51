//! Connections that somebody lets go of, in whatever state.

use std::time::Duration;

use serval_backend::Servers;
use serval_catalog::Settings;
use serval_remote::{Connection, Request};
use tokio_util::sync::CancellationToken;

use crate::fake::{Door, Fake, Reply};
use crate::{acquire, group, plain, run, start, timing};

#[tokio::test]
async fn an_idle_connection_is_used_again() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    for _ in 0..3 {
        run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    }
    assert_eq!(fake.transcript(), ["a QUERY DO 1"; 3]);
    let status = &servers.statistics()[0];
    assert_eq!((status.opened, status.used, status.free), (1, 0, 1));
}

#[tokio::test]
async fn an_open_transaction_is_rolled_back_before_reuse() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    run(&mut connection, &Request { begin: Some("BEGIN"), ..plain("UPDATE t") }).await.unwrap();
    drop(connection);
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    assert_eq!(fake.transcript(), ["a QUERY BEGIN", "a QUERY UPDATE t", "a QUERY ROLLBACK", "a QUERY DO 1"]);
}

#[tokio::test]
async fn a_rollback_that_fails_closes() {
    let fake = Fake::start(Door::Native, |command| match command {
        "QUERY ROLLBACK" => Reply::Err(1180),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    run(&mut connection, &Request { begin: Some("BEGIN"), ..plain("UPDATE t") }).await.unwrap();
    drop(connection);
    fake.saw("a closed").await;
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
}

#[tokio::test]
async fn an_abandoned_statement_is_killed() {
    let fake = Fake::start(Door::Native, |command| match command {
        "QUERY SELECT SLEEP(100)" => Reply::Silence,
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    let never =
        tokio::time::timeout(Duration::from_millis(50), run(&mut connection, &plain("SELECT SLEEP(100)")))
            .await;
    assert!(never.is_err());
    drop(connection);
    fake.saw("a closed").await;
    fake.saw("b QUERY KILL 7").await;
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    assert_eq!(servers.statistics()[0].killed, 1);
}

#[tokio::test]
async fn a_discarded_connection_is_closed() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    run(&mut connection, &plain("CREATE TEMPORARY TABLE t")).await.unwrap();
    connection.spoil();
    drop(connection);
    fake.saw("a QUIT").await;
}

#[tokio::test]
async fn a_shutdown_waits_for_rollbacks_and_closes_the_pool() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let shutdown = CancellationToken::new();
    let servers =
        Servers::start_with(&[group(&[&fake], 2)], &Settings::default(), timing(), shutdown.clone());
    let mut idle = acquire(&servers).await.unwrap();
    let mut open = acquire(&servers).await.unwrap();
    run(&mut open, &Request { begin: Some("BEGIN"), ..plain("UPDATE t") }).await.unwrap();
    run(&mut idle, &plain("DO 1")).await.unwrap();
    drop((idle, open));
    shutdown.cancel();
    servers.drained(Duration::from_secs(5)).await;
    for line in ["a QUERY ROLLBACK", "a QUIT", "b QUIT"] {
        fake.saw(line).await;
    }
}

#[tokio::test]
async fn an_interrupted_read_can_go_on() {
    let fake = Fake::start(Door::Native, |_| Reply::Rows(2)).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    connection.send(&plain("SELECT")).await.unwrap();
    let interrupted = tokio::select! {
        biased;
        _ = connection.read_burst() => false,
        () = std::future::ready(()) => true,
    };
    assert!(interrupted);
    while connection.read_burst().await.unwrap().completion.is_none() {}
    drop(connection);
    assert_eq!(servers.statistics()[0].free, 1);
}
