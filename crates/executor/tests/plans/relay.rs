//! One target: what passes, what is rewritten, what is refused.

use crate::scripted::*;
use serval_planner::primitive::{Primitive, Route};
use serval_wire::packet::ColumnDefinition;

/// A statement for one node: dn3's database is called as the schema is, the others' are not.
fn one(node: u16, sql: &str) -> serval_planner::Bound {
    bound(Primitive::Route(route(&[node], sql)))
}

fn of_table(column: ColumnDefinition, schema: &str, table: &str, org_table: &str) -> ColumnDefinition {
    let (schema, table, org_table) = (schema.to_owned(), table.to_owned(), org_table.to_owned());
    ColumnDefinition { schema: schema.into(), table: table.into(), org_table: org_table.into(), ..column }
}

fn joined(answer: &Answer) -> Vec<u8> {
    let mut servers = answer.clone().joined();
    match servers.steps.pop_front().unwrap() {
        Step::Burst(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn where_names_are_the_same_bytes_pass_untouched() {
    let mut session = Session::new();
    session.client = Client::relaying();
    let answer = Answer::warned_rows(&[of_table(int("id"), "shop", "users", "users")], &["1", "~", "3"]);
    session.servers.on(2, "q", answer.clone());
    let completed = session.execute(&one(3, "q")).await.unwrap();
    assert_eq!(session.client.bytes, joined(&answer));
    assert_eq!((completed.rows, completed.warnings), (3, 1));
    assert_eq!(session.servers.log(), ["g2.shop: q"]);
}

#[tokio::test]
async fn physical_names_become_logical() {
    for relays in [true, false] {
        for together in [true, false] {
            let mut session = Session::new();
            session.client = Client { relays, ..Client::default() };
            let columns = [of_table(int("id"), "shop_0", "u", "users"), text("name")];
            let answer = Answer::warned_rows(&columns, &["1 a", "~ ~"]);
            session.servers.on(0, "q", if together { answer.joined() } else { answer });
            session.execute(&one(0, "q")).await.unwrap();
            if relays {
                session.client.decode();
            }
            let logical = [of_table(int("id"), "shop", "u", "users"), text("name")];
            assert_eq!(session.client.columns, logical);
            assert_eq!(session.client.rows, ["1 a", "~ ~"]);
            assert_eq!(session.client.end.unwrap().warnings, 1);
        }
    }
}

#[tokio::test]
async fn a_split_table_gets_its_own_name_back() {
    let mut session = Session::new();
    session.client = Client::relaying();
    let physical = of_table(int("id"), "shop_0", "events_202611", "events_202611");
    session.servers.on(0, "q", Answer::rows(&[physical], &["1"]));
    let target = serval_planner::primitive::Target { shard: Some(0), ..target(0, "q") };
    let route = Route { targets: vec![target], replica_safe: true, hidden: 0 };
    session.execute(&bound_to("events", Primitive::Route(route))).await.unwrap();
    session.client.decode();
    assert_eq!(session.client.columns, [of_table(int("id"), "shop", "events", "events")]);
}

#[tokio::test]
async fn an_ok_passes_with_its_numbers() {
    for relays in [true, false] {
        let mut session = Session::new();
        session.client = Client { relays, ..Client::default() };
        session.servers.on(0, "w", Answer::ok_info(3, "Rows matched: 3  Changed: 3  Warnings: 0"));
        let completed = session.execute(&one(0, "w")).await.unwrap();
        assert_eq!(completed.affected_rows, 3);
        if relays {
            session.client.decode();
        }
        assert_eq!(session.client.ok.unwrap().info, b"Rows matched: 3  Changed: 3  Warnings: 0");
    }
}

#[tokio::test]
async fn an_error_comes_with_logical_names_and_nothing_is_relayed() {
    let mut session = Session::new();
    session.client = Client::relaying();
    session.servers.on(0, "q", Answer::error(1146, "Table 'shop_0.users' doesn't exist"));
    let error = session.fail(&one(0, "q")).await;
    assert_eq!((error.number, &*error.message), (1146, "Table 'shop.users' doesn't exist"));
    assert!(session.client.bytes.is_empty());
    assert_eq!(session.servers.open(), 0);
}

#[tokio::test]
async fn an_error_in_mid_rows_follows_the_rows_before_it() {
    for together in [true, false] {
        let mut session = Session::new();
        session.client = Client::relaying();
        let answer = Answer::unfinished(&[int("id")], &["1", "2"]).then_error(1317, "interrupted");
        session.servers.on(0, "q", if together { answer.joined() } else { answer });
        assert_eq!(session.fail(&one(0, "q")).await.number, 1317);
        session.client.decode();
        assert_eq!(session.client.rows, ["1", "2"]);
        assert_eq!(session.client.end, None);
    }
}

#[tokio::test]
async fn a_lost_server_is_an_error_and_never_an_end() {
    for relays in [true, false] {
        let mut session = Session::new();
        session.client = Client { relays, ..Client::default() };
        session.servers.on(0, "q", Answer::unfinished(&[int("id")], &["1"]).then_lost());
        assert_eq!(session.fail(&one(0, "q")).await.number, 1429);
        if relays {
            session.client.decode();
        }
        assert_eq!((session.client.rows.len(), session.client.end), (1, None));
    }
}

#[tokio::test]
async fn load_data_local_is_refused_and_its_connection_closed() {
    let mut session = Session::new();
    session.client = Client::relaying();
    session.servers.on(0, "LOAD", Answer::local_infile());
    assert_eq!(session.fail(&one(0, "LOAD")).await.number, 1235);
    assert!(session.client.bytes.is_empty());
    assert_eq!(session.servers.log(), ["g0.shop_0: LOAD", "g0 closed"]);

    let mut session = Session::in_transaction();
    session.servers.on(0, "LOAD", Answer::local_infile());
    assert_eq!(session.fail(&one(0, "LOAD")).await.number, 1235);
    assert_eq!(session.fail(&one(0, "q")).await.number, 1105, "the transaction went with the connection");
}

#[tokio::test]
async fn a_transaction_keeps_its_connection() {
    let mut session = Session::in_transaction();
    session.replicas = true;
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1"]));
    session.servers.on(0, "r", Answer::error(1146, "no"));
    session.servers.on(0, "s", Answer::rows(&[int("id")], &["1"]));
    session.execute(&one(0, "q")).await.unwrap();
    session.client = Client::default();
    session.fail(&one(1, "r")).await;
    session.execute(&one(0, "s")).await.unwrap();
    session.transaction.commit().await.unwrap();
    let expected = ["g0.shop_0: BEGIN; q", "g0.shop_1: r", "g0.shop_0: s", "g0: COMMIT"];
    assert_eq!(session.servers.log(), expected);
}

#[tokio::test]
async fn replicas_answer_only_plain_reads_of_sessions_that_allow_it() {
    let mut session = Session::new();
    session.replicas = true;
    session.servers.on(0, "q", Answer::ok(0));
    session.servers.on(0, "locking", Answer::ok(0));
    session.execute(&one(0, "q")).await.unwrap();
    let locking = Route { replica_safe: false, ..route(&[0], "locking") };
    session.execute(&bound(Primitive::Route(locking))).await.unwrap();
    assert_eq!(session.servers.log(), ["g0 replica", "g0.shop_0: q", "g0.shop_0: locking"]);
}

#[tokio::test]
async fn a_client_that_went_away_leaves_nothing_open() {
    let mut session = Session::new();
    session.client.gone_after = Some(1);
    session.servers.on(0, "q", Answer::rows(&[int("id")], &["1", "2", "3"]));
    assert!(matches!(session.execute(&one(0, "q")).await, Err(serval_executor::ExecuteError::Client(_))));
    assert_eq!(session.servers.log(), ["g0.shop_0: q", "g0 closed"]);
    assert_eq!(session.servers.open(), 0);
}
