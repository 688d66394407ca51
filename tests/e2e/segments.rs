//! `auto_increment = "segment"`: numbers from a counter in a node, by several proxies of which some die.

use std::collections::HashSet;
use std::time::Duration;

use serval_testkit::ServalProcess;
use serval_tests::{APP, Answer, Client, Topology, World};

const MAKE: &str =
    "CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, v INT)";

/// Two rows more; the first of the two numbers, where the client was told of it.
async fn two_rows(client: &mut Client) -> Option<u64> {
    match client.run("INSERT INTO orders (user_id, v) VALUES (1, 0), (2, 1)").await {
        Answer::Done { insert_id, .. } => Some(insert_id),
        _ => None,
    }
}

async fn connect(serval: &ServalProcess, schema: &str) -> Client {
    Client::connect("another", serval.client_options(APP.0, APP.1, Some(schema))).await
}

#[tokio::test]
async fn proxies_kills_and_restarts_repeat_nothing() {
    let orders = r#"{ rule = "by_user", unique = "sequence", sequence_step = 7 }"#;
    let topology = Topology { orders, ..Topology::new("segments") };
    let world = World::with(topology.clone()).await;
    let mut client = world.client().await;
    client.must(MAKE).await;
    let mut told = HashSet::new();
    for signal in ["KILL", "TERM", "KILL"] {
        let other = ServalProcess::start(|ports| topology.toml(&world.shared.cluster, ports)).await;
        let mut other = other.expect("another proxy");
        let mut second = connect(&other, &world.schema).await;
        for _ in 0..30 {
            let (one, two) = tokio::join!(two_rows(&mut client), two_rows(&mut second));
            for first in [one, two] {
                let first = first.expect("both are there");
                assert!(told.insert(first) && told.insert(first + 1), "{first} was given twice");
            }
        }
        let first = two_rows(&mut second).await.expect("it is there");
        assert!(told.insert(first) && told.insert(first + 1), "{first} was given twice");
        assert_eq!(second.value("SELECT LAST_INSERT_ID()").await, first.to_string());
        let second_row = format!("SELECT id FROM orders WHERE id = {} AND v = 1", first + 1);
        assert_eq!(second.value(&second_row).await, (first + 1).to_string(), "what drivers compute");
        other.signal(signal);
        other.wait(Duration::from_secs(20)).await.expect("it ends");
    }
    // Numbers that clients give themselves are stepped over by everybody.
    client.must("INSERT INTO orders (id, user_id) VALUES (100000, 3)").await;
    let other = ServalProcess::start(|ports| topology.toml(&world.shared.cluster, ports)).await;
    let other = other.expect("another proxy");
    let mut second = connect(&other, &world.schema).await;
    assert!(two_rows(&mut second).await > Some(100_000));
    let ids: Vec<String> = client.rows("SELECT id FROM orders WHERE v IS NOT NULL").await.concat();
    assert_eq!(ids.len(), told.len() + 2);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "each id once");
}
