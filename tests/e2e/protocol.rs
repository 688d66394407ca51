//! The protocol byte for byte: the same packets to the proxy and to one plain server, and the same packets back.

mod conversation;
mod procedures;
mod sessions;

use serval_testkit::Flavour;
use serval_tests::raw::RAW_USER_TOML;
use serval_tests::{Topology, World};

use conversation::{Both, CURSOR, DEPRECATE_EOF, MULTI, OPTIONAL_METADATA, QUERY_ATTRIBUTES};

/// A world with a table on one node, and one that is split, of the same rows.
async fn world(schema: &str) -> World {
    let world = World::with(Topology { more: RAW_USER_TOML.to_owned(), ..Topology::new(schema) }).await;
    let (mut proxy, mut oracle) = (world.client().await, world.oracle().await);
    for sql in [
        "CREATE TABLE single (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20))",
        "INSERT INTO single VALUES (1, 'one'), (2, 'two'), (3, NULL)",
        "INSERT INTO t1 VALUES (1, 'one'), (2, 'two'), (3, NULL)",
    ] {
        proxy.run(sql).await;
        oracle.run(sql).await;
    }
    world
}

#[tokio::test]
async fn several_statements() {
    let world = world("proto_multi").await;
    for capabilities in [MULTI, MULTI | DEPRECATE_EOF] {
        let mut both = Both::new(&world, capabilities).await;
        for sql in [
            "SELECT id, name FROM single WHERE id = 1; SELECT 'x' AS x FROM single WHERE id = 2",
            "DO 1; DO 2",
            "SET @a = 5; SELECT name FROM single WHERE id = 3; DO 0",
            "SELECT name FROM single WHERE id = 1; -- done",
            "SELECT name FROM single WHERE id = 1; /* done */ ;",
            "SELECT name FROM single WHERE id = 1;; \n",
            "DO 0;;DO 1",
            "; DO 1",
            "DO 0; SELEC; DO 1",
            "DO 0; SELECT * FROM missing; DO 1",
            "BEGIN; UPDATE single SET name = 'uno' WHERE id = 1; ROLLBACK",
            "START TRANSACTION READ ONLY; DO 1; COMMIT",
            "SET autocommit = 0; DO 0; SET autocommit = 1",
            "INSERT INTO t1 VALUES (7, 'x'), (8, 'y'); DELETE FROM t1 WHERE id IN (7, 8); DO 0",
            "SELECT 'it''s; not two' AS x FROM single WHERE id = 1; DO 1",
        ] {
            both.query(sql).await;
        }
        for payload in [&b"\x1b\x01\x00"[..], b"\x1b\x00\x00", b"\x1b\x07\x00"] {
            both.without_warnings(payload, "COM_SET_OPTION").await;
            both.query("DO 1; DO 2").await;
        }
    }
    let mut both = Both::new(&world, DEPRECATE_EOF).await;
    both.query("DO 1; DO 2").await;
    both.without_warnings(b"\x1b\x00\x00", "COM_SET_OPTION").await;
    both.query("DO 1; DO 2").await;
}

#[tokio::test]
async fn cursors() {
    let world = world("proto_cursor").await;
    for capabilities in [0, DEPRECATE_EOF] {
        let mut both = Both::new(&world, capabilities).await;
        let rows = both.prepare("SELECT id, name FROM single WHERE id > 0").await;
        both.execute(rows, CURSOR, b"").await;
        for count in [2, 1, 1, 1] {
            both.fetch(rows, count).await;
        }
        both.execute(rows, CURSOR, b"").await;
        both.fetch(rows, 0).await;
        both.fetch(rows, 10).await;
        both.execute(rows, CURSOR, b"").await;
        both.reset(rows).await;
        both.fetch(rows, 1).await;
        // MySQL 9.7 then sends columns and no rows.
        if !Flavour::from_env().is_mysql() {
            both.execute(rows, CURSOR, b"").await;
            both.execute(rows, 0, b"").await;
            both.fetch(rows, 1).await;
        }
        let none = both.prepare("SELECT id FROM single WHERE id > 5").await;
        both.execute(none, CURSOR, b"").await;
        both.fetch(none, 1).await;
        let update = both.prepare("UPDATE single SET name = 'eins' WHERE id = 1").await;
        both.execute(update, CURSOR, b"").await;
        both.fetch(update, 1).await;
        let merged = both.prepare("SELECT id, name FROM t1 ORDER BY id").await;
        both.query("BEGIN").await;
        both.execute_masked(merged, CURSOR).await;
        both.query("COMMIT").await;
        both.fetch(merged, 2).await;
        both.fetch(merged, 2).await;
        both.fetch(merged, 2).await;
        both.same(b"\x1f", "COM_RESET_CONNECTION").await;
        both.fetch(rows, 1).await;
    }
}

#[tokio::test]
async fn without_column_definitions() {
    if !Flavour::from_env().is_mysql() {
        return;
    }
    let world = world("proto_meta").await;
    for capabilities in [OPTIONAL_METADATA, OPTIONAL_METADATA | DEPRECATE_EOF] {
        let mut both = Both::new(&world, capabilities).await;
        for value in ["FULL", "NONE", "FULL", "nonsense"] {
            both.query(&format!("SET resultset_metadata = {value}")).await;
            both.query("SELECT name FROM single WHERE id = 1").await;
            let statement = both.prepare("SELECT name FROM single WHERE id = ?").await;
            both.execute(statement, 0, b"\0\x01\x08\0\x01\0\0\0\0\0\0\0").await;
            both.execute(statement, CURSOR, b"\0\x01\x08\0\x01\0\0\0\0\0\0\0").await;
            both.fetch(statement, 5).await;
        }
    }
    let mut both = Both::new(&world, DEPRECATE_EOF).await;
    both.query("SET resultset_metadata = NONE").await;
    both.query("SET resultset_metadata = FULL").await;
}

#[tokio::test]
async fn attributes_of_queries() {
    if !Flavour::from_env().is_mysql() {
        return;
    }
    let world = world("proto_attr").await;
    let mut both = Both::new(&world, QUERY_ATTRIBUTES | DEPRECATE_EOF).await;
    let sql = b"SELECT name FROM single WHERE id = 1";
    for head in [
        &b"\x03\x00\x01"[..],
        b"\x03\x01\x01\x00\x01\xfe\x00\x0btraceparent\x0400-1",
        b"\x03\x02\x01\x01\x01\x08\x00\x01n\xfe\x00\x00\x02ab",
        b"\x03\x00\x00",
        b"\x03\x00\x02",
        b"\x03",
    ] {
        both.same(&[head, sql].concat(), "COM_QUERY").await;
    }
    let one = both.prepare("SELECT name FROM single WHERE id = ?").await;
    for (flags, rest) in [
        (0, &b"\x01\x00\x01\x08\x00\x00\x01\0\0\0\0\0\0\0"[..]),
        (8, b"\x01\x00\x01\x08\x00\x00\x01\0\0\0\0\0\0\0"),
        (8, b"\x02\x00\x01\x08\x00\x00\xfe\x00\x02n1\x02\0\0\0\0\0\0\0\x02v1"),
        (8, b"\x01\x00\x00\x03\0\0\0\0\0\0\0"),
        (8, b"\x00"),
        (8, b"\x02\x00\x00\x03\0\0\0\0\0\0\0\x02v1"),
    ] {
        both.execute(one, flags, rest).await;
    }
    let none = both.prepare("SELECT name FROM single WHERE id = 1").await;
    both.execute(none, 8, b"\x00").await;
    both.execute(none, 8, b"\x01\x00\x01\xfe\x00\x02n1\x02v1").await;
    both.execute(none, 0, b"").await;
}

/// Packets that are cut short, or make no sense: an error, and the connection goes on.
#[tokio::test]
async fn bad_packets() {
    let world = world("proto_bad").await;
    let mut both = Both::new(&world, DEPRECATE_EOF).await;
    let numbers = both.prepare("SELECT name FROM single WHERE id = ?").await;
    for payload in
        [&b""[..], b"\x00", b"\x05", b"\xf0", b"\x17", b"\x17\x01\0\0\0", b"\x02", b"\x03", b"\x16"]
    {
        both.same_error(payload).await;
    }
    for rest in [
        &b""[..],
        b"\0",
        b"\0\x01",
        b"\0\x01\x03\0",
        b"\0\x01\x03\0\x01\0",
        b"\0\x01\xfe\0\xfc\xff",
        b"\0\x01\x99\0\x01\0\0\0",
    ] {
        both.refused(numbers, rest).await;
    }
    both.execute(numbers, 0, b"\0\x01\x08\0\x01\0\0\0\0\0\0\0").await;
    both.execute(numbers, 0, b"\0\0\x02\0\0\0\0\0\0\0").await;
}
