//! A SELECT that may write counts as a write: the group where it ran takes part in the decision, and no replica is asked.

use serval_tests::{Topology, World};

use crate::atomic::{filled, records};

#[tokio::test]
async fn a_select_that_calls_a_function_takes_part() {
    let schema = "atomic_functions";
    let world = World::with(Topology { consistency: "any", ..Topology::new(schema) }).await;
    let mut client = world.client().await;
    let [_, there] = filled(&world, &mut client).await;
    for sql in [
        "CREATE TABLE noted (id INT NOT NULL PRIMARY KEY)",
        "CREATE TABLE wanted (id INT NOT NULL PRIMARY KEY)",
        "INSERT INTO wanted VALUES (7), (8)",
        "CREATE FUNCTION note(x INT) RETURNS INT NOT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO noted VALUES (x); \
         RETURN x; END",
        "CREATE VIEW noting AS SELECT id, note(id) AS x FROM wanted",
    ] {
        client.must(sql).await;
    }
    world.shared.cluster.wait_until_replicated().await.expect("replication");
    let mut decided = records(&world).await;
    let update = format!("UPDATE t1 SET v = v + 1 WHERE id = {}", there[0]);
    // By its name, inside of a query over a table, in quotes, and hidden in a view.
    for (calls, takes_part) in [
        ("SELECT note(1)".to_owned(), true),
        ("SELECT note(id) FROM wanted WHERE id = 8".to_owned(), true),
        ("SELECT `note` (2)".to_owned(), true),
        ("SELECT x FROM noting WHERE id = 7".to_owned(), true),
        ("SELECT UPPER(COUNT(*)), MAX(id) FROM wanted".to_owned(), false),
    ] {
        client.must("BEGIN").await;
        client.must(&update).await;
        client.must(&calls).await;
        client.must("COMMIT").await;
        let now = records(&world).await;
        assert_eq!(now - decided, usize::from(takes_part), "{calls}");
        decided = now;
        client.must("BEGIN").await;
        client.must(&update).await;
        client.must("DELETE FROM noted").await;
        client.must(&calls).await;
        client.must("ROLLBACK").await;
        // Alone, and never on a replica. Of a view nobody knows what it calls: a replica would refuse to write (1290).
        client.must("DELETE FROM noted").await;
        client.must(if calls.contains("noting") { "SELECT note(7)" } else { &calls }).await;
        let noted = client.value("SELECT COUNT(*) FROM noted FOR UPDATE").await;
        assert_eq!(noted, if takes_part { "1" } else { "0" }, "{calls}");
        client.must("DELETE FROM noted").await;
        decided = records(&world).await.max(decided);
    }
}
