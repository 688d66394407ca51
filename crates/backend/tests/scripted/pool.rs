//! Who gets a connection, when there is none, and when a server is down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_backend::{Health, Servers};
use serval_remote::{Access, Backend, Connection, RemoteError, Request, SessionState};
use serval_types::GroupId;

use crate::fake::{Door, Fake, Reply};
use crate::{acquire, group, plain, run, soon, start, start_timed, timing};

async fn many(servers: &Servers, count: usize, limit: Duration) -> Result<usize, RemoteError> {
    let state = SessionState::default();
    let deadline = Instant::now() + limit;
    servers.acquire_many(GroupId(0), Access::Primary, count, &state, deadline).await.map(|all| all.len())
}

/// Waits until the first server's health is this.
async fn becomes(servers: &Servers, word: &str) {
    for _ in 0..300 {
        if servers.statistics()[0].health.word() == word {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", servers.statistics()[0]);
}

#[tokio::test]
async fn waiting_ends_at_the_deadline() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let held = (acquire(&servers).await.unwrap(), acquire(&servers).await.unwrap());
    let started = Instant::now();
    let exhausted = many(&servers, 1, Duration::from_millis(50)).await;
    assert!(matches!(exhausted, Err(RemoteError::Exhausted { .. })), "{exhausted:?}");
    assert!(started.elapsed() < Duration::from_millis(500));
    drop(held);
    acquire(&servers).await.unwrap();
}

#[tokio::test]
async fn many_are_taken_at_once_or_not_at_all() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 4)]);
    assert_eq!(servers.fan_out(GroupId(0)), 2);
    let one = acquire(&servers).await.unwrap();
    assert!(matches!(many(&servers, 4, Duration::from_millis(50)).await, Err(RemoteError::Exhausted { .. })));
    assert!(matches!(many(&servers, 5, Duration::from_secs(60)).await, Err(RemoteError::Exhausted { .. })));
    drop(one);
    assert_eq!(many(&servers, 4, Duration::from_secs(1)).await.unwrap(), 4);
    assert_eq!(servers.statistics()[0].free, 4);
}

#[tokio::test]
async fn fan_outs_that_compete_all_finish() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 3)]);
    let mut competing = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let servers = Arc::clone(&servers);
        competing.spawn(async move { many(&servers, 2, Duration::from_secs(5)).await.unwrap() });
    }
    assert_eq!(competing.join_all().await.iter().sum::<usize>(), 40);
    let status = &servers.statistics()[0];
    assert!(status.opened <= 3, "{}", status.opened);
}

#[tokio::test]
async fn the_connection_in_the_right_database_and_state_is_preferred() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 4)]);
    let state = SessionState::default().with("sql_mode", "''");
    let held = [
        acquire(&servers).await.unwrap(),
        acquire(&servers).await.unwrap(),
        acquire(&servers).await.unwrap(),
    ];
    let wishes = [(None, None), (Some("shop_1"), Some(&state)), (Some("shop_2"), None)];
    for (mut connection, (database, state)) in held.into_iter().zip(wishes) {
        let wish = plain("SELECT 1");
        run(&mut connection, &Request { database, state: state.unwrap_or(wish.state), ..wish })
            .await
            .unwrap();
    }
    let before = fake.transcript().len();
    for (database, state) in wishes {
        let wish = plain("SELECT 2");
        let state = state.unwrap_or(wish.state);
        let mut connection = servers.acquire(GroupId(0), Access::Primary, state, soon()).await.unwrap();
        run(&mut connection, &Request { database, state, ..wish }).await.unwrap();
    }
    let after = &fake.transcript()[before..];
    assert!(after.iter().all(|line| line.ends_with("QUERY SELECT 2")), "{after:#?}");
}

#[tokio::test]
async fn a_server_that_is_down_fails_fast_and_comes_back() {
    let mut fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    fake.stop().await;
    let started = Instant::now();
    let down = acquire(&servers).await.err();
    assert!(matches!(down, Some(RemoteError::Unavailable { .. })), "{down:?}");
    assert!(started.elapsed() < Duration::from_millis(500));
    assert!(matches!(servers.statistics()[0].health, Health::Down { .. }));
    fake.start_again().await;
    becomes(&servers, "up").await;
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 2")).await.unwrap();
}

#[tokio::test]
async fn those_who_wait_for_a_server_that_dies_are_told() {
    let mut fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let held = acquire(&servers).await.unwrap();
    let waiting = {
        let servers = Arc::clone(&servers);
        tokio::spawn(async move { many(&servers, 1, Duration::from_secs(60)).await })
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    fake.stop().await;
    let told = tokio::time::timeout(Duration::from_secs(3), waiting).await.unwrap().unwrap();
    assert!(matches!(told, Err(RemoteError::Unavailable { .. })), "{told:?}");
    drop(held);
}

#[tokio::test]
async fn a_pooled_connection_that_was_closed_is_replaced_unseen() {
    let mut fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start_timed(
        &[group(&[&fake], 2)],
        crate::Timing { probe_interval: Duration::from_secs(60), ..timing() },
    );
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    fake.stop().await;
    fake.start_again().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 2")).await.unwrap();
    assert!(fake.transcript().contains(&"b QUERY DO 2".to_owned()), "{:#?}", fake.transcript());
}

#[tokio::test]
async fn one_that_was_idle_for_long_is_pinged() {
    let fake = Fake::start(Door::Native, |command| match command {
        "PING" => Reply::Silence,
        _ => Reply::Ok,
    })
    .await;
    let short = Duration::from_millis(20);
    let servers =
        start_timed(&[group(&[&fake], 2)], crate::Timing { ping_after: short, ping: short, ..timing() });
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    tokio::time::sleep(2 * short).await;
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 2")).await.unwrap();
    let transcript = fake.transcript();
    assert!(transcript.contains(&"a PING".to_owned()) && transcript.contains(&"b QUERY DO 2".to_owned()));
}

#[tokio::test]
async fn idle_connections_are_closed_in_time() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers =
        start_timed(&[group(&[&fake], 2)], crate::Timing { idle: Duration::from_millis(50), ..timing() });
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();
    fake.saw("a QUIT").await;
    assert_eq!(servers.statistics()[0].free, 0);
}

#[tokio::test]
async fn a_server_that_never_greets_times_out() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let mut group = group(&[&fake], 2);
    group.servers[0].address = serval_catalog::Address::Tcp {
        host: "127.0.0.1".to_owned(),
        port: silent.local_addr().unwrap().port(),
    };
    let servers = start(&[group]);
    let started = Instant::now();
    assert!(matches!(acquire(&servers).await, Err(RemoteError::Unavailable { .. })));
    assert!(matches!(acquire(&servers).await, Err(RemoteError::Unavailable { .. })));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_reload_keeps_what_stays_and_drains_what_goes() {
    let (old, new) =
        (Fake::start(Door::Native, |_| Reply::Ok).await, Fake::start(Door::Native, |_| Reply::Ok).await);
    let servers = start(&[group(&[&old], 2)]);
    let mut held = acquire(&servers).await.unwrap();
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 1")).await.unwrap();

    servers.apply_groups(&[group(&[&old], 4)], &crate::Settings::default()).unwrap();
    let status = &servers.statistics()[0];
    assert_eq!((status.max_connections, status.free), (4, 1));

    servers.apply_groups(&[group(&[&new], 1)], &crate::Settings::default()).unwrap();
    old.saw("a QUIT").await;
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 2")).await.unwrap();
    assert_eq!(new.transcript(), ["a QUERY DO 2"]);
    run(&mut held, &plain("DO 3")).await.unwrap();
    drop(held);
    old.saw("b QUIT").await;

    let mut renamed = group(&[&new], 1);
    renamed.name = "other".to_owned();
    assert!(servers.apply_groups(&[renamed], &crate::Settings::default()).is_err());
}

#[tokio::test]
async fn a_smaller_pool_shrinks_as_connections_come_back() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 3)]);
    let held = [
        acquire(&servers).await.unwrap(),
        acquire(&servers).await.unwrap(),
        acquire(&servers).await.unwrap(),
    ];
    servers.apply_groups(&[group(&[&fake], 1)], &crate::Settings::default()).unwrap();
    drop(held);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let one = acquire(&servers).await.unwrap();
    assert!(matches!(many(&servers, 1, Duration::from_millis(50)).await, Err(RemoteError::Exhausted { .. })));
    drop(one);
}

#[tokio::test]
async fn reads_go_to_healthy_replicas_and_else_to_the_primary() {
    let primary = Fake::start(Door::Native, |_| Reply::Ok).await;
    let mut replica = Fake::start(Door::Native, |command| match command {
        // A replica that is not set up as one is read from where no lag limit is set.
        "QUERY SHOW REPLICA STATUS" => Reply::Rows(0),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&primary, &replica], 2)]);
    for _ in 0..300 {
        if servers.statistics()[1].health == Health::Up {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let state = SessionState::default();
    let server = async || {
        let connection = servers.acquire(GroupId(0), Access::Replica, &state, soon()).await.unwrap();
        connection.server_name().to_owned()
    };
    assert_eq!(server().await, "g0/1");
    replica.stop().await;
    assert_eq!(server().await, "g0/0");
}
