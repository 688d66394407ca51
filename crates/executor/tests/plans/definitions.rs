//! Reading the servers' definitions.

use serval_executor::definitions::fetch;

use crate::scripted::*;

const USERS: &str = "SHOW CREATE TABLE `users`";
const EVENTS: &str = "SHOW CREATE TABLE `events_202611`";
const TABLES: &str = "SHOW FULL TABLES WHERE Table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')";

/// The question for the views that stand beside the default node.
const VIEWS: &str = "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = \
                     CONVERT(x'73657276616c5f76696577735f73686f705f30' USING utf8mb4)";

fn shown(name: &str) -> Answer {
    let row = format!("{name}|CREATE TABLE `{name}` (`id` int COMMENT '`{name}`')");
    Answer::rows(&[text("Table"), text("Create Table")], &[&row])
}

#[tokio::test]
async fn a_table_split_in_a_node_gets_its_logical_name() {
    let session = Session::new();
    session.servers.on(0, EVENTS, shown("events_202611"));
    let fetched = fetch(&session.servers, &session.catalog, "shop", Some("events")).await;
    let definition = "CREATE TABLE `events` (`id` int COMMENT '`events_202611`')".to_owned();
    assert_eq!(fetched.definitions, [("events".to_owned(), definition)]);
    assert!(fetched.failed.is_empty());
    assert_eq!(session.servers.log(), ["g0.shop_0: SHOW CREATE TABLE `events_202611`"]);
}

#[tokio::test]
async fn a_table_that_the_config_does_not_name_is_on_the_default_node() {
    let session = Session::new();
    session.servers.on(0, "SHOW CREATE TABLE `audit`", shown("audit"));
    let fetched = fetch(&session.servers, &session.catalog, "shop", Some("audit")).await;
    assert_eq!(fetched.definitions.len(), 1);
}

#[tokio::test]
async fn tables_of_the_default_node_are_listed() {
    let session = Session::new();
    session.servers.on(0, VIEWS, Answer::rows(&[text("TABLE_NAME")], &[]));
    let listed = ["audit BASE", "log BASE", "users BASE", "events_202611 BASE", "serval_sequence BASE"];
    session.servers.on(0, TABLES, Answer::rows(&[text("Tables"), text("Table_type")], &listed));
    // Nodes whose tables cannot be listed are asked for each; a table counts as absent where it is nowhere.
    session.servers.on(0, TABLES, Answer::error(1044, "denied"));
    for group in [1, 2] {
        session.servers.on(group, TABLES, Answer::rows(&[text("Tables"), text("Table_type")], &[]));
    }
    for sql in [USERS, EVENTS] {
        session.servers.on(0, sql, Answer::error(1146, "missing"));
        session.servers.on(0, sql, Answer::error(1146, "missing"));
    }
    for sql in ["SHOW CREATE TABLE `events_202612`", "SHOW CREATE TABLE `regions`"] {
        session.servers.on(0, sql, Answer::error(1146, "missing"));
    }
    session.servers.on(0, "SHOW CREATE TABLE `audit`", Answer::error(1142, "denied"));
    session.servers.on(0, "SHOW CREATE TABLE `log`", shown("log"));
    let fetched = fetch(&session.servers, &session.catalog, "shop", None).await;
    let found: Vec<_> = fetched.definitions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, ["log"]);
    let failed: Vec<_> =
        fetched.failed.iter().map(|(name, error)| (name.as_str(), error.to_mysql().number)).collect();
    assert_eq!(failed, [("audit", 1142)]);
    let asked = session.servers.log();
    assert!(
        !asked.iter().any(|line| line.contains(": SHOW CREATE TABLE") && !line.starts_with("g0.")),
        "what is not on a node is not asked for there: {asked:?}"
    );
}

#[tokio::test]
async fn a_view_is_found_where_there_is_no_table_of_its_name() {
    let session = Session::new();
    let named = format!("{VIEWS} AND TABLE_NAME = CONVERT(x'62' USING utf8mb4)");
    session.servers.on(0, "SHOW CREATE TABLE `b`", Answer::error(1146, "missing"));
    session.servers.on(0, &named, Answer::rows(&[text("TABLE_NAME")], &["b"]));
    let shown = Answer::rows(&[text("View"), text("Create View")], &["b|CREATE VIEW `b` AS select 1"]);
    session.servers.on(0, "SHOW CREATE VIEW `serval_views_shop_0`.`b`", shown);
    let fetched = fetch(&session.servers, &session.catalog, "shop", Some("b")).await;
    assert_eq!(fetched.views, [("b".to_owned(), "CREATE VIEW `b` AS select 1".to_owned())]);
    assert!(fetched.absent.is_empty() && !fetched.all_views);
}

#[tokio::test]
async fn a_dead_group_is_asked_once_and_the_next_shard_answers() {
    let session = Session::new();
    session.servers.on(0, TABLES, Answer::lost());
    session.servers.on(1, TABLES, Answer::error(1044, "denied"));
    session.servers.on(1, USERS, Answer::error(1146, "missing"));
    session.servers.on(1, "SHOW CREATE TABLE `regions`", Answer::error(1146, "missing"));
    let fetched = fetch(&session.servers, &session.catalog, "shop", None).await;
    let failed: Vec<_> = fetched.failed.iter().map(|(name, _)| name.as_str()).collect();
    assert!(failed.contains(&"events"), "its only group is down: {failed:?}");
    let asked = session.servers.log();
    let first = asked.iter().filter(|line| line.starts_with("g0.")).count();
    assert_eq!(first, 1, "{asked:?}");
}
