//! Configurations that must be refused: nothing is started, exit code 2, and each mistake with its place.

use std::time::{Duration, Instant};

use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use serval_tests::{Topology, World, make_databases};

const TWO_MISTAKES: &str = r#"
[listen]
mysql = "127.0.0.1:0"
admin = "127.0.0.1:0"
http = "127.0.0.1:0"

[users.app]
password = "x"
schemas = ["shop"]

[groups.g0]
primary = "127.0.0.1:1"
user = "serval"
password = "x"

[nodes]
"dn[0-1]" = { group = "g9", database = "shop_[0-1]" }

[rules.by_user]
function = "hesh"
column = "id"
nodes = "dn[0-1]"

[schemas.shop]
default_node = "dn0"
[schemas.shop.tables]
users = { rule = "by_user" }
"#;

#[tokio::test]
async fn mistakes_are_listed_and_nothing_starts() {
    let (status, output) = ServalProcess::start_refused(TWO_MISTAKES).await.expect("it ends");
    assert_eq!(status.code(), Some(2), "{output}");
    assert!(output.contains("g9"), "the unknown group:\n{output}");
    assert!(output.contains("hesh"), "and the unknown function, at once:\n{output}");
    assert!(output.contains("serval.toml:"), "with file and line:\n{output}");
}

#[tokio::test]
async fn text_that_is_no_toml() {
    let (status, output) = ServalProcess::start_refused("[listen\nmysql = ").await.expect("it ends");
    assert_eq!(status.code(), Some(2), "{output}");
    assert!(output.contains("serval.toml:"), "{output}");
}

#[test]
fn check_says_the_same() {
    let folder = serval_testkit::ScratchDirectory::new(None).expect("a directory");
    let config = folder.path().join("serval.toml");
    std::fs::write(&config, TWO_MISTAKES).expect("write");
    let arguments = ["check".as_ref(), config.as_os_str()];
    let ended = ServalProcess::run_to_end(arguments).expect("serval check");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let text = ended.output + &ended.errors;
    assert!(text.contains("g9") && text.contains("hesh"), "{text}");
}

#[test]
fn a_missing_file_is_named() {
    let arguments = ["run", "--config", "/nonexistent/serval.toml"];
    let ended = ServalProcess::run_to_end(arguments).expect("serval run");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("/nonexistent/serval.toml"), "{ended:?}");
}

/// What the config says of a table must be true on the servers.
#[tokio::test]
async fn a_sharding_column_that_the_servers_do_not_have() {
    let world = World::new("bad_column").await;
    for node in 0..4 {
        world.on_node(node, "CREATE TABLE $db.t1 (ident INT NOT NULL PRIMARY KEY)").await;
    }
    let config = world.serval.config_path();
    let arguments = ["check".as_ref(), config.as_os_str(), "--online".as_ref()];
    let ended = ServalProcess::run_to_end(arguments).expect("serval check");
    let text = ended.output + &ended.errors;
    assert_ne!(ended.code, Some(0), "{text}");
    assert!(text.contains("the table `t1` has no column `id`"), "{text}");
    assert!(text.contains("known are `ident`") || text.contains("did you mean `ident`"), "{text}");
    // The proxy, which starts all the same, does not guess.
    let other = World::with(Topology::new("bad_column_2")).await;
    for node in 0..4 {
        other.on_node(node, "CREATE TABLE $db.t1 (ident INT NOT NULL PRIMARY KEY)").await;
    }
    let mut client = other.client().await;
    let answer = client.run("INSERT INTO t1 VALUES (1)").await;
    assert_ne!(answer.error_number(), 0, "{answer:?}");
}

/// A group that others cannot tell to commit has to say so. MySQL has no such mode, so it is only asked for nothing.
#[tokio::test]
async fn a_galera_node_that_is_said_to_have_xa() {
    let mut spec = ClusterSpec::new(Flavour::from_env(), 2, 0);
    let galera = spec.flavour == Flavour::MariaDb;
    if galera {
        spec.options = ["--wsrep-on=ON", "--wsrep-provider=none"].map(str::to_owned).to_vec();
    }
    let cluster = Cluster::start(spec).await.expect("the servers start");
    let topology = Topology::new("bad_galera");
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let config = serval.config_path();
    let ended = ServalProcess::run_to_end(["check".as_ref(), config.as_os_str(), "--online".as_ref()]);
    let ended = ended.expect("serval check");
    let said = ended.output.matches("`xa = false`").count();
    assert_eq!(said, if galera { 2 } else { 0 }, "{}", ended.output);
}

#[tokio::test]
async fn ten_thousand_tables_start_within_seconds() {
    let mut topology = Topology::new("bad_many");
    for table in 0..10_000 {
        topology.more += &format!("many{table} = {{ rule = \"by_id\" }}\n");
    }
    let start = Instant::now();
    let world = World::with(topology).await;
    let mut client = world.client().await;
    client.must("CREATE TABLE many9999 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO many9999 VALUES (1), (2), (3)").await;
    assert_eq!(client.rows("SELECT COUNT(*) FROM many9999").await, [["3"]]);
    // The servers' own start is among it, and this is no release build.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
