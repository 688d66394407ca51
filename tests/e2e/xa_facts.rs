//! What the commit protocol takes for granted about servers, asked of the servers themselves.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use serval_testkit::{Flavour, Server};
use serval_tests::shared;

/// XAER_RMFAIL, XAER_NOTA, XAER_OUTSIDE, XA_RBDEADLOCK (MySQL).
pub(crate) const RMFAIL: u16 = 1399;
pub(crate) const NOTA: u16 = 1397;
pub(crate) const OUTSIDE: u16 = 1400;

/// A server, and a database with a table of two rows.
pub(crate) async fn table(name: &str) -> (&'static Server, String) {
    let server = shared().await.oracle.group(0).primary();
    for sql in [
        format!("CREATE DATABASE {name}"),
        format!("CREATE TABLE {name}.t (id INT PRIMARY KEY, v INT)"),
        format!("INSERT INTO {name}.t VALUES (1, 0), (2, 0)"),
    ] {
        server.execute(&sql).await.expect("a table");
    }
    (server, format!("{name}.t"))
}

pub(crate) async fn connect(server: &Server) -> Conn {
    server.connect_as_backend(None).await.expect("a connection")
}

/// The error number of a statement; 0 for none.
pub(crate) async fn number(conn: &mut Conn, sql: &str) -> u16 {
    match conn.query_drop(sql).await {
        Ok(()) => 0,
        Err(Error::Server(error)) => error.code,
        Err(error) => panic!("{sql}: {error}"),
    }
}

pub(crate) async fn must(conn: &mut Conn, statements: &[String]) {
    for sql in statements {
        assert_eq!(number(conn, sql).await, 0, "{sql}");
    }
}

pub(crate) fn branch(name: &str) -> impl Fn(&str) -> String {
    let name = format!("'fact.{name}','1'");
    move |verb| match verb.strip_suffix(" ONE PHASE") {
        Some(verb) => format!("XA {verb} {name} ONE PHASE"),
        None => format!("XA {verb} {name}"),
    }
}

pub(crate) async fn listed(conn: &mut Conn, name: &str) -> bool {
    let rows: Vec<(i64, i64, i64, Vec<u8>)> = conn.query("XA RECOVER").await.expect("XA RECOVER");
    rows.iter().any(|(_, _, _, data)| data.starts_with(format!("fact.{name}").as_bytes()))
}

#[tokio::test]
async fn a_plain_transaction_cannot_become_a_branch() {
    let (server, table) = table("xa_plain").await;
    let (mut conn, xa) = (connect(server).await, branch("plain"));
    must(&mut conn, &["START TRANSACTION".to_owned()]).await;
    assert_eq!(number(&mut conn, &xa("START")).await, OUTSIDE);
    must(&mut conn, &["ROLLBACK".to_owned(), xa("START"), format!("UPDATE {table} SET v = 1")]).await;
    for sql in ["COMMIT", "ROLLBACK", "START TRANSACTION", "CREATE TABLE xa_plain.u (id INT)"] {
        assert_eq!(number(&mut conn, sql).await, RMFAIL, "{sql}: nothing commits a branch by accident");
    }
    must(&mut conn, &["SAVEPOINT s".to_owned(), format!("UPDATE {table} SET v = 2")]).await;
    must(&mut conn, &["ROLLBACK TO SAVEPOINT s".to_owned(), "RELEASE SAVEPOINT s".to_owned()]).await;
    must(&mut conn, &[xa("END"), xa("COMMIT ONE PHASE")]).await;
    let sum: Option<i64> = conn.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
    assert_eq!(sum, Some(2), "the savepoint was gone back to, inside the branch");
}

/// After the owner's connection is closed a prepared branch is anybody's; before, only MySQL lets others finish it.
#[tokio::test]
async fn a_prepared_branch_outlives_its_connection() {
    let (server, table) = table("xa_owner").await;
    let (mut conn, mut other, xa) = (connect(server).await, connect(server).await, branch("owner"));
    must(&mut conn, &[xa("START"), format!("UPDATE {table} SET v = 1"), xa("END"), xa("PREPARE")]).await;
    assert!(listed(&mut other, "owner").await);
    let at_once = number(&mut other, &xa("COMMIT")).await;
    if Flavour::from_env() == Flavour::MariaDb {
        assert_eq!(at_once, NOTA, "it hangs on its connection although it is listed");
        assert!(listed(&mut other, "owner").await);
        must(&mut other, &[format!("KILL {}", conn.id())]).await;
        let mut after = NOTA;
        for _ in 0..100 {
            after = number(&mut other, &xa("COMMIT")).await;
            if after == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(after, 0);
    } else {
        assert_eq!(at_once, 0);
    }
    assert!(!listed(&mut other, "owner").await);
    assert_eq!(number(&mut other, &xa("COMMIT")).await, NOTA, "finished twice");
    let sum: Option<i64> = other.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
    assert_eq!(sum, Some(2));
}

#[tokio::test]
async fn what_is_not_prepared_goes_with_its_connection() {
    let (server, table) = table("xa_gone").await;
    let xa = branch("gone");
    for last in [None, Some(xa("END"))] {
        let mut conn = connect(server).await;
        must(&mut conn, &[xa("START"), format!("UPDATE {table} SET v = 1")]).await;
        must(&mut conn, &last.into_iter().collect::<Vec<_>>()).await;
        drop(conn);
        let mut other = connect(server).await;
        must(&mut other, &[format!("UPDATE {table} SET v = v + 0")]).await;
        assert!(!listed(&mut other, "gone").await);
        let sum: Option<i64> = other.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
        assert_eq!(sum, Some(0));
    }
}

/// After a deadlock XA END may be refused; XA ROLLBACK after it is not.
#[tokio::test]
async fn a_branch_that_lost_a_deadlock_is_rolled_back() {
    let (server, table) = table("xa_dead").await;
    let (mut conn, mut other, xa) = (connect(server).await, connect(server).await, branch("dead"));
    // The branch has changed less, so it is the victim.
    must(
        &mut other,
        &["START TRANSACTION".to_owned(), format!("INSERT INTO {table} VALUES (3, 0), (4, 0), (5, 0)")],
    )
    .await;
    must(&mut other, &[format!("UPDATE {table} SET v = 5 WHERE id = 1")]).await;
    must(&mut conn, &[xa("START"), format!("UPDATE {table} SET v = 6 WHERE id = 2")]).await;
    let sql = format!("UPDATE {table} SET v = 5 WHERE id = 2");
    let waiting = tokio::spawn(async move {
        let number = number(&mut other, &sql).await;
        (number, other)
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(number(&mut conn, &format!("UPDATE {table} SET v = 6 WHERE id = 1")).await, 1213);
    let next = number(&mut conn, &format!("SELECT * FROM {table}")).await;
    assert!(matches!(next, RMFAIL | 1614), "nothing runs in it any more: {next}");
    let end = number(&mut conn, &xa("END")).await;
    assert!(matches!(end, 0 | RMFAIL | 1614), "{end}");
    must(&mut conn, &[xa("ROLLBACK"), "START TRANSACTION".to_owned(), "ROLLBACK".to_owned()]).await;
    let (number, mut other) = waiting.await.expect("the other");
    assert_eq!(number, 0);
    must(&mut other, &["COMMIT".to_owned()]).await;
}

#[tokio::test]
async fn an_xa_end_that_is_refused_has_what_follows_refused() {
    let (server, table) = table("xa_end").await;
    let (mut conn, xa, wrong) = (connect(server).await, branch("end"), branch("wrong"));
    must(&mut conn, &[xa("START"), format!("UPDATE {table} SET v = 1")]).await;
    assert_ne!(number(&mut conn, &wrong("END")).await, 0);
    assert_ne!(number(&mut conn, &wrong("PREPARE")).await, 0);
    assert_ne!(number(&mut conn, &xa("PREPARE")).await, 0);
    assert_ne!(number(&mut conn, &xa("COMMIT ONE PHASE")).await, 0);
    must(&mut conn, &[xa("END"), xa("ROLLBACK")]).await;
}

/// The abort record waits for a commit record in flight, and is a duplicate if that one was first.
#[tokio::test]
async fn of_two_records_one_is_first() {
    let (server, table) = table("xa_record").await;
    let (mut conn, mut other) = (connect(server).await, connect(server).await);
    let insert = |v: i32| format!("INSERT INTO {table} VALUES (7, {v})");
    must(&mut other, &["SET innodb_lock_wait_timeout = 1".to_owned()]).await;
    must(&mut conn, &["START TRANSACTION".to_owned(), insert(1)]).await;
    assert_eq!(number(&mut other, &insert(2)).await, 1205, "it waits");
    must(&mut other, &["SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED".to_owned()]).await;
    let seen: Option<i32> =
        other.query_first(format!("SELECT v FROM {table} WHERE id = 7")).await.expect("a row");
    assert_eq!(seen, Some(1), "what is in flight can be seen");
    let seen: Option<i32> =
        other.query_first(format!("SELECT v FROM {table} WHERE id = 7")).await.expect("no row");
    assert_eq!(seen, None, "once");
    must(&mut conn, &["COMMIT".to_owned()]).await;
    assert_eq!(number(&mut other, &insert(2)).await, 1062);
}

#[tokio::test]
async fn temporary_tables_and_autocommit_in_a_branch() {
    let (server, _) = table("xa_temporary").await;
    let (mut conn, xa) = (connect(server).await, branch("temporary"));
    must(&mut conn, &[xa("START")]).await;
    let temporary = number(&mut conn, "CREATE TEMPORARY TABLE xa_temporary.u (id INT)").await;
    match Flavour::from_env() {
        Flavour::MariaDb => assert_eq!(temporary, 0),
        Flavour::MySql97 => assert_eq!(temporary, 4091),
    }
    assert_eq!(
        number(&mut conn, "SET autocommit = 1").await,
        0,
        "backends are at 1, and may be told so again"
    );
    must(&mut conn, &[xa("END"), xa("ROLLBACK")]).await;
}

/// A reset of a connection that holds a prepared branch breaks the branch on MariaDB: such connections are closed. That the
/// proxy does so is tested with the proxy; this is why.
#[tokio::test]
async fn a_prepared_branch_survives_its_server() {
    let cluster = serval_testkit::Cluster::single(Flavour::from_env()).await.expect("a server");
    let server = cluster.group(0).primary();
    server.execute("CREATE DATABASE d").await.expect("a database");
    server.execute("CREATE TABLE d.t (id INT PRIMARY KEY)").await.expect("a table");
    let (mut conn, xa) = (connect(server).await, branch("killed"));
    must(&mut conn, &[xa("START"), "INSERT INTO d.t VALUES (1)".to_owned(), xa("END"), xa("PREPARE")]).await;
    server.kill().await.expect("kill");
    server.start_again().await.expect("start");
    let mut conn = connect(server).await;
    assert!(listed(&mut conn, "killed").await);
    must(&mut conn, &["SET innodb_lock_wait_timeout = 1".to_owned()]).await;
    assert_eq!(number(&mut conn, "INSERT INTO d.t VALUES (1)").await, 1205, "its locks are kept");
    must(&mut conn, &[xa("COMMIT")]).await;
    assert_eq!(number(&mut conn, "INSERT INTO d.t VALUES (1)").await, 1062);
}
