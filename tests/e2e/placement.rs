//! Where rows physically are: the oracle cannot see that.

mod forms;

use serval_tests::World;

/// Each node's rows as one list, all nodes together in order.
async fn rows_of(world: &World, sql: &str) -> Vec<Vec<String>> {
    let mut nodes = Vec::new();
    for node in 0..4 {
        nodes.push(world.on_node(node, sql).await);
    }
    nodes
}

#[tokio::test]
async fn each_row_is_on_one_node_and_rows_spread() {
    let world = World::new("place_users").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await;
    for number in 0..40 {
        client.must(&format!("INSERT INTO users (name) VALUES ('user {number}')")).await;
    }
    let nodes = rows_of(&world, "SELECT id FROM $db.users ORDER BY id").await;
    let mut all: Vec<u64> = nodes.iter().flatten().map(|id| id.parse().expect("a number")).collect();
    all.sort_unstable();
    assert_eq!(all, (1..=40).collect::<Vec<u64>>(), "each row once: {nodes:?}");
    assert!(nodes.iter().all(|node| node.len() >= 3), "40 users spread over 4 nodes: {nodes:?}");
}

#[tokio::test]
async fn co_located_rows_are_on_their_users_node() {
    let world = World::new("place_orders").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await;
    client
        .must("CREATE TABLE order_items (user_id BIGINT NOT NULL, line INT NOT NULL, PRIMARY KEY (user_id, line))")
        .await;
    for id in 1..=20 {
        client.must(&format!("INSERT INTO users (id, name) VALUES ({id}, 'u')")).await;
    }
    let items: Vec<String> = (1..=20).map(|id| format!("({id}, 1)")).collect();
    client.must(&format!("INSERT INTO order_items VALUES {}", items.join(", "))).await;
    let users = rows_of(&world, "SELECT id FROM $db.users ORDER BY id").await;
    let items = rows_of(&world, "SELECT user_id FROM $db.order_items ORDER BY user_id").await;
    assert_eq!(users, items);
}

#[tokio::test]
async fn remainders_and_copies_and_single_nodes() {
    let world = World::new("place_kinds").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE products (id INT NOT NULL PRIMARY KEY)").await;
    client.must("CREATE TABLE regions (id INT NOT NULL PRIMARY KEY)").await;
    client.must("CREATE TABLE audit (id INT NOT NULL PRIMARY KEY)").await;
    client.must("CREATE TABLE plain (id INT NOT NULL PRIMARY KEY)").await;
    for table in ["products", "regions", "audit", "plain"] {
        client.must(&format!("INSERT INTO {table} VALUES (4), (5), (6), (7), (8)")).await;
    }
    let mut products = rows_of(&world, "SELECT id FROM $db.products ORDER BY id").await;
    products.sort();
    assert_eq!(products, [vec!["4", "8"], vec!["5"], vec!["6"], vec!["7"]]);
    let regions = rows_of(&world, "SELECT COUNT(*) FROM $db.regions").await;
    assert_eq!(regions, [["5"], ["5"], ["5"], ["5"]]);
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = '$db' \
                  AND table_name IN ('audit', 'plain') ORDER BY 1";
    assert_eq!(rows_of(&world, tables).await, [vec!["plain"], vec![], vec![], vec!["audit"]]);
}

#[tokio::test]
async fn months_are_tables_and_go_round_the_nodes() {
    let world = World::new("place_events").await;
    let mut client = world.client().await;
    client
        .must("CREATE TABLE events (id INT NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (id, created_at))")
        .await;
    for month in 1..=12 {
        client.must(&format!("INSERT INTO events VALUES ({month}, '2026-{month:02}-15 10:00:00')")).await;
    }
    let names = "SELECT table_name FROM information_schema.tables WHERE table_schema = '$db' \
                 AND table_name LIKE 'events%' ORDER BY 1";
    let nodes = rows_of(&world, names).await;
    let mut all: Vec<String> = nodes.iter().flatten().cloned().collect();
    all.sort();
    assert_eq!(all, (1..=12).map(|month| format!("events_2026{month:02}")).collect::<Vec<_>>());
    assert!(nodes.iter().all(|tables| tables.len() == 3), "{nodes:?}");
    for (node, tables) in nodes.iter().enumerate() {
        for table in tables {
            let months = world.on_node(node, &format!("SELECT MONTH(created_at) FROM $db.{table}")).await;
            assert_eq!(months, [table[11..].trim_start_matches('0')]);
        }
    }
}

#[tokio::test]
async fn a_refused_statement_leaves_nothing_on_any_node() {
    let world = World::new("place_atomic").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO t1 VALUES (1)").await;
    let rows: Vec<String> = (2..=30).chain([1]).map(|id| format!("({id})")).collect();
    let answer = client.run(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    assert_eq!(answer.error_number(), 1062, "{answer:?}");
    let left: usize = rows_of(&world, "SELECT id FROM $db.t1").await.iter().map(Vec::len).sum();
    assert_eq!(left, 1);
}

/// All spellings that the collation calls equal lie together under `match = "ascii_fold"`, and each leads there; without
/// it a spelling leads nowhere, so every shard is asked.
#[tokio::test]
async fn spellings_of_one_key_lie_together_where_the_table_says_so() {
    let world = World::new("placement_text").await;
    let mut client = world.client().await;
    let column =
        "code VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, v INT, KEY (code)";
    client.must(&format!("CREATE TABLE folded ({column})")).await;
    client.must(&format!("CREATE TABLE spelt ({column})")).await;
    for number in 0..16 {
        for table in ["folded", "spelt"] {
            let rows = format!("('Key{number}', 1), ('KEY{number}', 2), ('key{number} ', 3)");
            client.must(&format!("INSERT INTO {table} VALUES {rows}")).await;
        }
    }
    let mut nodes = 0;
    for node in 0..4 {
        let counts = "SELECT COUNT(*) FROM $db.folded GROUP BY code";
        let counts = world.on_node(node, counts).await;
        assert!(counts.iter().all(|count| count == "3"), "{counts:?}");
        nodes += usize::from(!counts.is_empty());
    }
    assert!(nodes > 1, "keys spread");
    let mut targets = async |table: &str, key: &str| {
        let sql = format!("EXPLAIN FORMAT=SERVAL SELECT * FROM {table} WHERE code = '{key}'");
        client.rows(&sql).await.concat().join("\n").matches("SELECT * FROM").count()
    };
    assert_eq!((targets("folded", "kEy7").await, targets("spelt", "kEy7").await), (1, 4));
    assert_eq!(targets("folded", "kéy7").await, 4, "an accent is no case");
    assert_eq!(
        client.rows("SELECT v FROM folded WHERE code = 'KEy7' ORDER BY v").await.concat(),
        ["1", "2", "3"]
    );
    assert_eq!(
        client.rows("SELECT v FROM spelt WHERE code = 'KEy7' ORDER BY v").await.concat(),
        ["1", "2", "3"]
    );
}
