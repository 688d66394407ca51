//! Prepared statements: which parameters go where, and binary rows from end to end.

use serval_planner::primitive::*;
use serval_types::Value;
use serval_wire::packet::{ColumnDefinition, PrepareOk};
use serval_wire::response::Prepared;

use crate::scripted::*;

fn two_parameters() -> Session {
    Session::with_parameters(&[Value::Int(7), Value::Text(b"a".to_vec())])
}

fn taking(mut target: Target, parameters: &[u16]) -> Target {
    target.parameters = parameters.to_vec();
    target
}

#[tokio::test]
async fn one_targets_rows_pass_as_they_are() {
    for relays in [true, false] {
        let mut session = two_parameters();
        session.client.relays = relays;
        let id = ColumnDefinition { schema: "shop_0".into(), org_table: "users".into(), ..int("id") };
        session.servers.on(0, "q ?", Answer::binary_rows(&[id, text("name")], &["1 a", "~ ~", "-3 c"]));
        let targets = vec![taking(target(0, "q ?"), &[1])];
        let plan = bound(Primitive::Route(Route { targets, replica_safe: true, hidden: 0 }));
        assert_eq!(session.execute(&plan).await.unwrap().rows, 3);
        if relays {
            session.client.decode();
        }
        assert_eq!(session.client.rows, ["1 a", "~ ~", "-3 c"]);
        assert_eq!(session.client.columns[0].schema, "shop");
        assert_eq!(session.servers.log(), ["g0.shop_0: q ? [1]"]);
    }
}

#[tokio::test]
async fn a_merge_executes_everywhere_even_where_nothing_is_taken() {
    let mut session = two_parameters();
    let columns = [int("a"), text("b"), int("hidden")];
    session.servers.on(0, "q ?", Answer::binary_rows(&columns, &["-2 x 1", "5 y ~"]));
    session.servers.on(1, "q", Answer::binary_rows(&columns, &["~ z 2", "4 ~ 3"]));
    let targets = vec![taking(target(0, "q ?"), &[0]), target(2, "q")];
    let input = Route { targets, replica_safe: true, hidden: 1 };
    let root = Primitive::Cut(Cut { input: Box::new(merge(input)), hidden: 1 });
    session.execute(&bound(root)).await.unwrap();
    assert_eq!(session.client.rows, ["~ z", "-2 x", "4 ~", "5 y"]);
    assert_eq!(session.client.columns.len(), 2);
    assert_eq!(session.servers.log(), ["g0.shop_0: q ? [0]", "g1.shop_2: q []"]);
}

#[tokio::test]
async fn sums_are_written_in_binary() {
    let mut session = Session::with_parameters(&[]);
    for (group, sum) in [(0, "5"), (1, "-7")] {
        session.servers.on(group, "q", Answer::binary_rows(&[int("n")], &[sum]));
    }
    let input = Box::new(Primitive::Route(route(&[0, 2], "q")));
    let root = Primitive::Aggregate(Aggregate { input, keys: Vec::new(), columns: vec![Combine::Sum] });
    session.execute(&bound(root)).await.unwrap();
    assert_eq!(session.client.rows, ["-2"]);
}

#[tokio::test]
async fn writes_execute_and_what_surrounds_them_does_not() {
    let mut session = two_parameters();
    session.servers.on(0, "w ?", Answer::ok(1));
    session.servers.on(1, "w ?", Answer::ok(2));
    let targets = vec![taking(target(0, "w ?"), &[0]), taking(target(2, "w ?"), &[1])];
    let root = Primitive::Spread(Spread::new(targets, Tally::Sum));
    assert_eq!(session.execute(&bound(root)).await.unwrap().affected_rows, 3);
    let expected = [
        "g0.shop_0: START TRANSACTION; w ? [0]",
        "g1.shop_2: START TRANSACTION; w ? [1]",
        "g0: COMMIT",
        "g1: COMMIT",
    ];
    assert_eq!(session.servers.log(), expected);
}

#[tokio::test]
async fn preparing_gives_logical_names_and_joins_no_transaction() {
    let mut session = Session::in_transaction();
    let id = ColumnDefinition { schema: "shop_2".into(), org_table: "users".into(), ..int("id") };
    let ok = PrepareOk { statement: 9, columns: 1, ..PrepareOk::default() };
    let described = Prepared { ok, parameters: Vec::new(), columns: vec![id] };
    session.servers.on_prepare(1, "q", described);
    let prepared = session.prepare(&target(2, "q")).await.unwrap();
    assert_eq!(prepared.columns[0].schema, "shop");
    assert!(session.transaction.groups().is_empty());
    let error = session.prepare(&target(2, "missing")).await.unwrap_err().to_mysql();
    assert_eq!((error.number, &*error.message), (1146, "Table 'shop.nosuch' doesn't exist"));

    session.servers.on(1, "w", Answer::ok(1));
    session.execute(&bound(spread(&[2], "w", Tally::Sum))).await.unwrap();
    session.prepare(&target(2, "q")).await.unwrap();
    session.prepare(&target(2, "missing")).await.unwrap_err();
    assert!(session.transaction.commit().await.is_ok());
    assert_eq!(session.servers.open(), 0);
    let expected = [
        "g1.shop_2: prepare q",
        "g1.shop_2: prepare missing",
        "g1.shop_2: BEGIN; w",
        "g1.shop_2: prepare q",
        "g1.shop_2: prepare missing",
        "g1: COMMIT",
    ];
    assert_eq!(session.servers.log(), expected);
}
