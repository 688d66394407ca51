//! Definitions: every node is tried.

use serval_planner::Bound;
use serval_planner::primitive::Tally;

use crate::scripted::*;

fn create(nodes: &[u16]) -> Bound {
    bound(spread(nodes, "CREATE", Tally::Definition))
}

#[tokio::test]
async fn all_nodes_are_told_without_a_transaction() {
    let mut session = Session::new();
    for group in [0, 0, 1] {
        session.servers.on(group, "CREATE", Answer::ok(0));
    }
    session.execute(&create(&[0, 1, 2])).await.unwrap();
    assert_eq!(session.client.ok.unwrap().affected_rows, 0);
    assert_eq!(session.servers.log(), ["g0.shop_0: CREATE", "g0.shop_1: CREATE", "g1.shop_2: CREATE"]);
}

#[tokio::test]
async fn numbers_add_up_except_for_copies() {
    for (table, affected_rows, warnings, info) in [
        ("users", 7, 2, "Records: 7  Duplicates: 0  Warnings: 2"),
        ("regions", 3, 1, "Records: 3  Duplicates: 0  Warnings: 1"),
    ] {
        let mut session = Session::new();
        session.servers.on(0, "ALTER", Answer::ok_warned(3, 1, "Records: 3  Duplicates: 0  Warnings: 1"));
        session.servers.on(1, "ALTER", Answer::ok_warned(4, 1, "Records: 4  Duplicates: 0  Warnings: 1"));
        session.execute(&bound_to(table, spread(&[0, 2], "ALTER", Tally::Definition))).await.unwrap();
        let ok = session.client.ok.unwrap();
        assert_eq!((ok.affected_rows, ok.warnings), (affected_rows, warnings));
        assert_eq!(String::from_utf8(ok.info).unwrap(), info);
    }
}

#[tokio::test]
async fn a_failure_does_not_stop_the_others_and_says_what_is_left() {
    let mut session = Session::new();
    session.servers.on(0, "CREATE", Answer::ok(0));
    session.servers.on(1, "CREATE", Answer::lost());
    session.servers.on(2, "CREATE", Answer::error(1050, "Table 'users' already exists"));
    let error = session.fail(&create(&[0, 2, 3])).await;
    assert_eq!(error.number, 1429);
    for part in [
        "Failed on 2 of 3 nodes",
        "dn2: ",
        "dn3: Table 'users' already exists (1050)",
        "done on: dn0",
        "again",
    ] {
        assert!(error.message.contains(part), "{}", error.message);
    }
    // The last one looks at what is there: whether it is what was wanted.
    assert_eq!(session.servers.log().len(), 4);
    assert_eq!(session.client.ok, None);
}

#[tokio::test]
async fn the_same_failure_everywhere_is_that_failure() {
    let mut session = Session::new();
    for group in [0, 1] {
        session.servers.on(group, "CREATE", Answer::error(1050, "Table 'users' already exists"));
    }
    let error = session.fail(&create(&[0, 2])).await;
    assert_eq!((error.number, &*error.message), (1050, "Table 'users' already exists"));
}

#[tokio::test]
async fn a_definition_commits_what_was_open() {
    let mut session = Session::in_transaction();
    session.servers.on(1, "w", Answer::ok(1));
    session.execute(&bound(spread(&[2], "w", Tally::Sum))).await.unwrap();
    session.client = Client::default();
    for group in [0, 1] {
        session.servers.on(group, "CREATE", Answer::ok(0));
    }
    session.execute(&create(&[0, 2])).await.unwrap();
    assert!(!session.transaction.is_open());
    let expected = ["g1.shop_2: BEGIN; w", "g1: COMMIT", "g0.shop_0: CREATE", "g1.shop_2: CREATE"];
    assert_eq!(session.servers.log(), expected);
}
