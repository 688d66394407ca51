//! Serval's own tables in the groups' databases: to a client they are not there.

use serval_tests::{Client, Topology, World};

use crate::atomic::{filled, records};
use crate::dump::{dump, restore};

const OWN: [&str; 3] = ["serval_transaction", "serval_group", "serval_sequence"];

async fn with_own_tables(schema: &str) -> (World, Client) {
    let world = World::new(schema).await;
    let mut client = world.client().await;
    filled(&world, &mut client).await;
    assert!(records(&world).await > 0, "there are tables to hide");
    // Segments of ids need a table too.
    client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await;
    client.must("INSERT INTO users (name) VALUES ('a'), ('b'), ('c')").await;
    (world, client)
}

#[tokio::test]
async fn no_list_shows_them() {
    let (world, mut client) = with_own_tables("own_lists").await;
    let schema = &world.schema;
    for sql in [
        "SHOW TABLES".to_owned(),
        "SHOW FULL TABLES".to_owned(),
        format!("SHOW TABLES FROM {schema} LIKE 'serval%'"),
        format!("SHOW TABLES WHERE Tables_in_{schema} LIKE '%group%'"),
        "SHOW TABLE STATUS".to_owned(),
        "SHOW TABLE STATUS LIKE 'serval%'".to_owned(),
        "SHOW OPEN TABLES".to_owned(),
        "SELECT table_name FROM information_schema.tables".to_owned(),
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()".to_owned(),
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE 'serval%' HAVING COUNT(*) > 0"
            .to_owned(),
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
            .to_owned(),
        "SELECT table_name, index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
            .to_owned(),
        "SELECT table_name FROM information_schema.table_constraints WHERE table_schema = DATABASE()"
            .to_owned(),
        "SELECT table_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE()"
            .to_owned(),
        "SELECT table_name FROM information_schema.partitions WHERE table_schema = DATABASE()".to_owned(),
    ] {
        let answer = client.run(&sql).await;
        let shown = answer.rows().iter().flatten().any(|cell| cell.contains("serval_"));
        assert!(!shown, "{sql}: {answer:?}");
    }
}

/// They can be named, but neither read nor changed.
#[tokio::test]
async fn no_statement_reaches_them() {
    let (_world, mut client) = with_own_tables("own_names").await;
    for own in OWN {
        for sql in [
            "SELECT * FROM $t",
            "SELECT COUNT(*) FROM t1 JOIN $t ON 1 = 1",
            "SELECT (SELECT COUNT(*) FROM $t) FROM t1 WHERE id = 1",
            "INSERT INTO $t VALUES (1)",
            "INSERT INTO t1 SELECT 100, 1 FROM $t",
            "UPDATE $t SET id = 1",
            "DELETE FROM $t",
            "REPLACE INTO $t VALUES (1)",
            "TRUNCATE TABLE $t",
            "SHOW CREATE TABLE $t",
            "SHOW COLUMNS FROM $t",
            "SHOW INDEX FROM $t",
            "DESCRIBE $t",
            "EXPLAIN SELECT * FROM $t",
            "ALTER TABLE $t ADD COLUMN x INT",
            "CREATE INDEX x ON $t (id)",
            "DROP TABLE $t",
            "RENAME TABLE $t TO mine",
            "LOCK TABLES $t READ",
            "CREATE TABLE copied LIKE $t",
            "CREATE VIEW seen AS SELECT * FROM $t",
        ] {
            let answer = client.run(&sql.replace("$t", own)).await;
            assert_ne!(answer.error_number(), 0, "{sql} of {own}: {answer:?}");
        }
        let missing = client.run(&format!("SELECT * FROM {own}")).await;
        assert_eq!(missing.error_number(), 1146, "as of a table that nobody has made: {missing:?}");
        let made = client.run(&format!("CREATE TABLE {own} (id INT)")).await;
        assert_ne!(made.error_number(), 0, "the name is taken: {made:?}");
    }
    // They are all still there, and work.
    client.must("BEGIN").await;
    client.must("UPDATE t1 SET v = v + 1").await;
    client.must("COMMIT").await;
    client.must("INSERT INTO users (name) VALUES ('d')").await;
}

/// They are replicated, and a replica shows them no more than its primary.
#[tokio::test]
async fn a_replica_hides_them_too() {
    let (world, _) = with_own_tables("own_replica").await;
    world.shared.cluster.wait_until_replicated().await.expect("replication");
    let records = "SELECT COUNT(*) FROM own_replica_0.serval_transaction";
    let count = world.shared.cluster.group(0).replica(0).value::<u32>(records).await.expect("a count");
    assert!(count > Some(0), "a replica that is promoted knows what was decided");
    let topology = Topology { consistency: "any", ..Topology::new("own_replica") };
    let cluster = &world.shared.cluster;
    let serval = serval_testkit::ServalProcess::start(|ports| topology.toml(cluster, ports)).await;
    let serval = serval.expect("the proxy starts");
    let options = serval.client_options(serval_tests::APP.0, serval_tests::APP.1, Some("own_replica"));
    let mut client = Client::connect("proxy", options).await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "20");
    for sql in [
        "SHOW TABLES",
        "SHOW TABLE STATUS",
        "SELECT table_name FROM information_schema.tables",
        "SELECT table_name FROM information_schema.columns",
    ] {
        let answer = client.run(sql).await;
        assert!(!answer.rows().iter().flatten().any(|cell| cell.contains("serval_")), "{sql}: {answer:?}");
    }
    for own in OWN {
        assert_eq!(client.run(&format!("SELECT * FROM {own}")).await.error_number(), 1146);
    }
}

/// What mysqldump writes through the proxy has none of them, and restores beside those that are there.
#[tokio::test]
async fn a_dump_leaves_them_out() {
    let (world, mut client) = with_own_tables("own_dump").await;
    client.must("UPDATE t1 SET v = id").await;
    let before = client.rows("SELECT * FROM t1 ORDER BY id").await;
    for options in [&["--single-transaction", "own_dump"][..], &["--databases", "own_dump"]] {
        let text = dump(&world, options).await;
        let written = String::from_utf8_lossy(&text);
        assert!(written.contains("CREATE TABLE `t1`") && !written.contains("serval_"), "{written}");
        client.must("UPDATE t1 SET v = 0").await;
        restore(&world, text).await;
        assert_eq!(client.rows("SELECT * FROM t1 ORDER BY id").await, before);
    }
    // A table that is named all the same is not there.
    assert_eq!(client.run("SHOW CREATE TABLE serval_group").await.error_number(), 1146);
    // The restored tables take part in transactions over both groups, and the ids go on.
    client.must("UPDATE t1 SET v = 1").await;
    client.must("INSERT INTO users (name) VALUES ('d')").await;
    assert_eq!(client.rows("SELECT id FROM users").await.len(), 4);
}
