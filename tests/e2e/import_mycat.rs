//! A Mycat 1.6 config, imported: what a client inserts lies where Mycat would have put it, and the checker agrees.

use std::path::{Path, PathBuf};

use serval_testkit::{Cluster, ScratchDirectory, ServalProcess};
use serval_tests::{ADMIN, Client, shared};

/// Table, its definition, a literal of its sharding column, and the node of Mycat's: computed with Mycat's own classes,
/// or read off the mapping files.
const ROWS: &[(&str, &str, &str, usize)] = &[
    ("customer", "id BIGINT AUTO_INCREMENT PRIMARY KEY, province_id INT", "10010", 2),
    ("customer", "", "7", 1),
    ("travelrecord", "id BIGINT", "5000000", 1),
    ("travelrecord", "", "5000001", 2),
    ("travelrecord", "", "-1", 3),
    ("hotnews", "id BIGINT AUTO_INCREMENT PRIMARY KEY", "-5", 3),
    ("accounts", "id BIGINT", "4294967296", 1),
    ("accounts", "", "-300", 2),
    ("names", "name VARCHAR(20) COLLATE utf8mb4_bin", "'Zürich'", 4),
    ("tokens", "id BIGINT", "42", 3),
    ("tokens", "", "1000000", 3),
    ("slots", "id BIGINT", "42", 1),
    ("jumps", "id BIGINT", "42", 3),
    ("mixed", "id BIGINT", "42", 3),
    ("groups", "id BIGINT", "2000000", 3),
    ("groups", "", "2000001", 4),
    ("patterns", "id BIGINT", "-1", 3),
    ("patterns", "", "192", 4),
    ("prefixes", "code VARCHAR(20) COLLATE utf8mb4_bin", "'gf89f9a'", 3),
    ("parts", "code VARCHAR(20) COLLATE utf8mb4_bin", "'02-x'", 3),
    ("parts", "", "'77-x'", 1),
    ("daily", "created_at DATE", "'2014-02-10'", 1),
    ("daily", "", "'2014-01-31'", 4),
];

fn column(table: &str) -> &'static str {
    match table {
        "customer" => "province_id",
        "names" => "name",
        "prefixes" | "parts" => "code",
        "daily" => "created_at",
        _ => "id",
    }
}

/// Mycat's directory, with the addresses of our servers.
fn mycat(cluster: &Cluster) -> ScratchDirectory {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/import/tests/mycat");
    let directory = ScratchDirectory::new(None).expect("a directory");
    copy(&from, &directory.path().to_path_buf());
    let path = directory.path().join("schema.xml");
    let schema = std::fs::read_to_string(&path).expect("schema.xml");
    let schema: Vec<&str> = schema.lines().filter(|line| !line.contains("db_m$")).collect();
    let schema = schema
        .join("\n")
        .replace("10.0.0.1:3306", &cluster.group(0).primary().address())
        .replace("10.0.0.4:3307", &cluster.group(1).primary().address())
        .replace("database=\"db", "database=\"mycat_");
    std::fs::write(path, schema).expect("schema.xml");
    directory
}

fn copy(from: &Path, to: &PathBuf) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("the fixture") {
        let entry = entry.expect("a file");
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

/// What was imported, as a config of our servers: passwords instead of the environment, and our own ports.
fn config(imported: &str, cluster: &Cluster, listen: &str) -> String {
    let password = format!("\"{}\"", cluster.backend_password());
    let kept =
        imported.lines().filter(|line| !line.starts_with("replicas = ")).collect::<Vec<_>>().join("\n");
    kept.replace("[listen]\nmysql = \"0.0.0.0:8066\"", listen)
        .replace("{ env = \"SERVAL_GROUP_HOST1_PASSWORD\" }", &password)
        .replace("{ env = \"SERVAL_GROUP_HOST2_PASSWORD\" }", &password)
        .replace("{ env = \"SERVAL_USER_SEALED_PASSWORD\" }", "\"sealed\"")
        .replace("user = \"mycat\"", &format!("user = \"{}\"", cluster.backend_user()))
        + &format!("\n[admin.users.{}]\npassword = \"{}\"\n", ADMIN.0, ADMIN.1)
}

#[tokio::test]
async fn rows_lie_where_mycat_would_have_put_them() {
    let cluster = &shared().await.cluster;
    for node in 1..=4 {
        let primary = cluster.group(usize::from(node == 4)).primary();
        primary.execute(&format!("CREATE DATABASE mycat_{node}")).await.expect("a database");
    }
    let directory = mycat(cluster);
    let path = directory.path().display().to_string();
    let imported = ServalProcess::run_to_end(["import", "mycat", &path]).expect("serval import");
    assert_eq!(imported.code, Some(1), "some of it cannot be kept: {imported:?}");
    assert!(imported.errors.contains("<table name=\"hot\">"), "{imported:?}");
    let serval = ServalProcess::start(|ports| config(&imported.output, cluster, &ports.listen_table())).await;
    let serval = serval.expect("the proxy starts");
    let options = || serval.client_options("app", "123456", Some("SHOP"));
    let mut client = Client::connect("proxy", options()).await;
    let mut preparing = Client::connect("proxy", options()).await.preparing();
    for (table, columns, literal, node) in ROWS {
        if !columns.is_empty() {
            client.must(&format!("CREATE TABLE `{table}` ({columns})")).await;
        }
        let insert = format!("INSERT INTO `{table}` ({}) VALUES ({literal})", column(table));
        client.must(&insert).await;
        if *table != "hotnews" {
            // Its column is the primary key.
            preparing.must(&insert).await;
        }
        let count =
            format!("SELECT COUNT(*) FROM mycat_{node}.`{table}` WHERE {} = {literal}", column(table));
        let primary = cluster.group(usize::from(*node == 4)).primary();
        let found: Vec<u64> = primary.column(&count).await.expect("a query");
        assert_eq!(found, [if *table == "hotnews" { 1 } else { 2 }], "{table} {literal}");
    }

    let config = serval.config_path().display().to_string();
    let checked = ServalProcess::run_to_end(["check", &config, "--rows=0"]).expect("serval check");
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let primary = cluster.group(0).primary();
    primary.execute("INSERT INTO mycat_1.jumps VALUES (42)").await.expect("a row in the wrong place");
    let checked = ServalProcess::run_to_end(["check", &config, "--rows=0"]).expect("serval check");
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.output.contains("| 42  | dn1 (mycat_1.jumps) | dn3 (mycat_3.jumps) |"), "{checked:?}");
}
