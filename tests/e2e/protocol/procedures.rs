//! CALL: the results of procedures, and what they leave behind.

use serval_testkit::Flavour;
use serval_tests::World;

use super::conversation::{Both, CURSOR, DEPRECATE_EOF, MULTI};
use super::world;

/// Makes procedures on the default node and on the oracle.
async fn procedures(world: &World) {
    let (node, oracle) = (world.shared.cluster.group(0).primary(), world.shared.oracle.group(0).primary());
    let schema = &world.schema;
    for (name, body) in [
        ("two(n INT)", "SELECT id, name FROM single WHERE id = n; SELECT 'x' AS x, n AS n;"),
        ("nothing()", "DO 0;"),
        ("adds(IN a INT, INOUT b INT, OUT c VARCHAR(20))", "SET b = a + b; SET c = 'out'; SET @aside = b;"),
        ("writes(n INT)", "INSERT INTO single VALUES (n, 'made'); SELECT ROW_COUNT() AS r;"),
        ("commits()", "UPDATE single SET name = 'done' WHERE id = 1; COMMIT;"),
        ("undoes()", "ROLLBACK;"),
        ("opens()", "START TRANSACTION; UPDATE single SET name = 'open' WHERE id = 2;"),
        ("fails()", "SELECT 1 AS one; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no';"),
        ("counts()", "INSERT INTO numbered (v) VALUES (1), (2);"),
    ] {
        for (server, database) in [(&node, format!("{schema}_0")), (&oracle, schema.clone())] {
            let sql = format!("CREATE PROCEDURE {database}.{name} BEGIN {body} END");
            server.execute(&sql).await.expect("a procedure");
        }
    }
    let (mut proxy, mut oracle) = (world.client().await, world.oracle().await);
    let sql = "CREATE TABLE numbered (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, v INT)";
    proxy.run(sql).await;
    oracle.run(sql).await;
}

#[tokio::test]
async fn all_results_are_passed_on() {
    let world = world("proto_call").await;
    procedures(&world).await;
    for capabilities in [0, DEPRECATE_EOF | MULTI] {
        let mut both = Both::new(&world, capabilities).await;
        for sql in [
            "CALL two(1)",
            &*format!("CALL {}.two(2)", world.schema),
            "CALL nothing()",
            "CALL nothing",
            "CALL missing()",
            "CALL two()",
            "CALL fails()",
            "SELECT 1 FROM single WHERE id = 1",
            "DELETE FROM single WHERE id > 10",
            "CALL writes(11)",
            "BEGIN",
            "CALL writes(12)",
            "ROLLBACK",
            "CALL writes(11)",
            "SELECT id FROM single WHERE id > 10 ORDER BY id",
            "BEGIN",
            "CALL commits()",
            "BEGIN",
            "UPDATE single SET name = 'lost' WHERE id = 1",
            "CALL undoes()",
            "SELECT name FROM single WHERE id = 1",
        ] {
            both.query(sql).await;
        }
        let two = both.prepare("CALL two(?)").await;
        both.execute(two, 0, b"\0\x01\x08\0\x01\0\0\0\0\0\0\0").await;
        both.execute(two, CURSOR, b"\0\0\x02\0\0\0\0\0\0\0").await;
        // MySQL forgets the flags at the end of OUT parameters, where that is an EOF packet.
        if capabilities == 0 && Flavour::from_env().is_mysql() {
            continue;
        }
        let adds = both.prepare("CALL adds(?, ?, ?)").await;
        both.execute(adds, 0, b"\x04\x01\x03\0\x03\0\xfe\0\x01\0\0\0\x02\0\0\0").await;
    }
    let mut both = Both::new(&world, DEPRECATE_EOF | MULTI).await;
    both.query("CALL two(1); SELECT name FROM single WHERE id = 2; CALL nothing()").await;
    both.query("CALL fails(); SELECT name FROM single WHERE id = 2").await;
}

#[tokio::test]
async fn what_is_left_behind() {
    let world = world("proto_left").await;
    procedures(&world).await;
    let (mut proxy, mut oracle) = (world.client().await, world.oracle().await);
    for sql in [
        "SET @b = 2, @kept = 'é'",
        "CALL adds(5, @b, @c)",
        "SELECT @b, @c, @aside, @kept",
        "SELECT @b + 1 FROM t1 WHERE id = 2",
        "CALL adds(@b, @b, @c)",
        "SELECT @b, @aside FROM single WHERE id = 1",
        "INSERT INTO numbered (v) VALUES (9)",
        "SELECT LAST_INSERT_ID()",
        "CALL nothing()",
        "SELECT LAST_INSERT_ID()",
        "CALL counts()",
        "SELECT LAST_INSERT_ID()",
        "SELECT id FROM numbered ORDER BY id",
        "SET autocommit = 0",
        "CALL writes(20)",
        "ROLLBACK",
        "SELECT COUNT(*) FROM single WHERE id = 20",
        "CALL writes(21)",
        "COMMIT",
        "SET autocommit = 1",
        "SELECT COUNT(*) FROM single WHERE id = 21",
    ] {
        let (found, expected) = (proxy.run(sql).await, oracle.run(sql).await);
        if sql.contains("LAST_INSERT_ID") {
            assert_eq!(found.rows(), expected.rows(), "{sql}");
        } else {
            assert_eq!(found, expected, "{sql}");
        }
    }
    // No transaction outlives a CALL that began it.
    // limits[sessions]: CALL of a procedure that leaves a transaction open which it began itself, or autocommit off: an error in place of its last OK, and the transaction is rolled back | BEGIN before CALL; COMMIT in the procedure
    assert!(format!("{:?}", proxy.run("CALL opens()").await).contains("1235"));
    assert_eq!(proxy.value("SELECT name FROM single WHERE id = 2").await, "two");
}
