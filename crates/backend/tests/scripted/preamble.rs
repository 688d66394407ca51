//! What precedes a statement, and what happens when it is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use serval_remote::{Connection, RemoteError, Request, SessionState};

use crate::fake::{Door, Fake, Reply};
use crate::{acquire, group, plain, run, start};
use serval_backend::Servers;

static FRESH: LazyLock<SessionState> = LazyLock::new(SessionState::default);

#[tokio::test]
async fn the_first_time_is_waited_for_and_the_next_is_pipelined() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    let strict = FRESH.with("sql_mode", "'STRICT_ALL_TABLES'");
    let full = |database, state| Request {
        state,
        database: Some(database),
        begin: Some("BEGIN"),
        ..plain("SELECT 1")
    };

    run(&mut connection, &full("shop_0", &strict)).await.unwrap();
    run(&mut connection, &Request { state: &strict, ..plain("COMMIT") }).await.unwrap();
    run(&mut connection, &full("shop_1", &FRESH)).await.unwrap();
    run(&mut connection, &plain("COMMIT")).await.unwrap();
    run(&mut connection, &full("shop_0", &strict)).await.unwrap();
    assert_eq!(
        fake.transcript(),
        [
            "a INIT_DB shop_0",
            "a QUERY SET sql_mode='STRICT_ALL_TABLES'",
            "a QUERY BEGIN",
            "a QUERY SELECT 1",
            "a QUERY COMMIT",
            "a INIT_DB shop_1",
            "a QUERY SET sql_mode=DEFAULT",
            "a QUERY BEGIN +",
            "a QUERY SELECT 1",
            "a QUERY COMMIT",
            "a QUERY SET sql_mode='STRICT_ALL_TABLES' +",
            "a QUERY BEGIN +",
            "a INIT_DB shop_0 +",
            "a QUERY SELECT 1",
        ]
    );
    assert!(connection.in_transaction());
}

#[tokio::test]
async fn a_write_waits_for_its_database() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    for database in ["shop_0", "shop_1", "shop_0"] {
        let request = Request { database: Some(database), sql: b"DELETE FROM t", ..plain("") };
        run(&mut connection, &request).await.unwrap();
    }
    assert!(fake.transcript().iter().all(|line| !line.ends_with('+')), "{:#?}", fake.transcript());
}

#[tokio::test]
async fn in_a_transaction_a_write_may_follow_its_database_unseen() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    for database in ["shop_0", "shop_1"] {
        run(&mut connection, &Request { database: Some(database), ..plain("SELECT 1") }).await.unwrap();
    }
    let before = fake.transcript().len();
    let first = Request { database: Some("shop_0"), begin: Some("BEGIN"), ..plain("DELETE FROM t") };
    run(&mut connection, &first).await.unwrap();
    run(&mut connection, &Request { database: Some("shop_1"), ..plain("DELETE FROM t") }).await.unwrap();
    run(&mut connection, &Request { database: Some("shop_0"), ..plain("CREATE TABLE u (a INT)") })
        .await
        .unwrap();
    assert_eq!(
        fake.transcript()[before..],
        [
            "a QUERY BEGIN",
            "a INIT_DB shop_0 +",
            "a QUERY DELETE FROM t",
            "a INIT_DB shop_1 +",
            "a QUERY DELETE FROM t",
            "a INIT_DB shop_0",
            "a QUERY CREATE TABLE u (a INT)",
        ]
    );
}

/// The branch `name` on a connection of its own: one write, and its end.
async fn branch(servers: &Servers, name: &str, sql: &'static str) -> Result<(), RemoteError> {
    let mut connection = acquire(servers).await.unwrap();
    let known = connection.begins_branch();
    let begin = format!("XA START '{name}'");
    if !known {
        run(&mut connection, &Request { begin: Some(&begin), ..plain("DO 0") }).await?;
    }
    let first = Request { begin: known.then_some(&*begin), ..plain(sql) };
    run(&mut connection, &first).await?;
    let (end, commit) = (format!("XA END '{name}'"), format!("XA COMMIT '{name}' ONE PHASE"));
    run(&mut connection, &Request { begin: Some(&end), ..plain(&commit) }).await.map(drop)
}

#[tokio::test]
async fn a_branch_begins_with_its_first_write_and_without_autocommit() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    for (name, sql) in [("a", "DELETE FROM t"), ("b", "DELETE FROM t"), ("c", "CALL p()")] {
        branch(&servers, name, sql).await.unwrap();
    }
    run(&mut acquire(&servers).await.unwrap(), &plain("DELETE FROM t")).await.unwrap();
    branch(&servers, "d", "DELETE FROM t").await.unwrap();
    assert_eq!(
        fake.transcript(),
        [
            "a QUERY SET autocommit=0",
            "a QUERY XA START 'a'",
            "a QUERY DO 0",
            "a QUERY DELETE FROM t",
            "a QUERY XA END 'a' +",
            "a QUERY XA COMMIT 'a' ONE PHASE",
            "a QUERY XA START 'b' +",
            "a QUERY DELETE FROM t",
            "a QUERY XA END 'b' +",
            "a QUERY XA COMMIT 'b' ONE PHASE",
            "a QUERY XA START 'c'",
            "a QUERY CALL p()",
            "a QUERY XA END 'c' +",
            "a QUERY XA COMMIT 'c' ONE PHASE",
            "a QUERY SET autocommit=1",
            "a QUERY DELETE FROM t",
            "a QUERY SET autocommit=0 +",
            "a QUERY XA START 'd' +",
            "a QUERY DELETE FROM t",
            "a QUERY XA END 'd' +",
            "a QUERY XA COMMIT 'd' ONE PHASE",
        ]
    );
}

#[tokio::test]
async fn a_branch_takes_the_connection_that_was_a_branch_before() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut plainly = acquire(&servers).await.unwrap();
    branch(&servers, "a", "DELETE FROM t").await.unwrap();
    run(&mut plainly, &plain("DO 1")).await.unwrap();
    drop(plainly);
    let before = fake.transcript().len();
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 2")).await.unwrap();
    branch(&servers, "b", "DELETE FROM t").await.unwrap();
    assert!(!fake.transcript()[before..].iter().any(|line| line.contains("autocommit")));
}

#[tokio::test]
async fn what_followed_a_refused_branch_is_closed_with_its_connection() {
    let fake = Fake::start(Door::Native, |command| match command {
        "QUERY XA START 'b'" => Reply::Err(1440),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 2)]);
    branch(&servers, "a", "DELETE FROM t").await.unwrap();
    let refused = branch(&servers, "b", "DELETE FROM t").await;
    assert!(matches!(refused, Err(RemoteError::Lost { sent: true, .. })), "{refused:?}");
    // It has to be accepted anew, and on another connection.
    branch(&servers, "c", "DELETE FROM t").await.unwrap();
    assert!(fake.transcript().iter().any(|line| line == "b QUERY DO 0"));
}

#[tokio::test]
async fn a_refused_preamble_keeps_the_statement_back() {
    let fake = Fake::start(Door::Native, |command| match command {
        "INIT_DB gone" => Reply::Err(1049),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    let request = Request { database: Some("gone"), begin: Some("BEGIN"), ..plain("DELETE FROM t") };
    connection.send(&request).await.unwrap();
    let refused = connection.read_burst().await;
    assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1049), "{refused:?}");
    run(&mut connection, &plain("DO 1")).await.unwrap();
    assert_eq!(fake.transcript(), ["a INIT_DB gone", "a QUERY DO 1"]);
}

#[tokio::test]
async fn a_connection_with_a_refused_set_is_not_used_again() {
    let fake = Fake::start(Door::Native, |command| match command {
        "QUERY SET sql_mode='x'" => Reply::Err(1231),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    let state = FRESH.with("sql_mode", "'x'");
    assert!(matches!(
        run(&mut connection, &Request { state: &state, ..plain("DO 1") }).await,
        Err(RemoteError::Refused(_))
    ));
    drop(connection);
    run(&mut acquire(&servers).await.unwrap(), &plain("DO 2")).await.unwrap();
    assert_eq!(fake.transcript(), ["a QUERY SET sql_mode='x'", "a QUIT", "b QUERY DO 2"]);
}

#[tokio::test]
async fn what_was_accepted_before_and_is_refused_now_ends_the_connection() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let fake = Fake::start(Door::Native, move |command| match command {
        "INIT_DB shop_0" if flag.load(Ordering::Relaxed) => Reply::Err(1049),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    for database in ["shop_0", "shop_1"] {
        run(&mut connection, &Request { database: Some(database), ..plain("SELECT 1") }).await.unwrap();
    }
    dropped.store(true, Ordering::Relaxed);
    let lost = run(&mut connection, &Request { database: Some("shop_0"), ..plain("SELECT 2") }).await;
    assert!(matches!(lost, Err(RemoteError::Lost { sent: true, .. })), "{lost:?}");
    drop(connection);
    fake.saw("a closed").await;
}
