//! The plan as the proxy shows it, and MySQL's own.

use serval_testkit::ServalProcess;
use serval_tests::World;

#[tokio::test]
async fn shows_the_nodes_and_leaves_mysqls_own_alone() {
    let world = World::new("explain_on").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client
        .must("CREATE TABLE events (id INT NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (id, created_at))")
        .await;
    let plan = |rows: Vec<Vec<String>>| rows.concat().join("\n");

    let one = plan(client.rows("EXPLAIN FORMAT=SERVAL SELECT * FROM t1 WHERE id = 7").await);
    assert_eq!(one.matches("dn").count(), 1, "{one}");
    let all = plan(client.rows("EXPLAIN FORMAT=SERVAL SELECT * FROM t1 ORDER BY v LIMIT 3").await);
    assert!(["dn0", "dn1", "dn2", "dn3"].iter().all(|node| all.contains(node)), "{all}");
    let month = "SELECT COUNT(*) FROM events WHERE created_at >= '2026-03-01' AND created_at < '2026-04-01'";
    let month = plan(client.rows(&format!("EXPLAIN FORMAT=SERVAL {month}")).await);
    assert!(month.contains("events_202603") && !month.contains("events_202604"), "{month}");

    let own = client.must("EXPLAIN SELECT * FROM t1 WHERE id = 7").await;
    let theirs = {
        let mut oracle = world.oracle().await;
        oracle.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
        oracle.must("EXPLAIN SELECT * FROM t1 WHERE id = 7").await
    };
    let (
        serval_tests::Answer::Rows { columns: ours, .. },
        serval_tests::Answer::Rows { columns: theirs, .. },
    ) = (own, theirs)
    else {
        panic!("EXPLAIN answers rows")
    };
    assert_eq!(ours, theirs);
}

/// The same tree without a proxy and without servers, from the snapshot of definitions.
#[tokio::test]
async fn offline_and_online_print_the_same() {
    let world = World::new("explain_off").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let config = world.serval.config_path();
    let snapshot = ["snapshot".as_ref(), "--config".as_ref(), config.as_os_str()];
    let ended = ServalProcess::run_to_end(snapshot).expect("serval snapshot");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for sql in [
        "SELECT * FROM t1 WHERE id = 7",
        "SELECT v FROM t1 ORDER BY v DESC LIMIT 2, 3",
        "SELECT v, COUNT(*) FROM t1 GROUP BY v",
        "UPDATE t1 SET v = 1 WHERE id IN (1, 2, 3)",
    ] {
        let online = client.rows(&format!("EXPLAIN FORMAT=SERVAL {sql}")).await.concat().join("\n");
        let explain = ["explain".as_ref(), "--config".as_ref(), config.as_os_str(), sql.as_ref()];
        let ended = ServalProcess::run_to_end(explain).expect("serval explain");
        assert_eq!((ended.code, ended.output.trim_end()), (Some(0), online.trim_end()), "{sql}");
    }
}

/// The lines of a plan.
async fn plan(client: &mut serval_tests::Client, sql: &str) -> Vec<String> {
    client.rows(sql).await.concat()
}

fn has(lines: &[String], start: &str, part: &str) -> bool {
    lines.iter().any(|line| {
        line.trim_start_matches([' ', '├', '└', '─', '│']).starts_with(start) && line.contains(part)
    })
}

#[tokio::test]
async fn analyze_runs_the_statement_and_says_what_each_part_did() {
    let world = World::gathering("explain_run").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT, note VARCHAR(40))").await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY, w INT)").await;
    let rows: Vec<String> = (1..=40).map(|id| format!("({id}, {}, 'n{id}')", id % 4)).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    client.must("INSERT INTO n1 VALUES (1, 5), (2, 6), (3, 7)").await;

    // A merge: the rows of each node, and of each primitive.
    let lines =
        plan(&mut client, "EXPLAIN ANALYZE FORMAT=SERVAL SELECT v, COUNT(*) FROM t1 GROUP BY v LIMIT 2")
            .await;
    assert!(has(&lines, "Limit", "(actual 2 rows)"), "{lines:#?}");
    assert!(has(&lines, "Route to 4", "(actual ") && has(&lines, "Route to 4", " bytes, "), "{lines:#?}");
    assert_eq!(
        lines.iter().filter(|line| line.contains("─ dn") && line.contains(" ms)")).count(),
        4,
        "{lines:#?}"
    );
    assert!(
        lines.last().is_some_and(|line| line.starts_with("ran for ") && line.ends_with(", 2 rows")),
        "{lines:#?}"
    );

    // One node, and all nodes without FORMAT: no server knows more than its part.
    let lines = plan(&mut client, "EXPLAIN ANALYZE FORMAT=SERVAL SELECT * FROM t1 WHERE id = 7").await;
    assert!(has(&lines, "dn", "(actual 1 row, "), "{lines:#?}");
    for words in ["EXPLAIN ANALYZE", "ANALYZE"] {
        let lines = plan(&mut client, &format!("{words} SELECT * FROM t1")).await;
        assert!(has(&lines, "Route to 4", "(actual 40 rows, "), "{words}: {lines:#?}");
    }

    // What is gathered: estimates before, and what came.
    let join = "SELECT COUNT(*) FROM n1 JOIN t1 ON t1.v = n1.id AND t1.note > '' WHERE n1.w > 5";
    let lines = plan(&mut client, &format!("EXPLAIN FORMAT=SERVAL {join}")).await;
    assert!(has(&lines, "serval_g0", "estimated ") && has(&lines, "serval_g1", " bytes)"), "{lines:#?}");
    let lines = plan(&mut client, &format!("EXPLAIN ANALYZE FORMAT=SERVAL {join}")).await;
    assert!(has(&lines, "serval_g0", "(actual 2 rows, "), "{lines:#?}");
    assert!(has(&lines, "serval_g1", "(actual 20 rows, "), "the keys 2 and 3 reach 20 rows: {lines:#?}");
    assert!(has(&lines, "scratch", "(actual 1 row, "), "{lines:#?}");

    // In a transaction it runs among the transaction's own writes, and so does what is gathered.
    client.must("BEGIN").await;
    client.must("DELETE FROM t1 WHERE v = 3").await;
    assert_eq!(client.value(join).await, "10");
    let lines = plan(&mut client, &format!("EXPLAIN ANALYZE FORMAT=SERVAL {join}")).await;
    assert!(has(&lines, "serval_g1", "(actual 10 rows, "), "{lines:#?}");
    client.must("ROLLBACK").await;
    assert_eq!(client.value(join).await, "20");

    // limits[reads anywhere]: plain EXPLAIN of a statement for several nodes; EXPLAIN ANALYZE of a write over several | EXPLAIN FORMAT=SERVAL
    // A write is not run for its plan.
    let answer = client.run("EXPLAIN ANALYZE FORMAT=SERVAL DELETE FROM t1").await;
    assert_eq!(answer.error_number(), 1235, "{answer:?}");
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "40");
}

#[tokio::test]
async fn writes_in_several_steps_show_their_steps() {
    let world = World::new("explain_steps").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("INSERT INTO t1 VALUES (1, 1), (2, 2), (3, 3)").await;
    for (sql, steps) in [
        ("INSERT INTO n1 SELECT id, v FROM t1", ["1: read the rows, and lock them", "2: insert them, "]),
        ("DELETE FROM t1 ORDER BY v LIMIT 2", ["1: find the rows by their keys", "2: delete these rows"]),
        (
            "UPDATE t1 SET id = 100 WHERE id = 1",
            ["1: update the rows where they are", "2: take those that belong"],
        ),
    ] {
        let lines = plan(&mut client, &format!("EXPLAIN FORMAT=SERVAL {sql}")).await;
        assert!(lines[0].starts_with("Steps of one transaction"), "{sql}: {lines:#?}");
        assert!(steps.iter().all(|step| has(&lines, step, "")), "{sql}: {lines:#?}");
        assert!(lines.iter().any(|line| line.starts_with("because steps: ")), "{sql}: {lines:#?}");
    }
    assert_eq!(client.rows("SELECT id FROM t1 ORDER BY id").await, [["1"], ["2"], ["3"]]);
    assert_eq!(client.value("SELECT COUNT(*) FROM n1").await, "0");
}
