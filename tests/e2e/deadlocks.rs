//! Circles of waits that lead through two proxies.

use std::time::{Duration, Instant};

use serval_testkit::ServalProcess;
use serval_tests::{APP, Client, Topology, World};

use crate::atomic::filled;

/// From the moment when the circle closes.
pub(crate) const SOON: Duration = Duration::from_secs(2);

/// A second proxy over the same groups. Started once the tables are there, it knows them.
async fn beside(world: &World) -> (ServalProcess, Client) {
    let topology = Topology::new(&world.schema);
    let serval = ServalProcess::start(|ports| topology.toml(&world.shared.cluster, ports)).await;
    let serval = serval.expect("the proxy starts");
    let options = serval.client_options(APP.0, APP.1, Some(&world.schema));
    let client = Client::connect("the other proxy", options).await;
    (serval, client)
}

fn update(id: &str) -> String {
    format!("UPDATE t1 SET v = v + 10 WHERE id = {id}")
}

#[allow(clippy::print_stdout, reason = "a test says what it saw to who asks for it with --nocapture")]
pub(crate) fn say(took: Duration) {
    println!("a circle was ended after {took:?}");
}

/// The number of the error, and the client.
async fn spawned(mut client: Client, sql: String) -> (Client, u16) {
    let answer = client.run(&sql).await.error_number();
    (client, answer)
}

#[tokio::test]
async fn two_proxies_wait_for_each_other() {
    let world = World::new("circle_two").await;
    let mut one = world.client().await;
    let [here, there] = filled(&world, &mut one).await;
    let (_serval, mut two) = beside(&world).await;
    let tables = "SELECT CONCAT(COUNT(*)) FROM information_schema.tables WHERE table_schema LIKE 'circle\\_two\\_%' AND \
                  table_name = 'serval_wait'";
    // The younger one gives way, whichever proxy it belongs to.
    for older_first in [true, false] {
        let (mut older, mut younger) = if older_first { (one, two) } else { (two, one) };
        for (client, first, at) in [(&mut older, &here[0], 1), (&mut younger, &there[0], 2)] {
            client.must("BEGIN").await;
            client.must(&update(&here[at])).await;
            client.must(&update(&there[at % there.len()])).await;
            client.must(&update(first)).await;
        }
        if older_first {
            assert_eq!(world.on_node(0, tables).await, ["0"], "nobody has waited");
        }
        let waiting = tokio::spawn(spawned(older, update(&there[0])));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        let (mut younger, second) = spawned(younger, update(&here[0])).await;
        let took = begun.elapsed();
        let (mut older, first) = waiting.await.expect("the first client");
        assert!(took < SOON, "{took:?}");
        say(took);
        assert_eq!((first, second), (0, 1213), "older first: {older_first}");
        older.must("COMMIT").await;
        // Its transaction is over, and the next one works.
        younger.must(&update(&here[0])).await;
        (one, two) = if older_first { (older, younger) } else { (younger, older) };
    }
    assert_eq!(world.on_node(0, tables).await, ["1"]);
    for client in [&mut one, &mut two] {
        assert!(!client.rows("SHOW TABLES").await.iter().flatten().any(|name| name.starts_with("serval_")));
    }
    assert_eq!(one.value(&format!("SELECT v FROM t1 WHERE id = {}", there[0])).await, "20");
}

/// The circle goes through a transaction that uses one group only, of which its proxy tells nothing.
#[tokio::test]
async fn a_stranger_stands_between() {
    let world = World::new("circle_stranger").await;
    let mut one = world.client().await;
    let [here, there] = filled(&world, &mut one).await;
    let (serval, mut two) = beside(&world).await;
    let options = serval.client_options(APP.0, APP.1, Some(&world.schema));
    let mut local = Client::connect("the other proxy", options).await;
    one.must("BEGIN").await;
    one.must(&update(&here[1])).await;
    one.must(&update(&there[0])).await;
    two.must("BEGIN").await;
    two.must(&update(&there[1])).await;
    two.must(&update(&here[0])).await;
    local.must("BEGIN").await;
    // Rows of one group: this transaction is an ordinary one.
    local.must(&update(&here[2])).await;
    let local = tokio::spawn(spawned(local, update(&here[0])));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let one = tokio::spawn(spawned(one, update(&here[2])));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let (mut two, second) = spawned(two, update(&there[0])).await;
    assert_eq!(second, 1213, "the younger of those that use two groups gives way");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    two.must("ROLLBACK").await;
    let (mut local, answer) = local.await.expect("the local one");
    assert_eq!(answer, 0);
    local.must("COMMIT").await;
    let (mut one, answer) = one.await.expect("the first");
    assert_eq!(answer, 0);
    one.must("COMMIT").await;
}

/// Long waits that are no circle end as on one server.
#[tokio::test]
async fn a_queue_is_no_circle() {
    let world = World::new("circle_none").await;
    let mut one = world.client().await;
    let [here, there] = filled(&world, &mut one).await;
    let (_serval, mut two) = beside(&world).await;
    for client in [&mut one, &mut two] {
        client.must("SET innodb_lock_wait_timeout = 5").await;
        client.must("BEGIN").await;
    }
    one.must(&update(&here[0])).await;
    one.must(&update(&there[0])).await;
    two.must(&update(&here[1])).await;
    two.must(&update(&there[1])).await;
    assert_eq!(two.run(&update(&here[0])).await.error_number(), 1205);
    two.must("COMMIT").await;
    one.must("COMMIT").await;
}
