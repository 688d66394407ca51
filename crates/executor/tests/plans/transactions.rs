//! Reads and writes inside a client's transaction.

use std::time::Duration;

use serval_planner::Bound;
use serval_planner::primitive::*;

use crate::scripted::*;

fn read(nodes: &[u16], sql: &str) -> Bound {
    bound(merge(route(nodes, sql)))
}

fn write(nodes: &[u16], sql: &str) -> Bound {
    bound(spread(nodes, sql, Tally::Sum))
}

#[tokio::test]
async fn a_merge_uses_the_one_connection_of_each_group() {
    let mut session = Session::in_transaction();
    session.servers.fan_out(0, 9);
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["2", "5"]));
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1", "6"]));
    session.servers.on(1, "q", Answer::rows(&[int("id")], &["3"]));
    session.execute(&read(&[0, 1, 2], "q")).await.unwrap();
    assert_eq!(session.client.rows, ["1", "2", "3", "5", "6"]);
    session.transaction.commit().await.unwrap();
    let expected = ["g0.shop_0: BEGIN; q", "g1.shop_2: BEGIN; q", "g0.shop_1: q", "g0: COMMIT", "g1: COMMIT"];
    assert_eq!(session.servers.log(), expected);
}

#[tokio::test]
async fn a_limit_drains_a_transactions_connections_whatever_is_left() {
    let mut session = Session::in_transaction();
    let many: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    session.servers.on(0, "q", Answer::rows(&[int("id")], &many));
    session.servers.on(1, "q", Answer::rows(&[int("id")], &["5"]));
    session.execute(&bound(limit(merge(route(&[0, 2], "q")), 1))).await.unwrap();
    session.transaction.commit().await.unwrap();
    let log = session.servers.log();
    assert_eq!(log[2..], ["g0: COMMIT", "g1: COMMIT"]);
}

#[tokio::test]
async fn a_failed_read_leaves_the_transaction_usable() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1", "2"]));
    session.servers.on(1, "q", Answer::error(1146, "no"));
    assert_eq!(session.fail(&read(&[0, 2], "q")).await.number, 1146);
    session.transaction.commit().await.unwrap();
    assert_eq!(session.servers.log()[2..], ["g0: COMMIT", "g1: COMMIT"]);
}

#[tokio::test]
async fn a_server_lost_in_a_read_dooms() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1", "2"]));
    session.servers.on(1, "q", Answer::unfinished(&[int("id")], &["2"]).then_lost());
    assert_eq!(session.fail(&read(&[0, 2], "q")).await.number, 1429);
    let error = session.fail(&read(&[0, 2], "q")).await;
    assert_eq!(error.number, 1105);
    assert!(error.message.contains("group g1") && error.message.contains("ROLLBACK"), "{}", error.message);
    session.transaction.rollback().await;
    assert_eq!(session.servers.log()[2..], ["g1 closed", "g0: ROLLBACK"]);
}

#[tokio::test(start_paused = true)]
async fn a_read_given_up_half_way_dooms_and_leaks_nothing() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1", "2"]));
    session.servers.on(1, "q", Answer::unfinished(&[int("id")], &["2"]).then_silence());
    let plan = read(&[0, 2], "q");
    assert!(tokio::time::timeout(Duration::from_secs(1), session.execute(&plan)).await.is_err());
    assert_eq!(session.servers.open(), 0);
    assert_eq!(session.fail(&plan).await.number, 1105);
}

#[tokio::test]
async fn a_write_on_several_groups_is_marked_by_savepoints() {
    let mut session = Session::in_transaction();
    for (group, affected) in [(0, 1), (0, 2), (1, 4)] {
        session.servers.on(group, "w", Answer::ok(affected));
    }
    let completed = session.execute(&write(&[0, 1, 2], "w")).await.unwrap();
    assert_eq!(completed.affected_rows, 7);
    assert_eq!(session.client.ok.as_ref().unwrap().affected_rows, 7);
    let expected = [
        "g0: BEGIN; SAVEPOINT serval_statement",
        "g0.shop_0: w",
        "g0.shop_1: w",
        "g1: BEGIN; SAVEPOINT serval_statement",
        "g1.shop_2: w",
        "g0: RELEASE SAVEPOINT serval_statement",
        "g1: RELEASE SAVEPOINT serval_statement",
    ];
    assert_eq!(session.servers.log(), expected);
    assert!(session.transaction.is_open());
}

#[tokio::test]
async fn a_write_that_fails_on_a_later_target_is_undone_on_all() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "before", Answer::ok(1));
    session.execute(&bound(Primitive::Route(route(&[0], "before")))).await.unwrap();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::error(1062, "Duplicate entry '1' for key 'PRIMARY'"));
    session.client = Client::default();
    assert_eq!(session.fail(&write(&[0, 2, 3], "w")).await.number, 1062);
    assert_eq!(session.client.ok, None);
    session.transaction.commit().await.unwrap();
    let expected = [
        "g0.shop_0: BEGIN; before",
        "g0: SAVEPOINT serval_statement",
        "g0.shop_0: w",
        "g1: BEGIN; SAVEPOINT serval_statement",
        "g1.shop_2: w",
        "g0: ROLLBACK TO SAVEPOINT serval_statement",
        "g0: RELEASE SAVEPOINT serval_statement",
        "g1: ROLLBACK TO SAVEPOINT serval_statement",
        "g1: RELEASE SAVEPOINT serval_statement",
        "g0: COMMIT",
        "g1: COMMIT",
    ];
    assert_eq!(session.servers.log(), expected);
}

#[tokio::test]
async fn a_write_that_cannot_be_undone_dooms() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::error(1062, "Duplicate entry"));
    session.servers.on(0, "ROLLBACK TO SAVEPOINT serval_statement", Answer::lost());
    assert_eq!(session.fail(&write(&[0, 2], "w")).await.number, 1062);
    assert_eq!(session.fail(&read(&[0, 2], "q")).await.number, 1105);
    let error = session.transaction.commit().await.unwrap_err().to_mysql();
    assert!(error.message.contains("rolled back"), "{}", error.message);
    assert_eq!(session.servers.open(), 0);
}

#[tokio::test]
async fn a_deadlock_undoes_the_transaction_on_all_groups() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::error(1213, "Deadlock found"));
    assert_eq!(session.fail(&write(&[0, 2], "w")).await.number, 1213);
    assert!(!session.transaction.is_open());
    let log = session.servers.log();
    assert_eq!(log[log.len() - 2..], ["g0: ROLLBACK", "g1: ROLLBACK"]);
    assert_eq!(session.servers.open(), 0);
}

#[tokio::test]
async fn a_server_lost_in_a_write_dooms() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::lost());
    assert_eq!(session.fail(&write(&[0, 2], "w")).await.number, 1429);
    assert_eq!(session.fail(&write(&[0, 2], "w")).await.number, 1105);
    session.transaction.rollback().await;
    assert!(!session.transaction.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_write_given_up_between_two_groups_dooms() {
    let mut session = Session::in_transaction();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.exhaust(1);
    let plan = write(&[0, 2], "w");
    assert!(tokio::time::timeout(Duration::from_secs(1), session.execute(&plan)).await.is_err());
    assert_eq!(session.servers.open(), 0);
    assert_eq!(session.fail(&plan).await.number, 1105, "half a statement must not be committed");
}

#[tokio::test]
async fn a_group_that_is_down_fails_the_statement_and_not_the_transaction() {
    let mut session = Session::in_transaction();
    session.servers.on(1, "before", Answer::ok(1));
    session.execute(&bound(Primitive::Route(route(&[2], "before")))).await.unwrap();
    session.servers.down(2);
    assert_eq!(session.fail(&read(&[0, 2, 3], "q")).await.number, 1429);
    assert!(session.transaction.is_open());
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::ok(1));
    assert_eq!(session.fail(&write(&[0, 2, 3], "w")).await.number, 1429);
    session.servers.log();
    session.transaction.commit().await.unwrap();
    assert_eq!(session.servers.log(), ["g0: COMMIT", "g1: COMMIT"]);
}
