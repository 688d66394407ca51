//! Tables whose rows lie beside those of a parent: where they are physically, and who is in the way.

use std::time::Duration;

use serval_tests::{Client, Topology, World};

async fn tables(client: &mut Client) {
    client
        .must("CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, total INT)")
        .await;
    client
        .must(
            "CREATE TABLE parcels (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT NOT NULL, \
             code VARCHAR(20) NOT NULL UNIQUE, KEY (order_id))",
        )
        .await;
    client
        .must("CREATE TABLE scans (parcel_id BIGINT NOT NULL, at INT NOT NULL, PRIMARY KEY (parcel_id, at))")
        .await;
}

/// Rows of both levels whose parent is not on their node.
async fn astray(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for node in 0..4 {
        for sql in [
            "SELECT id FROM $db.parcels p WHERE NOT EXISTS (SELECT 1 FROM $db.orders o WHERE o.id = p.order_id)",
            "SELECT at FROM $db.scans s WHERE NOT EXISTS (SELECT 1 FROM $db.parcels p WHERE p.id = s.parcel_id)",
        ] {
            found.extend(world.on_node(node, sql).await);
        }
    }
    found
}

#[tokio::test]
async fn rows_lie_where_their_parents_lie() {
    let world = World::new("family").await;
    let mut client = world.client().await;
    let mut preparing = world.client().await.preparing();
    tables(&mut client).await;
    for id in 1..=40 {
        client.must(&format!("INSERT INTO orders (user_id, total) VALUES ({}, {id})", id * 7)).await;
    }
    for id in 1..=40 {
        let insert =
            format!("INSERT INTO parcels (order_id, code) VALUES ({id}, 'p{id}'), ({}, 'q{id}')", 41 - id);
        if id % 2 == 0 {
            client.must(&insert).await
        } else {
            preparing.must(&insert).await
        };
    }
    let ids: Vec<String> = (1..=80).map(|id| format!("({id}, {id})")).collect();
    client.must(&format!("INSERT INTO scans VALUES {}", ids.join(", "))).await;
    assert_eq!(astray(&world).await, Vec::<String>::new());
    assert_eq!(client.value("SELECT COUNT(*) FROM scans").await, "80");
    for node in 0..4 {
        let count: u32 =
            world.on_node(node, "SELECT COUNT(*) FROM $db.scans").await[0].parse().expect("a number");
        assert!(count > 4, "rows spread: {count} on {node}");
    }
    // Each level's join goes to the shards as it is.
    let plan = client
        .rows(
            "EXPLAIN FORMAT=SERVAL SELECT COUNT(*) FROM orders o JOIN parcels p ON p.order_id = o.id \
                            JOIN scans s ON s.parcel_id = p.id",
        )
        .await
        .concat()
        .join("\n");
    assert!(!plan.contains("Gather") && plan.contains("JOIN"), "{plan}");
    let joined = "SELECT COUNT(*) FROM orders o JOIN parcels p ON p.order_id = o.id JOIN scans s ON s.parcel_id = p.id";
    assert_eq!(client.value(joined).await, "80");
    assert_eq!(client.value(&format!("{joined} WHERE o.user_id = 7")).await, "2");
    let plan = client
        .rows("EXPLAIN FORMAT=SERVAL INSERT INTO parcels (order_id, code) VALUES (1, 'x')")
        .await
        .concat();
    assert!(plan.join("\n").contains("look on every shard of orders"), "{plan:?}");
}

#[tokio::test]
async fn a_parent_is_locked_until_its_child_is_there() {
    let world = World::new("family_locks").await;
    let mut client = world.client().await;
    tables(&mut client).await;
    client.must("INSERT INTO orders (id, user_id) VALUES (1, 1), (2, 2), (3, 3)").await;
    let mut other = world.client().await;
    client.must("BEGIN").await;
    client.must("INSERT INTO parcels (order_id, code) VALUES (1, 'a')").await;
    other.must("SET innodb_lock_wait_timeout = 1").await;
    let answer = other.run("DELETE FROM orders WHERE id = 1").await;
    assert_eq!(answer.error_number(), 1205, "{answer:?}");
    // Rows of other parents are in nobody's way.
    other.must("INSERT INTO parcels (order_id, code) VALUES (2, 'b')").await;
    other.must("DELETE FROM orders WHERE id = 3").await;
    client.must("COMMIT").await;
    // A parent that goes while a child waits for it is found gone.
    other.must("BEGIN").await;
    other.must("DELETE FROM orders WHERE id = 2").await;
    let waiting = tokio::spawn(async move {
        let answer = client.run("INSERT INTO parcels (order_id, code) VALUES (2, 'c')").await;
        (client, answer)
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!waiting.is_finished(), "it waits for the lock");
    other.must("COMMIT").await;
    let (mut client, answer) = waiting.await.expect("no panic");
    assert_eq!(answer.error_number(), 1452, "{answer:?}");
    // A parent that was committed after the transaction's snapshot was taken is found all the same.
    client.must("BEGIN").await;
    for id in 1..=4 {
        client.rows(&format!("SELECT * FROM orders WHERE user_id = {id}")).await;
    }
    other.must("INSERT INTO orders (id, user_id) VALUES (50, 4)").await;
    client.must("INSERT INTO parcels (order_id, code) VALUES (50, 'late')").await;
    client.must("COMMIT").await;
}

#[tokio::test]
async fn a_foreign_key_does_the_rest() {
    let mut topology = Topology::new("family_keys");
    topology.more = "drops = { parent = \"orders\", column = \"order_id\", parent_column = \"id\", unique = \"sequence\" }\n".to_owned();
    let world = World::with(topology).await;
    let mut client = world.client().await;
    client
        .must("CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL)")
        .await;
    client
        .must(
            "CREATE TABLE drops (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT NOT NULL, \
             FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)",
        )
        .await;
    client.must("INSERT INTO orders (id, user_id) VALUES (1, 1), (2, 2), (3, 3), (4, 4)").await;
    client.must("INSERT INTO drops (order_id) VALUES (1), (2), (3), (4), (1)").await;
    client.must("DELETE FROM orders WHERE id IN (1, 3)").await;
    assert_eq!(client.rows("SELECT order_id FROM drops ORDER BY 1").await.concat(), ["2", "4"]);
    // Nothing is left that could lie elsewhere.
    client.must("INSERT INTO orders (id, user_id) VALUES (1, 9)").await;
    client.must("INSERT INTO drops (order_id) VALUES (1)").await;
    let joined = "SELECT COUNT(*) FROM orders o JOIN drops d ON d.order_id = o.id";
    assert_eq!(client.value(joined).await, "3");
}

#[tokio::test]
async fn what_cannot_be_done_says_so() {
    let world = World::new("family_refused").await;
    let mut client = world.client().await;
    tables(&mut client).await;
    client.must("INSERT INTO orders (id, user_id) VALUES (1, 1)").await;
    for (sql, number, words) in [
        ("INSERT INTO parcels (order_id, code) VALUES (2, 'x')", 1452, "insert that first"),
        ("INSERT INTO parcels (order_id, code) VALUES (1.5, 'x')", 1235, "own type"),
        ("INSERT INTO parcels (order_id, code) VALUES ('one', 'x')", 1235, "own type"),
        ("INSERT INTO parcels (code) VALUES ('x')", 1235, "order_id"),
        ("UPDATE orders SET user_id = 2", 1235, "parcels"),
        ("UPDATE orders SET id = 2", 1235, "parcels follow id"),
        ("UPDATE parcels SET order_id = 1", 1235, "scans"),
    ] {
        let answer = client.run(sql).await;
        assert_eq!(answer.error_number(), number, "{sql}: {answer:?}");
        assert!(answer.message().contains(words), "{sql}: {answer:?}");
    }
}

/// A child that was committed, and lost its parent, after the transaction's snapshot was taken.
#[tokio::test]
async fn an_orphan_that_the_snapshot_does_not_show_is_found() {
    let world = World::new("family_orphans").await;
    let mut client = world.client().await;
    tables(&mut client).await;
    client
        .must("INSERT INTO orders (id, user_id) VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)")
        .await;
    let mut other = world.client().await;
    client.must("BEGIN").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM parcels").await, "0");
    other.must("INSERT INTO parcels (order_id, code) VALUES (4, 'late')").await;
    other.must("DELETE FROM orders WHERE id = 4").await;
    let mut refused = 0;
    for user in 1..=12 {
        let answer = client.run(&format!("INSERT INTO orders (id, user_id) VALUES (4, {user})")).await;
        assert!(matches!(answer.error_number(), 0 | 1062 | 1451), "{answer:?}");
        refused += u32::from(answer.error_number() == 1451);
    }
    assert!(refused > 3, "most users lie on other shards than the orphan: {refused}");
    client.must("ROLLBACK").await;
    // What the transaction itself has deleted is in nobody's way.
    client.must("BEGIN").await;
    client.must("DELETE FROM parcels WHERE order_id = 4").await;
    for user in 1..=4 {
        client.must(&format!("INSERT INTO orders (id, user_id) VALUES (4, {user})")).await;
        client.must(&format!("DELETE FROM orders WHERE id = 4 AND user_id = {user}")).await;
    }
    client.must("COMMIT").await;
}

#[tokio::test]
async fn keys_that_name_no_single_row_are_refused() {
    let world = World::new("family_keys_bad").await;
    let mut client = world.client().await;
    let parent =
        "CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL)";
    let child =
        "CREATE TABLE parcels (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT NOT NULL)";
    let refused = async |client: &mut Client, sql: &str, words: &str| {
        let answer = client.run(sql).await;
        assert_eq!(answer.error_number(), 1235, "{sql}: {answer:?}");
        assert!(answer.message().contains(words), "{sql}: {answer:?}");
    };
    // A child before its parent.
    client.must(child).await;
    let two = "CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT, user_id BIGINT NOT NULL, PRIMARY KEY (id, user_id))";
    refused(&mut client, two, "names no single row").await;
    let other =
        "CREATE TABLE orders (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL)";
    refused(&mut client, other, "has no column `id`").await;
    client.must(parent).await;
    client.must("DROP TABLE parcels").await;
    let text =
        "CREATE TABLE parcels (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id VARCHAR(20) NOT NULL)";
    refused(&mut client, text, "compare otherwise").await;
    client.must(child).await;
}

/// A dump in another order than parents first, and a file: what is refused says what to do, and nothing is left.
#[tokio::test]
async fn children_before_their_parents_are_refused() {
    let world = World::new("family_dump").await;
    let mut client = world.client().await;
    tables(&mut client).await;
    client.must("SET FOREIGN_KEY_CHECKS = 0").await;
    let answer = client.run("INSERT INTO parcels (order_id, code) VALUES (1, 'x'), (2, 'y')").await;
    assert_eq!(answer.error_number(), 1452, "{answer:?}");
    assert!(answer.message().contains("insert that first"), "{answer:?}");
    let answer = client.run("LOAD DATA LOCAL INFILE 'x' INTO TABLE parcels (order_id, code)").await;
    assert_eq!(answer.error_number(), 1235, "{answer:?}");
    assert!(answer.message().contains("lie beside those of orders"), "{answer:?}");
    assert_eq!(client.value("SELECT COUNT(*) FROM parcels").await, "0");
    client.must("INSERT INTO orders (id, user_id) VALUES (1, 1), (2, 2)").await;
    client.must("INSERT INTO parcels (order_id, code) VALUES (1, 'x'), (2, 'y')").await;
}
