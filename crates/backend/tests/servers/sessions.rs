//! What a server's session goes through on its way from one client to another.

use std::time::Duration;

use serval_remote::{Access, Connection, RemoteError, Request, SessionState};

use crate::{acquire, ask, cluster, eventually, group, plain, start};

const CHARSETS: &str = "SELECT @@character_set_client, @@character_set_connection, @@character_set_results, \
                        @@collation_connection";
const FRESH: &str = "utf8mb4|utf8mb4|utf8mb4|utf8mb4_general_ci";

#[tokio::test]
async fn states_come_and_go() {
    let cluster = cluster(0, &[]).await;
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let latin = fresh
        .with("character_set_client", "latin1")
        .with("character_set_connection", "latin1")
        .with("character_set_results", "latin1");
    let german = latin.with("collation_connection", "latin1_german1_ci");
    let other = fresh.with("sql_mode", "'ANSI_QUOTES'").with("time_zone", "'+05:00'").with("@total", "'7'");

    for _ in 0..2 {
        let mut connection = acquire(&servers, Access::Primary).await.unwrap();
        let charsets =
            async |connection: &mut _, state| ask(connection, &plain(CHARSETS, state)).await.unwrap();
        assert_eq!(charsets(&mut connection, &fresh).await, [FRESH]);
        assert_eq!(charsets(&mut connection, &german).await, ["latin1|latin1|latin1|latin1_german1_ci"]);
        assert_eq!(charsets(&mut connection, &latin).await, ["latin1|latin1|latin1|latin1_swedish_ci"]);
        assert_eq!(charsets(&mut connection, &fresh).await, [FRESH]);
        let sql = "SELECT @@sql_mode, @@time_zone, @total";
        assert_eq!(ask(&mut connection, &plain(sql, &other)).await.unwrap(), ["ANSI_QUOTES|+05:00|7"]);
        let back = ask(&mut connection, &plain(sql, &fresh)).await.unwrap();
        assert!(back[0].contains("STRICT_TRANS_TABLES") && back[0].ends_with("|SYSTEM|NULL"), "{back:?}");
    }
    assert_eq!(servers.statistics()[0].opened, 1);
}

/// Each must either go back to a fresh connection's value or keep its connection from other sessions.
#[tokio::test]
async fn every_kind_of_variable_can_be_left_behind() {
    let cluster = cluster(0, &[]).await;
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    for (name, value) in [
        ("autocommit", "0"),
        ("foreign_key_checks", "0"),
        ("group_concat_max_len", "7"),
        ("identity", "5"),
        ("innodb_lock_wait_timeout", "3"),
        ("insert_id", "5"),
        ("last_insert_id", "5"),
        ("lc_time_names", "'de_DE'"),
        ("max_sort_length", "64"),
        ("net_write_timeout", "9"),
        ("pseudo_thread_id", "9"),
        ("rand_seed1", "5"),
        ("rand_seed2", "5"),
        ("sql_safe_updates", "1"),
        ("sql_select_limit", "5"),
        ("timestamp", "1000000000.5"),
        ("transaction_isolation", "'READ-COMMITTED'"),
        ("transaction_read_only", "1"),
        ("unique_checks", "0"),
        ("wait_timeout", "77"),
    ] {
        let state = fresh.with(name, value);
        let mut connection = acquire(&servers, Access::Primary).await.unwrap();
        let set = ask(&mut connection, &plain("DO 1", &state)).await;
        if let Err(RemoteError::Refused(error)) = &set {
            // A name that only the other flavour has, or a privilege that we lack.
            assert!([1193, 1227].contains(&error.number), "{name}: {error}");
            continue;
        }
        assert!(set.unwrap().is_empty());
        drop(connection);
        let mut connection = acquire(&servers, Access::Primary).await.unwrap();
        assert!(
            ask(&mut connection, &plain("DO 1", &fresh)).await.is_ok_and(|rows| rows.is_empty()),
            "{name}"
        );
        let status =
            ask(&mut connection, &plain("SELECT @@autocommit, @@sql_select_limit > 10", &fresh)).await;
        assert_eq!(status.unwrap(), ["1|1"], "{name}");
    }
}

#[tokio::test]
async fn preambles_in_one_burst_reach_the_right_database() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    server.execute_all(&["CREATE DATABASE d0", "CREATE DATABASE d1"]).await.unwrap();
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let strict = fresh.with("sql_mode", "'ANSI_QUOTES'");
    for turn in 0..6 {
        let mut connection = acquire(&servers, Access::Primary).await.unwrap();
        let (database, state) = if turn % 2 == 0 { ("d0", &fresh) } else { ("d1", &strict) };
        let request = Request {
            database: Some(database),
            state,
            begin: Some("START TRANSACTION"),
            sql: b"SELECT DATABASE(), @@sql_mode = 'ANSI_QUOTES'",
            execution: None,
        };
        assert_eq!(ask(&mut connection, &request).await.unwrap(), [format!("{database}|{}", turn % 2)]);
        assert!(connection.in_transaction());
        ask(&mut connection, &plain("COMMIT", state)).await.unwrap();
        assert!(!connection.in_transaction());
    }
    // The name was accepted before; the write must not end up in the other database all the same.
    server.execute_all(&["CREATE TABLE d1.t (a INT)", "DROP DATABASE d0"]).await.unwrap();
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    let request = Request { database: Some("d0"), sql: b"INSERT INTO t VALUES (1)", ..plain("", &strict) };
    let refused = ask(&mut connection, &request).await;
    assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1049), "{refused:?}");
    assert_eq!(server.value::<i64>("SELECT COUNT(*) FROM d1.t").await.unwrap(), Some(0));
}

#[tokio::test]
async fn an_abandoned_statement_ends_on_the_server_and_its_transaction_with_it() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    server.execute_all(&["CREATE DATABASE d", "CREATE TABLE d.t (a INT)"]).await.unwrap();
    let servers = start(group(&cluster, 2));
    let fresh = SessionState::default();
    let in_transaction = |sql| Request { database: Some("d"), begin: Some("BEGIN"), ..plain(sql, &fresh) };

    let mut sleeping = acquire(&servers, Access::Primary).await.unwrap();
    ask(&mut sleeping, &in_transaction("INSERT INTO t VALUES (1)")).await.unwrap();
    let sleep = plain("SELECT SLEEP(1000) FROM t", &fresh);
    assert!(tokio::time::timeout(Duration::from_millis(200), ask(&mut sleeping, &sleep)).await.is_err());
    drop(sleeping);

    let mut idle = acquire(&servers, Access::Primary).await.unwrap();
    ask(&mut idle, &in_transaction("INSERT INTO t VALUES (2)")).await.unwrap();
    drop(idle);

    eventually("nothing runs and nothing is locked", async || {
        let running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(1000)%' \
                       AND id <> CONNECTION_ID()";
        let open = "SELECT COUNT(*) FROM information_schema.innodb_trx";
        server.value::<i64>(running).await.unwrap() == Some(0)
            && server.value::<i64>(open).await.unwrap() == Some(0)
    })
    .await;
    assert_eq!(server.value::<i64>("SELECT COUNT(*) FROM d.t").await.unwrap(), Some(0));
    assert_eq!(servers.statistics()[0].killed, 1);
}

#[tokio::test]
async fn statements_and_rows_above_16_mib() {
    let cluster = cluster(0, &["--max-allowed-packet=64M"]).await;
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    for length in [(16 << 20) - 20, (16 << 20) - 17, (16 << 20) - 16, 17 << 20, 40 << 20] {
        let sql = format!("SELECT LENGTH('{}')", "x".repeat(length));
        assert_eq!(ask(&mut connection, &plain(&sql, &fresh)).await.unwrap(), [length.to_string()]);
        let sql = format!("SELECT REPEAT('y', {length})");
        let rows = ask(&mut connection, &plain(&sql, &fresh)).await.unwrap();
        assert_eq!((rows.len(), rows[0].len()), (1, length));
    }
    assert_eq!(ask(&mut connection, &plain("SELECT 1", &fresh)).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_full_server_refuses_and_is_not_called_down() {
    let cluster = cluster(0, &["--max-connections=12"]).await;
    let servers = start(group(&cluster, 40));
    eventually("up", async || servers.statistics()[0].health.word() == "up").await;
    let mut held = Vec::new();
    let refused = loop {
        match acquire(&servers, Access::Primary).await {
            Ok(connection) => held.push(connection),
            Err(error) => break error,
        }
    };
    assert!(refused.to_string().contains("1040"), "{refused}");
    assert_eq!(servers.statistics()[0].health.word(), "up");
    drop(held);
    acquire(&servers, Access::Primary).await.unwrap();
}
