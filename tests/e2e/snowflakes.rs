//! `auto_increment = "snowflake"`: numbers that proxies make without asking anybody.

use std::collections::HashSet;

use serval_testkit::ServalProcess;
use serval_tests::{APP, Answer, Client, Topology, World};

const ORDERS: &str = r#"{ rule = "by_user", auto_increment = "snowflake", unique = "sequence" }"#;
const MAKE: &str =
    "CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, v INT)";

fn first_id(answer: &Answer) -> u64 {
    match answer {
        Answer::Done { insert_id, .. } => *insert_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_statement_takes_consecutive_numbers() {
    let world = World::with(Topology { orders: ORDERS, ..Topology::new("snowflake") }).await;
    let mut client = world.client().await;
    client.must(MAKE).await;
    let rows: Vec<String> = (0..500).map(|user| format!("({user}, {user})")).collect();
    let first =
        first_id(&client.must(&format!("INSERT INTO orders (user_id, v) VALUES {}", rows.join(", "))).await);
    assert!(first > 1 << 50, "{first}");
    assert_eq!(client.value("SELECT LAST_INSERT_ID()").await, first.to_string());
    // What a driver computes of the first id is what each row got, on whichever node.
    let wrong = format!("SELECT COUNT(*) FROM orders WHERE id <> {first} + v");
    assert_eq!(client.value(&wrong).await, "0");
    let next = first_id(&client.must("INSERT INTO orders (user_id, v) VALUES (1, 1), (2, 2)").await);
    assert!(next > first + 499);
    // Prepared, and with a number of the client's own.
    let mut preparing = world.client().await.preparing();
    let id = first_id(&preparing.must("INSERT INTO orders (user_id) VALUES (7)").await);
    assert!(id > next);
    client.must("INSERT INTO orders (id, user_id) VALUES (5, 7)").await;
    assert_eq!(client.value("SELECT user_id FROM orders WHERE id = 5").await, "7");
    client.must("TRUNCATE TABLE orders").await;
    assert!(first_id(&client.must("INSERT INTO orders (user_id) VALUES (7)").await) > id);
}

#[tokio::test]
async fn proxies_and_restarts_repeat_nothing() {
    let topology = Topology { orders: ORDERS, ..Topology::new("snowflake_many") };
    let world = World::with(topology.clone()).await;
    let mut client = world.client().await;
    client.must(MAKE).await;
    let mut workers = HashSet::new();
    for _ in 0..3 {
        let other = ServalProcess::start(|ports| topology.toml(&world.shared.cluster, ports)).await;
        let other = other.expect("another proxy");
        let options = other.client_options(APP.0, APP.1, Some(&world.schema));
        let mut second = Client::connect("another", options).await;
        for _ in 0..50 {
            let (one, two) = tokio::join!(
                client.run("INSERT INTO orders (user_id) VALUES (1), (2), (3)"),
                second.run("INSERT INTO orders (user_id) VALUES (1), (2), (3)")
            );
            // 10 bits of worker above 21 of counter.
            workers.insert((first_id(&one) >> 21) & 1023);
            workers.insert((first_id(&two) >> 21) & 1023);
        }
    }
    // A duplicate would have been refused by the primary key only where both rows lie on one node.
    let ids: Vec<String> = client.rows("SELECT id FROM orders").await.concat();
    assert_eq!(ids.len(), 900);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 900, "each id once");
    assert_eq!(workers.len(), 4, "each process has a worker of its own: {workers:?}");
}

#[tokio::test]
async fn only_bigint_columns_take_them() {
    let world = World::with(Topology { orders: ORDERS, ..Topology::new("snowflake_int") }).await;
    let mut client = world.client().await;
    let made = client
        .run("CREATE TABLE orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL)")
        .await;
    let text = if made.error_number() == 0 { world.serval.log() } else { made.message().to_owned() };
    assert!(text.contains("snowflake numbers need a BIGINT"), "{text}");
}
