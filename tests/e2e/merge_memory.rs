//! A merge of very many rows: the proxy holds a burst of each stream and no more.

use std::fs;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serval_tests::{Limits, Topology, World};

/// What the proxy may need, in kilobytes.
const MOST_RESIDENT: u64 = 64 * 1024;

/// How many rows there are; `SERVAL_MERGE_ROWS=10000000` for the long run.
fn rows() -> u64 {
    std::env::var("SERVAL_MERGE_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000)
}

/// The most memory that the process has had, in kilobytes.
pub(crate) fn most_resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the proxy runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number")
}

/// Rows made on the servers themselves, which needs no client to send them. They need not lie where their rule says:
/// the statement reads all shards.
async fn fill(world: &World, rows: u64) {
    let digit = "SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL \
                 SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9";
    let digits = 7;
    let number: Vec<String> = (0..digits).map(|at| format!("x{at}.d * {}", 10_u64.pow(at))).collect();
    let number = number.join(" + ");
    let from: Vec<String> = (0..digits).map(|at| format!("({digit}) x{at}")).collect();
    for node in 0..4_u64 {
        let server = world.shared.cluster.group(usize::try_from(node / 2).expect("small")).primary();
        let mut connection = server.connect().await.expect("a connection");
        // The replicas have no use for them.
        connection.query_drop("SET SESSION sql_log_bin = 0, unique_checks = 0").await.expect("SET");
        // MySQL wants a current database for derived tables.
        connection.query_drop(format!("USE {}_{node}", world.schema)).await.expect("USE");
        let sql = format!(
            "INSERT INTO t1 SELECT ({number}) * 4 + {node}, SHA2(({number}) * 4 + {node}, 224) FROM {} \
             WHERE {number} < {}",
            from.join(", "),
            rows / 4,
        );
        connection.query_drop(sql).await.expect("rows");
    }
}

#[tokio::test]
#[allow(clippy::print_stderr, reason = "the long run says what it saw to who asks for it with --nocapture")]
async fn a_merge_of_very_many_rows_stays_small() {
    let limits = Limits { query_timeout: "1h", ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("merge_memory") }).await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(60)) DEFAULT CHARSET=utf8mb4").await;
    let expected = rows();
    fill(&world, expected).await;
    let (mut seen, mut last) = (0_u64, String::new());
    let mut connection = Conn::new(world.client_options()).await.expect("a client");
    let mut result = connection.query_iter("SELECT v, id FROM t1 ORDER BY v").await.expect("rows");
    while let Some(row) = result.next().await.expect("a row") {
        let (text, _): (String, u64) = mysql_async::from_row(row);
        assert!(last <= text, "row {seen} is out of order: {last} before {text}");
        (last, seen) = (text, seen + 1);
    }
    drop(result);
    assert_eq!(seen, expected);
    let resident = most_resident(world.serval.pid());
    eprintln!("{seen} rows merged, at most {resident} kB resident");
    assert!(resident < MOST_RESIDENT, "{resident} kB");
    client.must("DROP TABLE t1").await;
}
