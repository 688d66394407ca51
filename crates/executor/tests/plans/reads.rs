//! Reads from several targets.

use std::time::Duration;

use serval_planner::primitive::*;
use serval_wire::packet::ColumnDefinition;

use crate::scripted::*;

/// A session whose nodes 0, 2 and 3, on three groups, answer `q` with these rows.
fn three(rows: [&[&str]; 3]) -> Session {
    let session = Session::new();
    for (group, rows) in rows.into_iter().enumerate() {
        session.servers.on(u16::try_from(group).unwrap(), "q", Answer::rows(&[int("id")], rows));
    }
    session
}

fn nodes() -> Route {
    route(&[0, 2, 3], "q")
}

#[tokio::test]
async fn all_servers_are_asked_before_one_is_read() {
    let mut session = Session::new();
    session.servers.on(0, "q", Answer::silence());
    session.servers.on(1, "q", Answer::rows(&[int("id")], &["1"]));
    session.servers.on(2, "q", Answer::rows(&[int("id")], &["1"]));
    let bound = bound(merge(nodes()));
    let late = tokio::time::timeout(Duration::from_millis(20), session.execute(&bound)).await;
    assert!(late.is_err());
    let asked = ["g0.shop_0: q", "g1.shop_2: q", "g2.shop: q"];
    assert_eq!(session.servers.log()[..3], asked);
    assert_eq!(session.servers.open(), 0, "a statement given up half-way leaves nothing open");
}

#[tokio::test]
async fn a_merge_sends_rows_in_order_with_all_warnings() {
    let mut session = Session::new();
    let columns = [text("Level"), int("Code"), text("Message")];
    for (group, rows) in [(0, &["1", "4", "7"][..]), (1, &[]), (2, &["~", "2", "8"])] {
        session.servers.on(group, "q", Answer::warned_rows(&[int("id")], rows));
        let warning = format!("Warning 1292 of_{group}");
        session.servers.on(group, "SHOW WARNINGS", Answer::rows(&columns, &[&warning]));
    }
    let completed = session.execute(&bound(merge(nodes()))).await.unwrap();
    assert_eq!(session.client.rows, ["~", "1", "2", "4", "7", "8"]);
    assert_eq!((completed.rows, completed.warnings), (6, 3));
    assert_eq!(session.client.end.unwrap().warnings, 3);
    let messages = completed.behind.unwrap().warnings;
    let texts = messages.into_iter().map(|row| String::from_utf8(row[2].clone().unwrap()).unwrap());
    assert_eq!(texts.collect::<Vec<_>>(), ["of_0", "of_1", "of_2"], "in the order of the targets");
}

#[tokio::test]
async fn an_append_sends_what_there_is() {
    let mut session = three([&[], &["2"], &[]]);
    session.execute(&bound(Primitive::Route(nodes()))).await.unwrap();
    assert_eq!(session.client.rows, ["2"]);
}

#[tokio::test]
async fn a_merge_of_nothing_has_columns_and_an_end() {
    let mut session = three([&[], &[], &[]]);
    session.execute(&bound(merge(nodes()))).await.unwrap();
    assert_eq!(session.client.columns.len(), 1);
    assert!(session.client.rows.is_empty() && session.client.end.is_some());
}

#[tokio::test]
async fn columns_are_logical_and_as_wide_as_the_widest() {
    let mut session = Session::new();
    for (group, schema, length) in [(0, "shop_0", 20), (1, "shop_2", 99), (2, "shop", 5)] {
        let (schema, table) = (schema.into(), "users".into());
        let column = ColumnDefinition { schema, table, org_table: "users".into(), length, ..int("id") };
        session.servers.on(group, "q", Answer::rows(&[column], &["1"]));
    }
    session.execute(&bound(merge(nodes()))).await.unwrap();
    let column = &session.client.columns[0];
    assert_eq!((&*column.schema, &*column.org_table, column.length), (&b"shop"[..], &b"users"[..], 99));
}

#[tokio::test]
async fn columns_that_differ_are_1412_before_anything_is_sent() {
    let mut session = Session::new();
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1"]));
    session.servers.on(1, "q", Answer::rows(&[text("id")], &["1"]));
    session.servers.on(2, "q", Answer::rows(&[int("id")], &["1"]));
    let error = session.fail(&bound(merge(nodes()))).await;
    assert_eq!(error.number, 1412);
    assert!(error.message.contains("dn0") && error.message.contains("dn2"), "{}", error.message);
    assert!(session.client.columns.is_empty());
    assert_eq!(session.servers.open(), 0);
}

#[tokio::test]
async fn a_server_lost_in_mid_merge_is_an_error_and_never_an_end() {
    for root in [merge(nodes()), Primitive::Route(nodes())] {
        let mut session = Session::new();
        session.servers.on(0, "q", Answer::rows(&[int("id")], &["1", "5"]));
        session.servers.on(1, "q", Answer::unfinished(&[int("id")], &["2"]).then_lost());
        session.servers.on(2, "q", Answer::rows(&[int("id")], &["3", "9"]));
        assert_eq!(session.fail(&bound(root)).await.number, 1429);
        assert_eq!(session.client.end, None);
        assert_eq!(session.servers.open(), 0);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    // The server's last packet says that all is well, but it is no end of rows.
    let mut session = three([&["1"], &["2"], &["3"]]);
    session.servers.on(0, "r", Answer::ok(0));
    let error = session.fail(&bound(merge(route(&[0, 0], "r")))).await;
    assert_eq!(error.number, 1235);
    assert_eq!(session.client.end, None);
}

#[tokio::test]
async fn an_error_of_one_node_is_the_error_of_all() {
    let mut session = Session::new();
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1"]));
    let missing = "Table 'shop_2.users' doesn't exist";
    session.servers.on(1, "q", Answer::error(1146, missing));
    session.servers.on(2, "q", Answer::rows(&[int("id")], &["1"]));
    let error = session.fail(&bound(merge(nodes()))).await;
    assert_eq!((error.number, &*error.message), (1146, "Table 'shop.users' doesn't exist"));
}

#[tokio::test]
async fn one_connection_serves_a_groups_targets_in_turn() {
    let mut session = Session::new();
    session.servers.on(0, "a", Answer::rows(&[int("id")], &["1"]));
    session.servers.on(0, "b", Answer::rows(&[int("id")], &["2"]));
    let targets = vec![target(0, "a"), target(1, "b")];
    let both = Route { targets, replica_safe: true, hidden: 0 };
    session.execute(&bound(Primitive::Route(both))).await.unwrap();
    assert_eq!(session.client.rows, ["1", "2"]);
    assert_eq!(session.servers.log(), ["g0.shop_0: a", "g0.shop_1: b"]);
}

fn four_on_one_group() -> Route {
    let targets = ["a", "b", "c", "d"].into_iter().enumerate();
    let targets = targets.map(|(index, sql)| target(u16::try_from(index % 2).unwrap(), sql)).collect();
    Route { targets, replica_safe: true, hidden: 0 }
}

fn answer_four(session: &Session) {
    for (sql, rows) in [("a", ["1", "5"]), ("b", ["2", "6"]), ("c", ["3", "7"]), ("d", ["4", "8"])] {
        session.servers.on(0, sql, Answer::rows(&[int("id")], &rows));
    }
}

#[tokio::test]
async fn a_fan_out_takes_its_connections_in_one_step() {
    for root in [merge(four_on_one_group()), Primitive::Route(four_on_one_group())] {
        let mut session = Session::new();
        session.servers.fan_out(0, 3);
        answer_four(&session);
        session.execute(&bound(root)).await.unwrap();
        session.client.rows.sort();
        assert_eq!(session.client.rows, ["1", "2", "3", "4", "5", "6", "7", "8"]);
        assert_eq!(session.servers.log()[0], "g0 acquire 3");
        assert_eq!(session.servers.open(), 0);
    }
}

#[tokio::test]
async fn a_merge_with_too_few_connections_keeps_rows_in_memory() {
    let mut session = Session::new();
    answer_four(&session);
    session.execute(&bound(merge(four_on_one_group()))).await.unwrap();
    assert_eq!(session.client.rows, ["1", "2", "3", "4", "5", "6", "7", "8"]);

    let mut session = Session::new();
    session.memory_limit = 50;
    answer_four(&session);
    let error = session.fail(&bound(merge(four_on_one_group()))).await;
    assert_eq!(error.number, 3170);
    assert!(error.message.contains("50 bytes") && error.message.contains("memory_per_query"));
    assert!(session.client.rows.is_empty());
    assert_eq!(session.servers.open(), 0);
}

#[tokio::test]
async fn a_limit_drains_what_little_is_left() {
    let mut session = three([&["1", "4"], &["2", "5"], &["3", "6"]]);
    session.execute(&bound(limit(merge(nodes()), 2))).await.unwrap();
    assert_eq!(session.client.rows, ["1", "2"]);
    let log = session.servers.log();
    assert!(!log.iter().any(|line| line.ends_with("closed")), "{log:?}");
}

#[tokio::test]
async fn a_limit_closes_connections_with_much_left_or_nothing_coming() {
    let long = "9".repeat(200);
    let many: Vec<&str> = std::iter::once("1").chain(std::iter::repeat_n(&*long, 1000)).collect();
    let mut session = three([&many, &["2"], &["3"]]);
    let columns = [ColumnDefinition { column_type: 0xf6, ..int("id") }];
    session.servers.on(0, "w", Answer::rows(&columns, &many));
    session.servers.on(1, "w", Answer::unfinished(&columns, &["2"]).then_silence());
    session.execute(&bound(limit(merge(route(&[0, 2], "w")), 1))).await.unwrap();
    let log = session.servers.log();
    assert_eq!(log[2..], ["g0 closed", "g1 closed"]);
}

#[tokio::test]
async fn a_limit_does_not_start_targets_it_does_not_need() {
    let mut session = Session::new();
    session.servers.on(0, "a", Answer::rows(&[int("id")], &["1", "5"]));
    let root = limit(Primitive::Route(four_on_one_group()), 1);
    session.execute(&bound(root)).await.unwrap();
    assert_eq!(session.servers.log(), ["g0.shop_0: a"]);
}

#[tokio::test]
async fn counts_of_nodes_add_up() {
    let mut session = three([&["5"], &["0"], &["7"]]);
    let input = Box::new(Primitive::Route(nodes()));
    let root = Primitive::Aggregate(Aggregate { input, keys: Vec::new(), columns: vec![Combine::Sum] });
    session.execute(&bound(root)).await.unwrap();
    assert_eq!(session.client.rows, ["12"]);
}

#[tokio::test]
async fn a_client_that_went_away_leaves_nothing_open() {
    let mut session = three([&["1", "4"], &["2", "5"], &["3", "6"]]);
    session.client.gone_after = Some(2);
    assert!(session.execute(&bound(merge(nodes()))).await.is_err());
    assert_eq!(session.servers.open(), 0);
}
