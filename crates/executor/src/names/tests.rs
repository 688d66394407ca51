use serval_types::MysqlError;
use serval_wire::packet::ColumnDefinition;
use serval_wire::packet::column_type::MYSQL_TYPE_LONG;

use serval_planner::primitive::Target;
use serval_types::NodeId;

use super::{Names, TableNames};

fn names() -> Names<'static> {
    let users = TableNames { database: "shop_0", physical: "users", schema: "shop", logical: "users" };
    let events =
        TableNames { database: "shop_0", physical: "events_202611", schema: "shop", logical: "events" };
    Names { tables: vec![users, events], ..Names::none(None) }
}

#[track_caller]
fn check(number: u16, physical: &str, logical: &str) {
    let error = MysqlError { number, sqlstate: *b"42S02", message: physical.to_owned() };
    let mapped = names().map_error(error);
    assert_eq!((mapped.number, mapped.sqlstate()), (number, "42S02"));
    assert_eq!(mapped.message, logical);
}

#[test]
fn tables_in_quotes() {
    check(1146, "Table 'shop_0.users' doesn't exist", "Table 'shop.users' doesn't exist");
    check(1146, "Table 'shop_0.events_202611' doesn't exist", "Table 'shop.events' doesn't exist");
    check(1146, "Table 'shop_0.unplanned' doesn't exist", "Table 'shop.unplanned' doesn't exist");
    check(1050, "Table 'events_202611' already exists", "Table 'events' already exists");
}

#[test]
fn tables_in_backticks() {
    check(
        1452,
        "Cannot add or update a child row: a foreign key constraint fails (`shop_0`.`events_202611`, CONSTRAINT \
         `fk` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`))",
        "Cannot add or update a child row: a foreign key constraint fails (`shop`.`events`, CONSTRAINT `fk` \
         FOREIGN KEY (`user_id`) REFERENCES `users` (`id`))",
    );
    check(1451, "fails (`shop_0`.`payments`, CONSTRAINT", "fails (`shop`.`payments`, CONSTRAINT");
}

#[test]
fn constraints_that_servers_name() {
    check(
        3819,
        "Check constraint 'events_202611_chk_12' is violated.",
        "Check constraint 'events_chk_12' is violated.",
    );
    check(
        1452,
        "fails (`shop_0`.`events_202611`, CONSTRAINT `events_202611_ibfk_1` FOREIGN KEY)",
        "fails (`shop`.`events`, CONSTRAINT `events_ibfk_1` FOREIGN KEY)",
    );
    check(1105, "events_202611_ibfk_x events_202611_x", "events_202611_ibfk_x events_202611_x");
}

#[test]
fn tables_that_the_statement_does_not_name() {
    let config = r#"
        [groups.g0]
        primary = "127.0.0.1:3310"
        user = "serval"
        password = "secret"
        [nodes]
        "dn[0-1]" = { group = "g0", database = "shop_[0-1]" }
        [rules.by_month]
        function = "month"
        column = "at"
        nodes = "dn[0-1]"
        from = "2026-01"
        to = "2026-04"
        tables = "{table}_{yyyymm}"
        [schemas.shop]
        default_node = "dn0"
        [schemas.shop.tables]
        events = { rule = "by_month", unique = "unchecked" }
    "#;
    let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
    let catalog = serval_catalog::load(config, "serval.toml", &secret, &[]).unwrap().0;
    let target = Target::new(NodeId(0), None, Vec::new());
    let names = Names::of(&catalog, &[], &target);
    assert_eq!(
        names.map_text("fails (`shop_0`.`events_202601`, CONSTRAINT `events_202601_ibfk_2`)"),
        "fails (`shop`.`events`, CONSTRAINT `events_ibfk_2`)"
    );
    assert_eq!(names.map_text("select `shop_0`.`plain`.`id`"), "select `shop`.`plain`.`id`");
}

#[test]
fn databases() {
    check(1049, "Unknown database 'shop_0'", "Unknown database 'shop'");
    let file = |schema: &str| format!("Error on rename of './{schema}/t2' to './{schema}/t3' (errno: 150)");
    check(1025, &file("shop_0"), &file("shop"));
    check(
        1044,
        "Access denied for user 'u'@'h' to database 'shop_0'",
        "Access denied for user 'u'@'h' to database 'shop'",
    );
}

#[test]
fn names_of_any_kind_behind_the_database() {
    check(1305, "FUNCTION shop_0.nosuch does not exist", "FUNCTION shop.nosuch does not exist");
    check(1305, "PROCEDURE `shop_0`.`nosuch` does not exist", "PROCEDURE `shop`.`nosuch` does not exist");
    check(1051, "Unknown table 'shop_0.a,shop_0.b'", "Unknown table 'shop.a,shop.b'");
    check(1105, "\"shop_0\".\"x\" and shop_0.*", "\"shop\".\"x\" and shop.*");
    check(1105, "It is in shop_0. Look there", "It is in shop_0. Look there");
    check(1105, "x.shop_0.y and my_shop_0.y", "x.shop.y and my_shop_0.y");
}

#[test]
fn columns() {
    check(
        1054,
        "Unknown column 'events_202611.x' in 'field list'",
        "Unknown column 'events.x' in 'field list'",
    );
    check(
        1366,
        "Incorrect integer value: 'events_202611' for column `shop_0`.`events_202611`.`id` at row 1",
        "Incorrect integer value: 'events_202611' for column `shop`.`events`.`id` at row 1",
    );
}

#[test]
fn values_of_the_client_stay() {
    check(
        1062,
        "Duplicate entry 'shop_0.users' for key 'events_202611.PRIMARY'",
        "Duplicate entry 'shop_0.users' for key 'events.PRIMARY'",
    );
    check(
        1062,
        "Duplicate entry 'events_202611' for key 'PRIMARY'",
        "Duplicate entry 'events_202611' for key 'PRIMARY'",
    );
}

#[test]
fn names_inside_longer_words_stay() {
    check(1105, "my_shop_0.users and events_2026110", "my_shop_0.users and events_2026110");
    check(1054, "Unknown column 'shop_0' in 'field list'", "Unknown column 'shop_0' in 'field list'");
    check(1105, "żółw 'shop_0.users' ś", "żółw 'shop.users' ś");
}

fn column(schema: &'static str, table: &'static str, org_table: &'static str) -> ColumnDefinition {
    ColumnDefinition {
        schema: schema.into(),
        table: table.into(),
        org_table: org_table.into(),
        ..ColumnDefinition::new("id", MYSQL_TYPE_LONG)
    }
}

#[track_caller]
fn check_column(physical: [&'static str; 3], logical: [&'static str; 3]) {
    let [schema, table, org_table] = physical;
    let mut mapped = column(schema, table, org_table);
    names().map_column(&mut mapped);
    let [schema, table, org_table] = logical;
    assert_eq!(mapped, column(schema, table, org_table));
}

#[test]
fn column_definitions() {
    check_column(["shop_0", "users", "users"], ["shop", "users", "users"]);
    check_column(["shop_0", "events_202611", "events_202611"], ["shop", "events", "events"]);
    check_column(["shop_0", "e", "events_202611"], ["shop", "e", "events"]);
    check_column(["shop_0", "u", "unplanned"], ["shop", "u", "unplanned"]);
    check_column(["other", "users", "users"], ["other", "users", "users"]);
    check_column(["", "", ""], ["", "", ""]);
}
