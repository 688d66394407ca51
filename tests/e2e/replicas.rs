//! Reads on replicas where the schema allows it.

use serval_tests::{Topology, World};

/// The last two digits of a server's id are 1 on primaries and 2 on replicas; see testkit's numbering.
const WHO: &str = "SELECT @@server_id, id FROM t1 WHERE id = 1";

async fn servers_of(world: &World, sql: &str, times: usize) -> Vec<String> {
    let mut client = world.client().await;
    let mut seen = Vec::new();
    for _ in 0..times {
        seen.push(client.value(sql).await);
    }
    seen.sort();
    seen.dedup();
    seen
}

async fn world(schema: &str, consistency: &'static str) -> World {
    let world = World::with(Topology { consistency, ..Topology::new(schema) }).await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO t1 VALUES (1), (2), (3), (4)").await;
    world.shared.cluster.wait_until_replicated().await.expect("replicated");
    world
}

fn is_replica(server_id: &str) -> bool {
    server_id.parse::<u32>().expect("a number") % 100 == 2
}

#[tokio::test]
async fn primary_is_the_default_place_of_reads() {
    let world = world("read_primary", "primary").await;
    let servers = servers_of(&world, WHO, 10).await;
    assert!(servers.iter().all(|id| !is_replica(id)), "{servers:?}");
}

#[tokio::test]
async fn any_reads_from_replicas_but_writes_and_transactions_do_not() {
    let world = world("read_any", "any").await;
    let servers = servers_of(&world, WHO, 10).await;
    assert!(servers.iter().any(|id| is_replica(id)), "{servers:?}");
    let mut client = world.client().await;
    client.must("BEGIN").await;
    assert!(!is_replica(&client.value(WHO).await));
    client.must("DELETE FROM t1 WHERE id = 2").await;
    client.must("COMMIT").await;
    assert!(!is_replica(&client.value(&format!("{WHO} FOR UPDATE")).await));
}
