//! Statements of megabytes: their time and memory grow with their length, and no faster.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serval_tests::World;

use crate::merge_memory::most_resident;

/// With a step that looks at all rows for each row this takes several minutes.
const PATIENCE: Duration = Duration::from_secs(60);
/// What statements of at most five megabytes may need, in kilobytes, with the servers' and the client's buffers.
const MOST_RESIDENT: u64 = 400 * 1024;

#[tokio::test]
async fn statements_of_megabytes_take_no_more_than_their_share() {
    const ROWS: usize = 80_000;
    let world = World::new("hostile_long").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, a VARCHAR(20), b VARCHAR(40), v INT)").await;
    client
        .must("CREATE TABLE plain (id INT NOT NULL PRIMARY KEY, a VARCHAR(20), b VARCHAR(40), v INT)")
        .await;
    let mut rows = String::new();
    for id in 0..ROWS {
        let comma = if id == 0 { "" } else { ", " };
        write!(rows, "{comma}({id}, 'name {id}', 'somebody{id}@example.com', -{})", id % 7)
            .expect("a string");
    }
    let ids: Vec<String> = (0..5 * ROWS).map(|id| (id * 2).to_string()).collect();
    let ids = ids.join(",");
    let begun = Instant::now();
    client.must(&format!("INSERT INTO t1 VALUES {rows}")).await;
    client.must(&format!("INSERT INTO plain VALUES {rows}")).await;
    let half = (ROWS / 2).to_string();
    assert_eq!(client.rows(&format!("SELECT COUNT(*) FROM t1 WHERE id IN ({ids})")).await, [[half]]);
    assert_eq!(
        client.rows("SELECT COUNT(*), SUM(v) FROM t1").await,
        client.rows("SELECT COUNT(*), SUM(v) FROM plain").await
    );
    let taken = begun.elapsed();
    let resident = most_resident(world.serval.pid());
    eprintln!("{} kB in {taken:?}, at most {resident} kB resident", (2 * rows.len() + ids.len()) / 1024);
    assert!(taken < PATIENCE, "{taken:?}");
    assert!(resident < MOST_RESIDENT, "{resident} kB");
}
