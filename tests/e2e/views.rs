//! Views over several data nodes: kept by a server, seen by other proxies, one shard by key.

use std::time::Duration;

use serval_testkit::ServalProcess;
use serval_tests::{APP, Client, Topology, World};

const TABLES: [&str; 4] = [
    "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20), active INT NOT NULL DEFAULT 1)",
    "CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT, user_id BIGINT NOT NULL, total INT, PRIMARY KEY (id))",
    "INSERT INTO users (id, name) VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')",
    "INSERT INTO orders (user_id, total) VALUES (1, 5), (1, 6), (2, 7)",
];

/// The lines of Serval's own plan.
async fn plan(client: &mut Client, sql: &str) -> String {
    let rows = client.rows(&format!("EXPLAIN FORMAT=SERVAL {sql}")).await;
    rows.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_key_over_a_view_leads_to_one_shard() {
    let world = World::new("views_route").await;
    let mut client = world.client().await;
    for sql in TABLES {
        client.must(sql).await;
    }
    client.must("CREATE VIEW active AS SELECT id AS number, name FROM users WHERE active = 1").await;
    client.must("CREATE VIEW bought AS SELECT u.id, u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id").await;
    for sql in ["SELECT * FROM active WHERE number = 2", "SELECT total FROM bought WHERE id = 1"] {
        let plan = plan(&mut client, sql).await;
        assert!(plan.contains("because expand_view: views_route."), "{plan}");
        assert_eq!(plan.matches("SELECT").count(), 1, "{plan}");
        assert!(!plan.contains("(select"), "{plan}");
    }
    let all = plan(&mut client, "SELECT name FROM active ORDER BY number LIMIT 1").await;
    assert!(all.contains("MergeSort") && all.contains("LIMIT 1"), "{all}");
}

#[tokio::test]
async fn other_proxies_learn_of_views_and_so_does_the_next_one() {
    let world = World::new("views_shared").await;
    let topology = Topology::new(&world.schema);
    let cluster = &world.shared.cluster;
    let proxy = || ServalProcess::start(|ports| topology.toml(cluster, ports));
    let two = proxy().await.expect("another proxy starts");
    let connect = |serval: &ServalProcess| serval.client_options(APP.0, APP.1, Some(&world.schema));
    let mut here = world.client().await;
    let mut there = Client::connect("another", connect(&two)).await;
    for sql in TABLES {
        here.must(sql).await;
    }
    here.must("CREATE VIEW active AS SELECT id, name FROM users WHERE active = 1").await;
    // At once: there is nothing else of that name.
    assert_eq!(there.value("SELECT COUNT(*) FROM active").await, "3");
    here.must("CREATE OR REPLACE VIEW active AS SELECT id, name FROM users WHERE id < 3").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(there.value("SELECT COUNT(*) FROM active").await, "2");
    assert_eq!(there.execute("SELECT name FROM active WHERE id = ?", &[2.into()]).await.rows(), [["bob"]]);

    let three = proxy().await.expect("a third proxy starts");
    let mut later = Client::connect("later", connect(&three)).await;
    assert_eq!(later.value("SELECT COUNT(*) FROM active").await, "2");
    assert_eq!(later.run("CREATE VIEW active AS SELECT id FROM users").await.error_number(), 1050);
    // Views of views, of which the next proxy has heard nothing.
    let four = proxy().await.expect("a fourth proxy starts");
    let mut last = Client::connect("last", connect(&four)).await;
    assert_eq!(last.value("SELECT COUNT(*) FROM active").await, "2");
    later.must("CREATE VIEW second AS SELECT name FROM active WHERE id = 2").await;
    later.must("CREATE VIEW third AS SELECT name FROM second").await;
    assert_eq!(last.value("SELECT name FROM third").await, "bob");
    later.must("DROP VIEW active, second, third").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(there.run("SELECT COUNT(*) FROM active").await.error_number(), 1146);
    assert_eq!(here.run("SELECT COUNT(*) FROM active").await.error_number(), 1146);
}

#[tokio::test]
async fn a_view_outlives_a_reload_and_what_others_do_to_its_tables() {
    let world = World::new("views_reload").await;
    let (mut client, mut admin) = (world.client().await, world.admin().await);
    for sql in TABLES {
        client.must(sql).await;
    }
    client.must("CREATE VIEW active AS SELECT id, name FROM users WHERE active = 1").await;
    admin.must("reload @@config").await;
    // At once, and in a transaction, which keeps what was known when it began.
    client.must("BEGIN").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM active").await, "3");
    client.must("COMMIT").await;
    let changes = admin.rows("dry run @@config").await.concat().join("\n");
    assert!(!changes.contains("active"), "a view is no matter of the config: {changes}");
    // Past the proxy.
    for node in 0..4 {
        let sql = format!("ALTER TABLE views_reload_{node}.users DROP COLUMN active");
        world.shared.cluster.group(node / 2).primary().execute(&sql).await.expect("a column less");
    }
    let answer = client.run("SELECT name FROM active WHERE id = 1").await;
    assert_eq!(answer.error_number(), 1356, "{answer:?}");
    assert!(answer.message().contains("'views_reload.active'"), "{answer:?}");
    assert_eq!(client.run("DESCRIBE active").await.error_number(), 1356);
    // Finding that out is no part of the transaction.
    client.must("BEGIN").await;
    client.must("UPDATE users SET name = 'nobody' WHERE id IN (1, 2, 3)").await;
    assert_eq!(client.run("SELECT name FROM active WHERE id = 1").await.error_number(), 1356);
    client.must("ROLLBACK").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM users WHERE name = 'nobody'").await, "0");
    client.must("ALTER TABLE users ADD COLUMN active INT NOT NULL DEFAULT 1").await;
    assert_eq!(client.value("SELECT name FROM active WHERE id = 1").await, "ann");
}

/// Servers show a new view to transactions that began before it was made.
#[tokio::test]
async fn an_open_transaction_finds_new_views() {
    let world = World::new("views_open").await;
    let topology = Topology::new(&world.schema);
    let cluster = &world.shared.cluster;
    let two =
        ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("another proxy starts");
    let mut here = world.client().await;
    let mut same = world.client().await;
    let mut there = Client::connect("another", two.client_options(APP.0, APP.1, Some(&world.schema))).await;
    for sql in TABLES {
        here.must(sql).await;
    }
    // The other proxy hears of the tables.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    for client in [&mut same, &mut there] {
        client.must("BEGIN").await;
        assert_eq!(client.value("SELECT COUNT(*) FROM users").await, "3");
    }
    here.must("CREATE VIEW active AS SELECT id, name FROM users WHERE active = 1").await;
    here.must("CREATE VIEW first AS SELECT name FROM active WHERE id = 1").await;
    for client in [&mut same, &mut there] {
        assert_eq!(client.value("SELECT name FROM first").await, "ann");
        assert_eq!(client.value("SELECT COUNT(*) FROM active").await, "3");
        client.must("UPDATE active SET name = 'Bob' WHERE id = 2").await;
        client.must("ROLLBACK").await;
    }
    assert_eq!(there.value("SELECT name FROM active WHERE id = 2").await, "bob");
}
