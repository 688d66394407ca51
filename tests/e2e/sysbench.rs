//! A stock load generator, with its tables over two groups.

use std::process::Command;

use serval_tests::{APP, World};

const TABLES: u32 = 2;
const ROWS: u32 = 4000;

/// sysbench with what all its steps share. Uniform keys, because sysbench's hot rows make deadlocks, and one over two
/// groups ends in a lock wait timeout. Everything else is its default, prepared statements included.
fn sysbench(world: &World, more: &[&str]) -> (bool, String) {
    let output = Command::new("sysbench")
        .args(["oltp_read_write", "--db-driver=mysql", "--mysql-host=127.0.0.1", "--rand-type=uniform"])
        .arg(format!("--mysql-port={}", world.serval.ports().mysql()))
        .arg(format!("--mysql-user={}", APP.0))
        .arg(format!("--mysql-password={}", APP.1))
        .arg(format!("--mysql-db={}", world.schema))
        .args([format!("--tables={TABLES}"), format!("--table-size={ROWS}")])
        .args(more)
        .output()
        .expect("sysbench is installed");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

async fn in_background(world: &'static World, more: &'static [&'static str]) -> (bool, String) {
    tokio::task::spawn_blocking(|| sysbench(world, more)).await.expect("sysbench ends")
}

#[tokio::test]
async fn read_write_without_an_error() {
    // Lent to threads, so it must outlive the test; the process's end stops the proxy.
    let world: &'static World = Box::leak(Box::new(World::new("sysbench").await));
    let (good, text) = in_background(world, &["prepare"]).await;
    assert!(good, "{text}");
    for node in 0..4 {
        let count = world.on_node(node, "SELECT COUNT(*) FROM $db.sbtest1").await;
        assert_ne!(count, ["0"], "rows on every node");
    }
    let as_text = &["--threads=16", "--time=4", "--db-ps-mode=disable", "run"];
    let prepared = &["--threads=16", "--time=6", "run"];
    for arguments in [as_text.as_slice(), prepared] {
        let (good, text) = in_background(world, arguments).await;
        assert!(good, "{text}");
        assert!(!text.contains("FATAL"), "{text}");
        let transactions = text.lines().find_map(|line| line.trim().strip_prefix("transactions:"));
        let number = transactions.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        assert!(number.is_some_and(|number| number > 10), "{text}");
    }
    let (good, text) = in_background(world, &["cleanup"]).await;
    assert!(good, "{text}");
}

#[tokio::test]
async fn reloads_under_load_cost_nobody_anything() {
    let world: &'static World = Box::leak(Box::new(World::new("sysbench_reload").await));
    let (good, text) = in_background(world, &["prepare"]).await;
    assert!(good, "{text}");
    let run = &["--threads=8", "--time=8", "--mysql-ignore-errors=none", "run"];
    let load = tokio::spawn(in_background(world, run));
    let config = world.serval.config_path();
    let before = std::fs::read_to_string(&config).expect("the config");
    let mut admin = world.admin().await;
    let mut reloads = 0;
    while !load.is_finished() {
        // Other limits, other users, another rule without rows, more nodes and fewer.
        let other = before
            .replace("\"30s\"", "\"29s\"")
            .replace("\"c[1-4]\"    = { rule = \"by_code\" }", "\"c[1-5]\" = { rule = \"by_number\" }");
        std::fs::write(&config, if reloads % 2 == 0 { &other } else { &before }).expect("write");
        admin.must("reload @@config").await;
        reloads += 1;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (good, text) = load.await.expect("sysbench ends");
    assert!(good && reloads > 10, "{reloads} reloads: {text}");
    let errors = text.lines().find_map(|line| line.trim().strip_prefix("ignored errors:"));
    assert!(errors.is_some_and(|rest| rest.trim_start().starts_with("0 ")), "{text}");
    let reconnects = text.lines().find_map(|line| line.trim().strip_prefix("reconnects:"));
    assert!(
        reconnects.is_some_and(|rest| rest.trim_start().starts_with("0 ")),
        "no connection was dropped: {text}"
    );
}
