//! Writes on several targets that commit by themselves.

use std::time::Duration;

use serval_planner::primitive::Tally;

use crate::scripted::*;

#[tokio::test]
async fn groups_are_written_and_committed_in_their_order() {
    let mut session = Session::new();
    let info = "Rows matched: 3  Changed: 2  Warnings: 0";
    for group in [0, 0, 1, 2] {
        session.servers.on(group, "w", Answer::ok_info(2, info));
    }
    let completed = session.execute(&bound(spread(&[0, 1, 2, 3], "w", Tally::Sum))).await.unwrap();
    assert_eq!(completed.affected_rows, 8);
    let ok = session.client.ok.unwrap();
    assert_eq!(String::from_utf8(ok.info).unwrap(), "Rows matched: 12  Changed: 8  Warnings: 0");
    let expected = [
        "g0.shop_0: START TRANSACTION; w",
        "g0.shop_1: w",
        "g1.shop_2: START TRANSACTION; w",
        "g2.shop: START TRANSACTION; w",
        "g0: COMMIT",
        "g1: COMMIT",
        "g2: COMMIT",
    ];
    assert_eq!(session.servers.log(), expected);
    assert_eq!(session.servers.open(), 0);
    assert!(!session.transaction.is_open());
}

#[tokio::test]
async fn copies_of_a_global_table_count_once() {
    let mut session = Session::new();
    for group in [0, 1, 2] {
        session.servers.on(group, "w", Answer::ok(5));
    }
    let completed =
        session.execute(&bound_to("regions", spread(&[0, 2, 3], "w", Tally::First))).await.unwrap();
    assert_eq!(completed.affected_rows, 5);
}

#[tokio::test]
async fn one_target_needs_no_transaction() {
    let mut session = Session::new();
    session.servers.on(1, "w", Answer::ok(1));
    session.execute(&bound(spread(&[2], "w", Tally::Sum))).await.unwrap();
    assert_eq!(session.servers.log(), ["g1.shop_2: w"]);
}

#[tokio::test]
async fn a_failure_undoes_everything() {
    let mut session = Session::new();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::error(1146, "Table 'shop_2.users' doesn't exist"));
    let error = session.fail(&bound(spread(&[0, 2, 3], "w", Tally::Sum))).await;
    assert_eq!((error.number, &*error.message), (1146, "Table 'shop.users' doesn't exist"));
    let log = session.servers.log();
    // What wrote is rolled back or closed, and the third group was never asked.
    assert!(log.iter().all(|line| !line.contains("COMMIT") && !line.starts_with("g2")), "{log:?}");
    assert_eq!(session.servers.open(), 0);
    assert_eq!(session.client.ok, None);
}

#[tokio::test]
async fn a_lost_server_undoes_everything() {
    let mut session = Session::new();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::lost());
    assert_eq!(session.fail(&bound(spread(&[0, 2], "w", Tally::Sum))).await.number, 1429);
    let log = session.servers.log();
    assert!(log.iter().all(|line| !line.contains("COMMIT")), "{log:?}");
    assert_eq!(session.servers.open(), 0);
}

#[tokio::test]
async fn half_a_commit_names_the_groups() {
    let mut session = Session::new();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::ok(1));
    session.servers.on(1, "COMMIT", Answer::error(1180, "disk full"));
    let error = session.fail(&bound(spread(&[0, 2], "w", Tally::Sum))).await;
    assert_eq!(error.number, 1180);
    assert!(error.message.contains("committed: g0; not committed: g1"), "{}", error.message);
    assert_eq!(session.client.ok, None);
}

#[tokio::test]
async fn a_write_that_gives_rows_is_refused_and_undone() {
    let mut session = Session::new();
    session.servers.on(0, "w", Answer::rows(&[int("id")], &["1"]));
    assert_eq!(session.fail(&bound(spread(&[0, 2], "w", Tally::Sum))).await.number, 1235);
    let log = session.servers.log();
    assert!(log.iter().all(|line| !line.contains("COMMIT")), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_given_up_half_way_leaves_nothing() {
    let mut session = Session::new();
    session.servers.on(0, "w", Answer::ok(1));
    session.servers.on(1, "w", Answer::silence());
    let plan = bound(spread(&[0, 2], "w", Tally::Sum));
    assert!(tokio::time::timeout(Duration::from_secs(1), session.execute(&plan)).await.is_err());
    assert_eq!(session.servers.open(), 0);
    assert_eq!(session.servers.log()[2..], ["g0 closed", "g1 closed"]);
}
