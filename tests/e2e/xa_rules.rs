//! The rest of what the commit protocol takes for granted about servers. docs/testing.md says which test pins which rule.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::{Cluster, Flavour};
use serval_tests::{eventually, own_cluster};

use crate::xa_facts::{NOTA, OUTSIDE, RMFAIL, branch, connect, listed, must, number, table};

/// XAER_DUPID, XA_RBROLLBACK, ER_XAER_RMERR's neighbour for a missing privilege.
const DUPLICATE: u16 = 1440;
const ROLLED_BACK: u16 = 1402;
const NOT_ALLOWED: u16 = 1401;

fn mariadb() -> bool {
    Flavour::from_env() == Flavour::MariaDb
}

/// One server that the test may ruin, with `d.t` of two rows.
async fn own_server() -> Cluster {
    let cluster = Cluster::single(Flavour::from_env()).await.expect("a server");
    for sql in [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY, v INT)",
        "INSERT INTO d.t VALUES (1, 0), (2, 0)",
    ] {
        cluster.group(0).primary().execute(sql).await.expect(sql);
    }
    cluster
}

#[tokio::test]
async fn names_have_64_bytes_and_are_unique() {
    let (server, _) = table("xa_names").await;
    let (mut conn, mut other) = (connect(server).await, connect(server).await);
    let name = |length: usize| format!("'{}','1'", "n".repeat(length));
    must(&mut conn, &[format!("XA START {}", name(64))]).await;
    assert_eq!(number(&mut other, &format!("XA START {}", name(64))).await, DUPLICATE);
    assert_eq!(number(&mut other, &format!("XA START {}", name(65))).await, 1064);
    assert_eq!(number(&mut other, "XA START 'a','1' WITH CONSISTENT SNAPSHOT").await, 1064);
    must(&mut conn, &[format!("XA END {}", name(64)), format!("XA ROLLBACK {}", name(64))]).await;
}

/// Who may list branches: on MySQL it takes a privilege, which the documents ask for.
#[tokio::test]
async fn listing_branches_takes_a_privilege_on_mysql() {
    let (server, _) = table("xa_privilege").await;
    for sql in ["CREATE USER plain@'%' IDENTIFIED BY 'plain'", "GRANT SELECT ON xa_privilege.* TO plain@'%'"]
    {
        server.execute(sql).await.expect(sql);
    }
    let options = server.backend_options().user(Some("plain")).pass(Some("plain"));
    let mut plain = mysql_async::Conn::new(options).await.expect("a connection");
    assert_eq!(number(&mut plain, "XA RECOVER").await, if mariadb() { 0 } else { NOT_ALLOWED });
    assert_eq!(number(&mut connect(server).await, "XA RECOVER").await, 0, "Serval's account has it");
    server.execute("DROP USER plain@'%'").await.expect("dropped");
}

#[tokio::test]
async fn after_prepare_only_mysql_lets_the_connection_go_on() {
    let (server, table) = table("xa_after").await;
    let (mut conn, mut other, xa) = (connect(server).await, connect(server).await, branch("after"));
    must(&mut conn, &[xa("START"), format!("UPDATE {table} SET v = 1 WHERE id = 1")]).await;
    must(&mut conn, &[xa("END")]).await;
    assert_eq!(number(&mut conn, "SAVEPOINT s").await, RMFAIL, "no savepoints in IDLE");
    must(&mut conn, &[xa("PREPARE"), "DO 1".to_owned()]).await;
    let read = number(&mut conn, &format!("SELECT * FROM {table}")).await;
    assert_eq!(read, if mariadb() { RMFAIL } else { 0 });
    // Inside somebody else's transaction no branch can be finished.
    must(&mut other, &["START TRANSACTION".to_owned(), format!("SELECT * FROM {table}")]).await;
    assert_eq!(number(&mut other, &xa("COMMIT")).await, if mariadb() { OUTSIDE } else { RMFAIL });
    must(&mut other, &["ROLLBACK".to_owned()]).await;
    must(&mut conn, &[xa("COMMIT")]).await;
    let sum: Option<i64> = other.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
    assert_eq!(sum, Some(1));
}

/// A branch that has only read, but locked: its locks hold until it is prepared, on MariaDB until it is finished.
#[tokio::test]
async fn a_branch_that_only_read() {
    let (server, table) = table("xa_read").await;
    let (mut conn, mut other, xa) = (connect(server).await, connect(server).await, branch("read"));
    let lock = format!("SELECT v FROM {table} WHERE id = 1 FOR UPDATE");
    must(&mut conn, &[xa("START"), lock.clone(), xa("END"), xa("PREPARE")]).await;
    assert!(listed(&mut other, "read").await);
    must(&mut other, &["SET innodb_lock_wait_timeout = 1".to_owned()]).await;
    assert_eq!(number(&mut other, &lock).await, if mariadb() { 1205 } else { 0 });
    let id = conn.id();
    drop(conn);
    let _ = number(&mut other, &format!("KILL {id}")).await;
    let mut ended = NOTA;
    for _ in 0..100 {
        ended = number(&mut other, &xa("COMMIT")).await;
        if ended != NOTA || !listed(&mut other, "read").await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ended, if mariadb() { ROLLED_BACK } else { 0 });
    assert!(!listed(&mut other, "read").await, "finished, whatever was said of it");
    must(&mut other, &[lock]).await;
}

#[tokio::test]
async fn nothing_escapes_from_an_active_branch() {
    let (server, table) = table("xa_active").await;
    let (mut conn, xa) = (connect(server).await, branch("active"));
    must(&mut conn, &["SET autocommit = 0".to_owned(), format!("SELECT * FROM {table}")]).await;
    assert_eq!(
        number(&mut conn, &xa("START")).await,
        OUTSIDE,
        "a read without autocommit has begun something"
    );
    must(&mut conn, &["ROLLBACK".to_owned(), xa("START"), format!("UPDATE {table} SET v = 1")]).await;
    let nested = branch("nested")("START");
    let lock = format!("LOCK TABLES {table} READ");
    for sql in [
        "SET autocommit = 1",
        &lock,
        &nested,
        "BEGIN",
        "TRUNCATE TABLE xa_active.t",
        "DROP TABLE xa_active.t",
    ] {
        assert_eq!(number(&mut conn, sql).await, RMFAIL, "{sql}");
    }
    assert_eq!(number(&mut conn, "SET TRANSACTION READ ONLY").await, 1568);
    must(&mut conn, &[xa("END"), xa("ROLLBACK")]).await;
    let sum: Option<i64> = conn.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
    assert_eq!(sum, Some(0));
}

/// Serval sends XA START and the first write together, so it matters what becomes of a write behind a refused XA START.
#[tokio::test]
async fn without_autocommit_nothing_behind_a_refused_start_stays() {
    let (server, table) = table("xa_start").await;
    let (mut holder, xa) = (connect(server).await, branch("start"));
    must(&mut holder, &[xa("START")]).await;
    for (autocommit, stays) in [(0, 0), (1, 1)] {
        let mut conn = connect(server).await;
        must(&mut conn, &[format!("SET autocommit = {autocommit}")]).await;
        assert_eq!(number(&mut conn, &xa("START")).await, DUPLICATE);
        must(&mut conn, &["USE xa_start".to_owned(), "UPDATE t SET v = 1 WHERE id = 1".to_owned()]).await;
        drop(conn);
        must(&mut holder, &["SAVEPOINT s".to_owned(), format!("UPDATE {table} SET v = v WHERE id = 1")])
            .await;
        let sum: Option<i64> =
            holder.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
        assert_eq!(sum, Some(stays), "autocommit = {autocommit}");
        must(&mut holder, &["ROLLBACK TO SAVEPOINT s".to_owned()]).await;
    }
    must(&mut holder, &[xa("END"), xa("ROLLBACK")]).await;
}

/// A connection without autocommit that has finished a branch is as good as one with autocommit.
#[tokio::test]
async fn without_autocommit_one_branch_follows_another() {
    let (server, table) = table("xa_manual").await;
    let (mut conn, xa) = (connect(server).await, branch("manual"));
    must(&mut conn, &["SET autocommit = 0".to_owned()]).await;
    let write = format!("UPDATE {table} SET v = v + 1 WHERE id = 1");
    for ends in [vec![xa("PREPARE"), xa("COMMIT")], vec![xa("COMMIT ONE PHASE")], vec![xa("ROLLBACK")]] {
        must(&mut conn, &[xa("START"), "USE xa_manual".to_owned(), write.clone(), xa("END")]).await;
        must(&mut conn, &ends).await;
    }
    must(&mut conn, &["SET autocommit = 1".to_owned(), write]).await;
    let sum: Option<i64> =
        connect(server).await.query_first(format!("SELECT SUM(v) FROM {table}")).await.expect("a sum");
    assert_eq!(sum, Some(3));
}

/// What SET TRANSACTION says is said of the next branch, and of no other.
#[tokio::test]
async fn set_transaction_is_of_one_branch() {
    let (server, table) = table("xa_set").await;
    let (mut conn, xa) = (connect(server).await, branch("set"));
    let update = format!("UPDATE {table} SET v = 1 WHERE id = 1");
    must(&mut conn, &["SET TRANSACTION READ ONLY".to_owned(), xa("START")]).await;
    assert_eq!(number(&mut conn, &update).await, 1792);
    must(&mut conn, &[xa("END"), xa("ROLLBACK"), xa("START"), update, xa("END"), xa("ROLLBACK")]).await;
}

/// Errors that undo their statement on one server undo it in a branch, which goes on.
#[tokio::test]
async fn a_branch_goes_on_after_errors() {
    let (server, table) = table("xa_errors").await;
    let (mut conn, mut other, xa) = (connect(server).await, connect(server).await, branch("errors"));
    must(&mut other, &["START TRANSACTION".to_owned(), format!("UPDATE {table} SET v = 9 WHERE id = 2")])
        .await;
    must(&mut conn, &["SET innodb_lock_wait_timeout = 1".to_owned(), xa("START")]).await;
    for (sql, expected) in [
        (format!("INSERT INTO {table} VALUES (3, 3), (1, 1)"), 1062),
        (format!("UPDATE {table} SET v = 8"), 1205),
        ("SELECT * FROM xa_errors.missing".to_owned(), 1146),
        (format!("INSERT INTO {table} VALUES (4, 4)"), 0),
    ] {
        assert_eq!(number(&mut conn, &sql).await, expected, "{sql}");
    }
    must(&mut conn, &[xa("END"), xa("PREPARE"), xa("COMMIT")]).await;
    must(&mut other, &["ROLLBACK".to_owned()]).await;
    let rows: Vec<(i32, i32)> =
        other.query(format!("SELECT id, v FROM {table} ORDER BY id")).await.expect("rows");
    assert_eq!(rows, [(1, 0), (2, 0), (4, 4)]);
}

/// The abort record takes the place of a commit record whose owner has gone.
#[tokio::test]
async fn a_record_whose_owner_dies_makes_room() {
    let (server, table) = table("xa_room").await;
    for last in ["ROLLBACK".to_owned(), String::new()] {
        let (mut conn, mut other) = (connect(server).await, connect(server).await);
        must(&mut conn, &["START TRANSACTION".to_owned(), format!("INSERT INTO {table} VALUES (7, 1)")])
            .await;
        let insert = format!("INSERT INTO {table} VALUES (7, 2)");
        let waiting = tokio::spawn(async move { number(&mut other, &insert).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!waiting.is_finished());
        if !last.is_empty() {
            must(&mut conn, &[last]).await;
        }
        drop(conn);
        assert_eq!(waiting.await.expect("the other"), 0);
        must(&mut connect(server).await, &[format!("DELETE FROM {table} WHERE id = 7")]).await;
    }
}

/// Why such a connection is closed and never reset: on MariaDB the reset says OK, and the branch is broken.
#[tokio::test]
async fn a_reset_breaks_a_prepared_branch_on_mariadb() {
    let cluster = own_server().await;
    let server = cluster.group(0).primary();
    let (mut conn, mut other, xa) = (connect(server).await, connect(server).await, branch("reset"));
    must(&mut conn, &[xa("START"), "UPDATE d.t SET v = 1 WHERE id = 1".to_owned(), xa("END"), xa("PREPARE")])
        .await;
    assert!(conn.reset().await.expect("a reset"), "the server takes the command, and says OK");
    must(&mut other, &["SET innodb_lock_wait_timeout = 1".to_owned()]).await;
    assert_eq!(number(&mut other, &xa("COMMIT")).await, 0, "it says that it is committed");
    let seen: Option<i64> = other.query_first("SELECT v FROM d.t WHERE id = 1").await.expect("a row");
    let again = number(&mut other, "UPDATE d.t SET v = 2 WHERE id = 1").await;
    assert_eq!((seen, again), if mariadb() { (Some(0), 1205) } else { (Some(1), 0) });
}

/// An orderly shutdown keeps branches too.
#[tokio::test]
async fn a_prepared_branch_survives_a_shutdown() {
    let cluster = own_server().await;
    let server = cluster.group(0).primary();
    let (mut conn, xa) = (connect(server).await, branch("shutdown"));
    must(&mut conn, &[xa("START"), "UPDATE d.t SET v = 1".to_owned(), xa("END"), xa("PREPARE")]).await;
    drop(conn);
    server.stop().await.expect("stop");
    server.start_again().await.expect("start");
    let mut conn = connect(server).await;
    assert!(listed(&mut conn, "shutdown").await);
    must(&mut conn, &[xa("COMMIT")]).await;
    let sum: Option<i64> = conn.query_first("SELECT SUM(v) FROM d.t").await.expect("a sum");
    assert_eq!(sum, Some(2));
}

/// A replica has the branch as soon as it has the PREPARE; promoted, it finishes it.
#[tokio::test]
async fn a_promoted_replica_finishes_the_branch() {
    let cluster = own_cluster().await;
    let (primary, replica) = (cluster.group(0).primary(), cluster.group(0).replica(0));
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"] {
        primary.execute(sql).await.expect(sql);
    }
    let (mut conn, xa) = (connect(primary).await, branch("promoted"));
    must(&mut conn, &[xa("START"), "INSERT INTO d.t VALUES (1)".to_owned(), xa("END"), xa("PREPARE")]).await;
    cluster.wait_until_replicated().await.expect("replication");
    primary.kill().await.expect("kill");
    for sql in ["STOP REPLICA", "SET GLOBAL read_only = OFF"] {
        replica.execute(sql).await.expect(sql);
    }
    let mut conn = replica.connect().await.expect("a connection");
    assert!(listed(&mut conn, "promoted").await);
    eventually("the branch is the new primary's", Duration::from_secs(5), async || {
        let mut conn = replica.connect().await.expect("a connection");
        number(&mut conn, &xa("COMMIT")).await == 0
    })
    .await;
    let rows: Vec<i32> = conn.query("SELECT id FROM d.t").await.expect("rows");
    assert_eq!(rows, [1]);
}

/// MySQL's PREPARE waits for the replica's acknowledgement as a COMMIT does. MariaDB's does so where commits wait for it
/// before they are done, and does not where they wait afterwards.
#[tokio::test]
async fn prepare_and_the_replica() {
    prepare_waits("AFTER_SYNC", true).await;
    prepare_waits("AFTER_COMMIT", !mariadb()).await;
}

async fn prepare_waits(wait_point: &str, waits: bool) {
    let cluster = own_cluster().await;
    crate::semi_sync::acknowledged(&cluster, wait_point).await;
    let (primary, replica) = (cluster.group(0).primary(), cluster.group(0).replica(0));
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"] {
        primary.execute(sql).await.expect(sql);
    }
    replica.execute("STOP REPLICA IO_THREAD").await.expect("stop");
    let (mut conn, xa) = (connect(primary).await, branch("acknowledged"));
    must(&mut conn, &[xa("START"), "INSERT INTO d.t VALUES (1)".to_owned(), xa("END")]).await;
    let prepare = xa("PREPARE");
    let mut preparing = tokio::spawn(async move {
        must(&mut conn, &[prepare]).await;
        conn
    });
    let soon = tokio::time::timeout(Duration::from_secs(2), &mut preparing).await;
    assert_eq!(soon.is_err(), waits, "{wait_point}");
    let mut other = connect(primary).await;
    let committing =
        tokio::spawn(async move { must(&mut other, &["INSERT INTO d.t VALUES (2)".to_owned()]).await });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!committing.is_finished(), "a commit waits on both");
    replica.execute("START REPLICA IO_THREAD").await.expect("start");
    committing.await.expect("acknowledged");
    let mut conn = match soon {
        Ok(conn) => conn.expect("prepared"),
        Err(_) => preparing.await.expect("prepared"),
    };
    must(&mut conn, &[xa("ROLLBACK")]).await;
}
