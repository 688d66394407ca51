use serval_sql::LexOptions;

use serval_types::Value;

use crate::session::Own;

use super::{Facts, Replaced, Style, may_mention, replace};

fn facts() -> Facts<'static> {
    static OWN: std::sync::OnceLock<Own> = std::sync::OnceLock::new();
    Facts {
        schema: Some("shop"),
        user: "app",
        host: "127.0.0.1",
        connection_id: 7,
        version: "10.11.6-MariaDB",
        port: 3307,
        autocommit: true,
        in_transaction: false,
        last_insert_id: 42,
        row_count: -1,
        found_rows: None,
        warnings: 0,
        errors: 0,
        own: OWN.get_or_init(Own::default),
        wait_timeout: 28800,
        isolation: None,
        read_only: None,
    }
}

fn check(sql: &str, expect: &str) {
    assert!(may_mention(sql.as_bytes()), "{sql}");
    let replaced = replace(sql.as_bytes(), LexOptions::default(), &facts(), Style::Literals);
    let replaced = replaced.expect("an answer").expect("a change");
    assert_eq!(String::from_utf8(replaced.sql).expect("text"), expect);
    assert_eq!(replaced.values, []);
}

fn check_untouched(sql: &str) {
    assert_eq!(replace(sql.as_bytes(), LexOptions::default(), &facts(), Style::Literals), Ok(None), "{sql}");
}

#[test]
fn a_column_keeps_the_name_that_a_server_gives_it() {
    // MariaDB 10.11 names these columns `DATABASE ( )`, `current_user` and `@@session.autocommit`.
    check("SELECT DATABASE ( )", "SELECT IF(1, 'shop', DATABASE ( )) AS `DATABASE ( )`");
    check("SELECT current_user", "SELECT IF(1, 'app@%', current_user) AS `current_user`");
    check("select @@session.autocommit", "select CAST(1 AS SIGNED) AS `@@session.autocommit`");
    let version = "SELECT IF(1, '10.11.6-MariaDB', @@`version`) AS `@@``version``` LIMIT 1";
    check("SELECT @@`version` LIMIT 1", version);
    let comment = "SELECT IF(1, 'Serval', @@version_comment) AS `@@version_comment` LIMIT 1";
    check("SELECT @@version_comment LIMIT 1", comment);
}

#[test]
fn an_expression_keeps_its_name_too() {
    check("SELECT last_insert_id() + 1", "SELECT (42 | 0) + 1 AS `last_insert_id() + 1`");
    let concat = "SELECT CONCAT(IF(1, 'app@127.0.0.1', USER()), 'x') AS `CONCAT(USER(), 'x')`";
    check("SELECT CONCAT(USER(), 'x')", concat);
}

#[test]
fn an_alias_stays() {
    check("SELECT CONNECTION_ID() AS id", "SELECT CAST(7 AS UNSIGNED) AS id");
    check("SELECT CONNECTION_ID() id, 1", "SELECT CAST(7 AS UNSIGNED) id, 1");
    check("SELECT VERSION() 'v'", "SELECT IF(1, '10.11.6-MariaDB', VERSION()) 'v'");
    check("SELECT a = DATABASE() FROM t", "SELECT a = 'shop' AS `a = DATABASE()` FROM t");
    check("SELECT DATABASE() = a FROM t", "SELECT 'shop' = a AS `DATABASE() = a` FROM t");
    check("SELECT DATABASE() IS NULL", "SELECT IF(1, 'shop', DATABASE()) IS NULL AS `DATABASE() IS NULL`");
}

#[test]
fn outside_select_lists_there_are_only_literals() {
    check("SELECT * FROM t WHERE id = LAST_INSERT_ID()", "SELECT * FROM t WHERE id = 42");
    check("INSERT INTO t VALUES (LAST_INSERT_ID(), 'x')", "INSERT INTO t VALUES (42, 'x')");
    check(
        "SELECT (SELECT DATABASE()) AS x",
        "SELECT (SELECT IF(1, 'shop', DATABASE()) AS `DATABASE()`) AS x",
    );
    check("SELECT 1-ROW_COUNT()", "SELECT 1-CAST(((-1) | 0) AS SIGNED) AS `1-ROW_COUNT()`");
}

#[test]
fn names_are_left_alone() {
    check_untouched("SELECT user, version FROM t");
    check_untouched("INSERT INTO user () VALUES ()");
    check_untouched("SELECT s.database() FROM t");
    check_untouched("SELECT 'DATABASE()', @@sql_mode");
    check_untouched("UPDATE c SET id = LAST_INSERT_ID(id + 1)");
}

#[test]
fn what_nobody_knows_any_more_is_refused() {
    let error =
        replace(b"SELECT FOUND_ROWS()", LexOptions::default(), &facts(), Style::Literals).unwrap_err();
    assert_eq!(error.number, 1235);
}

#[test]
fn a_global_value_is_not_the_sessions() {
    check_untouched("SELECT @@global.autocommit, @@global.wait_timeout");
    check("SELECT @@global.port", "SELECT CAST(3307 AS UNSIGNED) AS `@@global.port`");
    check("SELECT @@wait_timeout", "SELECT CAST(28800 AS UNSIGNED) AS `@@wait_timeout`");
    check_untouched("SELECT @@net_write_timeout");
    check("SELECT CURRENT_ROLE()", "SELECT CAST(NULL AS CHAR(64)) AS `CURRENT_ROLE()`");
}

#[test]
fn most_statements_are_not_looked_at() {
    assert!(!may_mention(b"SELECT c FROM sbtest1 WHERE id IN (1, 2) AND f(x) = 'a@b'"));
}

#[test]
fn numbers_become_parameters_between_those_of_the_client() {
    let sql = "SELECT DATABASE(), LAST_INSERT_ID(), ? FROM t WHERE a = ? AND b = ROW_COUNT() AND c = ?";
    let replaced = replace(sql.as_bytes(), LexOptions::default(), &facts(), Style::Parameters);
    let Replaced { sql, values } = replaced.expect("an answer").expect("a change");
    let text = "SELECT 'shop' AS `DATABASE()`, CAST(? AS UNSIGNED) AS `LAST_INSERT_ID()`, ? FROM t WHERE a = ? AND b = \
                ? AND c = ?";
    assert_eq!(String::from_utf8(sql).expect("text"), text);
    assert_eq!(values, [(0, Value::Int(42)), (3, Value::Int(-1))]);
    let sql = "INSERT INTO t VALUES (LAST_INSERT_ID(), ? + ROW_COUNT())";
    let replaced = replace(sql.as_bytes(), LexOptions::default(), &facts(), Style::Parameters);
    let Replaced { sql, values } = replaced.expect("an answer").expect("a change");
    assert_eq!(String::from_utf8(sql).expect("text"), "INSERT INTO t VALUES (?, ? + CAST(? AS SIGNED))");
    assert_eq!(values, [(0, Value::Int(42)), (2, Value::Int(-1))]);
}
