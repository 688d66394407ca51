//! Statements that are finished on the scratch server.

use std::time::Duration;

use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use serval_tests::{APP, Answer, Client, Topology, World, eventually, make_databases, slt};

#[tokio::test]
async fn the_file_of_gathered_statements() {
    let world = World::gathering("gather").await;
    let report = slt::run(&world, "gather.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_gathered_statements_prepared() {
    let world = World::gathering("gatherps").await;
    let report = slt::run_prepared(&world, "gather.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_writes_that_gather() {
    let world = World::gathering("gather_writes").await;
    let report = slt::run(&world, "gather_writes.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_views() {
    let world = World::gathering("gather_views").await;
    let report = slt::run(&world, "gather_views.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_views_prepared() {
    let world = World::gathering("gather_viewsps").await;
    let report = slt::run_prepared(&world, "gather_views.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_writes_that_gather_prepared() {
    let world = World::gathering("gather_writesps").await;
    let report = slt::run_prepared(&world, "gather_writes.slt").await;
    assert!(report.is_empty(), "{report}");
}

/// Each with a proxy of its own, as text and prepared, and on two plain servers.
#[tokio::test]
async fn the_files_of_types_and_of_names() {
    let files = [
        ("gather_types.slt", "gather_types"),
        ("gather_keys.slt", "gather_keys"),
        ("gather_law.slt", "gather_law"),
        ("gather_suite.slt", "gather_suite"),
        ("gather_search.slt", "gather_search"),
        ("gather_long.slt", "gather_long"),
        ("gather_values.slt", "gather_values"),
        ("gather_called.slt", "gather_called"),
    ];
    for (file, name) in files {
        let world = World::gathering(name).await;
        let report = slt::run(&world, file).await;
        assert!(report.is_empty(), "{report}");
        let world = World::gathering(&format!("{name}_ps")).await;
        let report = slt::run_prepared(&world, file).await;
        assert!(report.is_empty(), "{report}");
        let report = slt::run_on_oracles(file, &format!("two_{name}")).await;
        assert!(report.is_empty(), "{report}");
    }
}

#[tokio::test]
async fn tables_made_of_what_is_gathered() {
    let world = World::gathering("gather_create").await;
    let report = slt::run(&world, "gather_create_select.slt").await;
    assert!(report.is_empty(), "{report}");
}

/// `SERVAL_SLT=/path/to/file` runs a file of one's own, to try statements out.
#[tokio::test]
async fn a_file_of_ones_own() {
    let Some(file) = std::env::var_os("SERVAL_SLT") else { return };
    let world = World::gathering("gather_own").await;
    let report = slt::run(&world, &file.to_string_lossy()).await;
    assert!(report.is_empty(), "{report}");
}

/// A proxy that starts the scratch server itself, with `more` in its section.
async fn managed(schema: &str, more: &str) -> World {
    let scratch = format!("[scratch]\nserver = \"managed\"\n{more}\n");
    let world = World::with(Topology { more: scratch, ..Topology::new(schema) }).await;
    let mut client = world.client().await;
    done(&mut client, "CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20))").await;
    done(&mut client, "CREATE TABLE products (id INT NOT NULL PRIMARY KEY, title VARCHAR(400))").await;
    done(&mut client, "INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'c')").await;
    done(&mut client, "INSERT INTO products VALUES (1, REPEAT('x', 300)), (2, REPEAT('y', 300)), (9, 'z')")
        .await;
    world
}

async fn done(client: &mut Client, sql: &str) {
    let answer = client.run(sql).await;
    assert!(matches!(answer, Answer::Done { .. }), "{sql}: {answer:?}");
}

/// The single cell of an answer, or its error.
async fn number(client: &mut Client, sql: &str) -> String {
    match client.run(sql).await {
        Answer::Rows { rows, .. } => rows[0][0].clone(),
        other => format!("{other:?}"),
    }
}

const JOIN: &str = "SELECT COUNT(*) FROM users u JOIN products p ON p.id = u.id AND p.title > ''";

/// A scratch server has its own variables, and gathered rows are seen under the nodes'.
#[tokio::test]
async fn a_managed_server_computes_as_the_nodes_do() {
    let mut spec = ClusterSpec::new(Flavour::from_env(), 2, 0);
    spec.options =
        ["--default-time-zone=+08:00", "--group-concat-max-len=100000", "--div-precision-increment=7"]
            .map(str::to_owned)
            .into();
    let cluster = Cluster::start(spec).await.expect("the servers start");
    let topology =
        Topology { more: "[scratch]\nserver = \"managed\"\n".to_owned(), ..Topology::new("gather_defaults") };
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client =
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    client.must("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, at TIMESTAMP NULL, k INT, s TEXT)").await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO n1 VALUES (1), (2), (3)").await;
    client
        .must(
            "INSERT INTO t1 VALUES (1, '2026-10-01 01:00:00', 1, REPEAT('a', 900)), (2, '2026-10-02 01:00:00', 2, \
             REPEAT('b', 900)), (3, '2026-09-30 23:00:00', 3, 'c')",
        )
        .await;
    let from = "FROM n1 JOIN t1 ON t1.id = n1.id";
    let times = format!("SELECT t1.at {from} WHERE t1.at >= '2026-10-01' ORDER BY t1.at");
    for _ in 0..600 {
        if matches!(client.run(&times).await, Answer::Rows { .. }) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(client.rows(&times).await, [["2026-10-01 01:00:00"], ["2026-10-02 01:00:00"]]);
    let length = format!("SELECT LENGTH(GROUP_CONCAT(t1.s)) {from}");
    assert_eq!(client.value(&length).await, "1803");
    let quotient = format!("SELECT t1.k / 7 {from} WHERE n1.id = 1 + 0 AND t1.k = 1");
    assert_eq!(client.value(&quotient).await, "0.1428571");
    client.must("SET time_zone = '+00:00'").await;
    assert_eq!(client.rows(&times).await, [["2026-10-01 17:00:00"]]);
}

#[tokio::test]
async fn a_managed_server_comes_back_when_it_dies() {
    let world = managed("gather_managed", "").await;
    let mut client = world.client().await;
    let ready = || async { number(&mut world.client().await, JOIN).await == "2" };
    eventually("the scratch server is ready", Duration::from_secs(60), ready).await;
    let socket = world.serval.log().lines().find_map(pid).expect("the scratch server's process is logged");
    let killed =
        std::process::Command::new("kill").args(["-s", "KILL", &socket]).status().expect("kill runs");
    assert!(killed.success());
    let answer = client.run(JOIN).await;
    assert!(answer.message().contains("scratch"), "{answer:?}");
    eventually("the scratch server is ready again", Duration::from_secs(60), ready).await;
}

/// The process id in the line that says that the scratch server is ready.
fn pid(line: &str) -> Option<String> {
    let rest = line.split("the scratch server is ready").nth(1)?;
    Some(rest.split("pid=").nth(1)?.trim().to_owned())
}

#[tokio::test]
async fn what_failed_statements_took_of_the_total_is_given_back() {
    const SMALL: &str =
        "SELECT COUNT(*) FROM users u JOIN products p ON p.id = u.id AND p.id > 1 AND p.title < 'z'";
    let world = managed("gather_total", "total = \"600B\"").await;
    let said = || async { world.client().await.run(JOIN).await.message().contains("[scratch] total") };
    eventually("the total is named", Duration::from_secs(60), said).await;
    let mut client = world.client().await;
    for _ in 0..20 {
        let answer = client.run(JOIN).await;
        assert!(answer.message().contains("[scratch] total"), "{answer:?}");
        assert_eq!(number(&mut client, SMALL).await, "1");
    }
}

#[tokio::test]
async fn rows_beyond_the_limit_are_an_error_that_names_the_table() {
    let world = managed("gather_limit", "limit = \"500B\"").await;
    let mut client = world.client().await;
    let said = || async { world.client().await.run(JOIN).await.message().contains("gather_limit.products") };
    eventually("the limit is named", Duration::from_secs(60), said).await;
    let answer = client.run(JOIN).await;
    assert!(answer.error_number() == 3170 && answer.message().contains("500 bytes"), "{answer:?}");
    // Nothing is left behind that would be in the next one's way.
    let narrow = "SELECT COUNT(*) FROM users u JOIN products p ON p.id = u.id WHERE p.id = 2";
    assert_eq!(number(&mut client, narrow).await, "1");
    assert_eq!(number(&mut client, narrow).await, "1");
}

#[tokio::test]
async fn the_file_is_determined() {
    let report = slt::run_on_oracles("gather.slt", "two_gather").await;
    assert!(report.is_empty(), "{report}");
}

/// Views, temporary tables and information_schema beside gathered tables; locks, FOUND_ROWS(), variables and warnings.
#[tokio::test]
async fn the_file_of_what_stands_beside() {
    let world = World::gathering("gather_beside").await;
    let report = slt::run(&world, "gather_beside.slt").await;
    assert!(report.is_empty(), "{report}");
}

/// What the nodes leave out changes no answer.
#[tokio::test]
async fn the_file_of_what_is_not_gathered() {
    let world = World::gathering("gather_pushdown").await;
    let report = slt::run(&world, "gather_pushdown.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_what_is_not_gathered_prepared() {
    let world = World::gathering("gather_pushdownps").await;
    let report = slt::run_prepared(&world, "gather_pushdown.slt").await;
    assert!(report.is_empty(), "{report}");
}

/// Derived tables and subqueries, as text and prepared.
#[tokio::test]
async fn the_file_of_derived_tables() {
    let world = World::gathering("gather_derived").await;
    let report = slt::run(&world, "gather_derived.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_derived_tables_prepared() {
    let world = World::gathering("gather_derivedps").await;
    let report = slt::run_prepared(&world, "gather_derived.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_what_is_refused_nevertheless() {
    let world = World::gathering("gather_limits").await;
    let report = slt::run(&world, "gather_limits.slt").await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_file_of_what_stands_beside_prepared() {
    let world = World::gathering("gather_besideps").await;
    let report = slt::run_prepared(&world, "gather_beside.slt").await;
    assert!(report.is_empty(), "{report}");
}
