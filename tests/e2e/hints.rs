//! Hints: `/*+ SERVAL(…) */` and Mycat's annotations, on real servers.

use std::time::{Duration, Instant};

use serval_tests::{Client, Topology, World};

/// The last two digits of a server's id are 1 on primaries and 2 on replicas; see testkit's numbering.
const WHO: &str = "CAST(@@server_id AS UNSIGNED) % 100";

async fn filled(world: &World) -> Client {
    let mut client = world.client().await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(20))").await;
    client.must("INSERT INTO n1 VALUES (0, 'a'), (1, 'b'), (2, 'c'), (3, 'd'), (4, 'e'), (5, 'f')").await;
    client
}

#[tokio::test]
async fn a_node_or_a_value_narrows_the_statement() {
    let world = World::new("hint_node").await;
    let mut client = filled(&world).await;
    // `mod` puts 1 and 5 on dn1.
    assert_eq!(client.rows("SELECT /*+ SERVAL(node=dn1) */ id FROM n1 ORDER BY id").await, [["1"], ["5"]]);
    assert_eq!(client.rows("SELECT /*+ SERVAL(shard_key=9) */ id FROM n1 ORDER BY id").await, [["1"], ["5"]]);
    assert_eq!(client.value("/*!mycat: datanode=dn1 */ SELECT COUNT(*) FROM n1").await, "2");
    assert_eq!(
        client.value("/*#mycat:sql=SELECT 1 FROM n1 WHERE id = 2*/ SELECT COUNT(*) FROM n1").await,
        "1"
    );
    assert!(client.rows("SELECT /*+ SERVAL(node=dn1) */ id FROM n1 WHERE id = 2").await.is_empty());
    client.must("UPDATE /*+ SERVAL(node=dn1) */ n1 SET v = 'x'").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM n1 WHERE v = 'x'").await, "2");
    client.must("INSERT /*+ SERVAL(node=dn1) */ INTO n1 VALUES (9, 'i')").await;
    let wrong = client.run("INSERT /*+ SERVAL(node=dn1) */ INTO n1 VALUES (13, 'j'), (10, 'k')").await;
    assert_eq!(wrong.error_number(), 1210, "{wrong:?}");
    assert_eq!(client.value("SELECT COUNT(*) FROM n1").await, "7");

    // Prepared it is the same, and each text has a plan of its own.
    let mut preparing = world.client().await.preparing();
    for (node, rows) in [("dn0", "2"), ("dn1", "3"), ("dn2", "1"), ("dn3", "1")] {
        let sql = format!("SELECT /*+ SERVAL(node={node}) */ COUNT(*) FROM n1");
        assert_eq!(preparing.value(&sql).await, format!("Int({rows})"), "{node}");
        assert_eq!(client.value(&sql).await, rows, "{node}");
    }
    let plan = client.rows("EXPLAIN FORMAT=SERVAL SELECT /*+ SERVAL(node=dn1) */ * FROM n1").await.concat();
    assert!(plan.iter().any(|line| line.contains("because hint: only what lies on dn1")), "{plan:?}");
    assert!(plan.iter().any(|line| line.contains("dn1: SELECT * FROM n1")), "{plan:?}");
}

// limits[reads anywhere]: hints that place a statement ([hints.md](hints.md)) for one in several steps, INSERT … SELECT into a sharded table, global tables' writes, information_schema (1210) | without the hint
#[tokio::test]
async fn what_is_not_understood_or_has_no_place_is_1210() {
    let world = World::new("hint_bad").await;
    let mut client = filled(&world).await;
    for sql in [
        "SELECT /*+ SERVAL(nod=dn1) */ 1",
        "SELECT /*+ SERVAL(node=dn9) */ * FROM n1",
        "SELECT * FROM (SELECT /*+ SERVAL(node=dn1) */ * FROM n1) x",
        "/*!mycat: catlet=a.B */ SELECT 1",
        "/*!mycat: datanode=dn1 */ CREATE TABLE t1 (id INT)",
        "/*+ SERVAL(primary) */ SET @a = 1",
        "DELETE /*+ SERVAL(replica) */ FROM n1",
        "UPDATE /*+ SERVAL(node=dn1) */ n1 SET id = id + 1",
        "INSERT /*+ SERVAL(node=dn1) */ INTO n1 SELECT id + 100, v FROM n1",
        "SELECT /*+ SERVAL(node=dn1) */ table_name FROM information_schema.tables",
        "SELECT /*+ SERVAL(node=dn1) */ COUNT(*) FROM n1 INTO @n",
    ] {
        let answer = client.run(sql).await;
        assert_eq!(answer.error_number(), 1210, "{sql}: {answer:?}");
        let prepared = world.client().await.preparing().run(sql).await;
        assert_eq!(prepared.error_number(), 1210, "prepared {sql}: {prepared:?}");
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM n1").await, "6");
    // No server has seen them: it would have warned of what it does not know.
    client.must("SELECT /*+ SERVAL(node=dn1) */ * FROM n1").await;
    assert!(client.rows("SHOW WARNINGS").await.is_empty());
}

#[tokio::test]
async fn the_writer_says_which_server_answers() {
    let world = World::with(Topology { consistency: "any", ..Topology::new("hint_server") }).await;
    let mut client = filled(&world).await;
    world.shared.cluster.wait_until_replicated().await.expect("replicated");
    for _ in 0..8 {
        let one = format!("SELECT /*+ SERVAL(primary) */ {WHO} FROM n1 WHERE id = 1");
        assert_eq!(client.value(&one).await, "1");
        let all = format!("/*!mycat:db_type=master*/ SELECT DISTINCT {WHO} FROM n1");
        assert_eq!(client.value(&all).await, "1");
    }
    let primary = World::new("hint_replica").await;
    let mut client = filled(&primary).await;
    primary.shared.cluster.wait_until_replicated().await.expect("replicated");
    for _ in 0..8 {
        assert_eq!(
            client.value(&format!("SELECT /*+ SERVAL(replica) */ {WHO} FROM n1 WHERE id = 1")).await,
            "2"
        );
        assert_eq!(client.value(&format!("SELECT DISTINCT {WHO} FROM n1")).await, "1");
    }
    client.must("BEGIN").await;
    let answer = client.run("SELECT /*+ SERVAL(replica) */ * FROM n1 WHERE id = 1").await;
    assert_eq!(answer.error_number(), 1210, "{answer:?}");
    client.must("ROLLBACK").await;
}

#[tokio::test]
async fn a_timeout_ends_the_statement_on_its_server() {
    let world = World::new("hint_time").await;
    let mut client = filled(&world).await;
    let sql = "SELECT /*+ SERVAL(timeout=500ms) */ SLEEP(64) FROM n1 WHERE id = 1";
    let mut preparing = world.client().await.preparing();
    for client in [&mut client, &mut preparing] {
        let begun = Instant::now();
        let answer = client.run(sql).await;
        assert_eq!(answer.error_number(), 3024, "{answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(client.value("SELECT COUNT(*) FROM n1").await.contains('6'));
    }
    serval_tests::eventually("the statements are killed", Duration::from_secs(5), || async {
        crate::limits::running(&world, "SLEEP(64)").await == 0
    })
    .await;
}

/// The examples of the page about hints do what it says.
#[tokio::test]
async fn the_pages_examples_run() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hints.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let world = World::new("hint_page").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20))").await;
    client
        .must("CREATE TABLE orders (id BIGINT, user_id BIGINT, note VARCHAR(20), PRIMARY KEY (user_id, id))")
        .await;
    client.must("CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, name VARCHAR(20))").await;
    client.must("INSERT INTO users VALUES (7, 'x'), (8, 'y')").await;
    let blocks = page.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut seen = 0;
    for line in blocks.flat_map(str::lines) {
        let (sql, note) = line.split_once(';').expect("a statement");
        let answer = client.run(sql).await;
        let expected = if note.contains("error 1210") { 1210 } else { 0 };
        let number = match &answer {
            serval_tests::Answer::Rows { .. } | serval_tests::Answer::Done { .. } => 0,
            failed => failed.error_number(),
        };
        assert_eq!(number, expected, "{sql}: {answer:?}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} examples");
}
