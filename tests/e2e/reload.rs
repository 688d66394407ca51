//! A new configuration while clients work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serval_tests::{Topology, World};

#[tokio::test]
async fn reload_under_load_disturbs_nobody() {
    let world = World::new("reload").await;
    let mut setup = world.client().await;
    setup.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=32).map(|id| format!("({id}, 0)")).collect();
    setup.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;

    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut workers = Vec::new();
    for worker in 0..4 {
        let mut client = world.client().await;
        let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
        workers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                client.must("BEGIN").await;
                client
                    .must(&format!("UPDATE t1 SET v = v + 1 WHERE id IN ({}, {})", worker + 1, worker + 9))
                    .await;
                client.must("COMMIT").await;
                assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "32");
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let mut admin = world.admin().await;
    for round in 0..10 {
        let topology = Topology {
            consistency: if round % 2 == 0 { "any" } else { "primary" },
            ..Topology::new(&world.schema)
        };
        let text = topology.toml(&world.shared.cluster, world.serval.ports());
        std::fs::write(world.serval.config_path(), text).expect("write the configuration");
        admin.must("reload @@config").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("a worker without an error");
    }
    let sum: u64 = setup.value("SELECT SUM(v) FROM t1").await.parse().expect("a number");
    assert_eq!(sum, 2 * done.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_bad_configuration_changes_nothing() {
    let world = World::new("reload_bad").await;
    let mut client = world.client().await;
    let mut admin = world.admin().await;
    std::fs::write(world.serval.config_path(), "[listen]\nmysql = 5\nnosuch = 1\n").expect("write");
    let answer = admin.run("reload @@config").await;
    assert_ne!(answer.error_number(), 0, "{answer:?}");
    assert!(answer.message().contains("nosuch"), "the console says what is wrong: {answer:?}");
    assert_eq!(client.value("SELECT 1").await, "1");
    assert_eq!(world.client().await.value("SELECT DATABASE()").await, "reload_bad");
}
