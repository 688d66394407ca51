use serval_sql::{LexOptions, scan};

use super::{SystemQuery, system_query};
use crate::{PlanError, PlanRequest};

fn find(sql: &str, schema: Option<&str>) -> Result<SystemQuery, PlanError> {
    let options = LexOptions::default();
    let scan = scan(sql.as_bytes(), options).expect("a scan");
    system_query(&PlanRequest { sql: sql.as_bytes(), scan: &scan, schema, options })
}

/// The statement with its mentions in brackets, those without an alias with a `+`, and prefixes as `~`.
#[track_caller]
fn check(sql: &str, schema: Option<&str>, expect: &str) {
    let found = find(sql, schema).expect("a query");
    let names = found.references.iter().map(|found| {
        let mark = if found.aliased { "" } else { "+" };
        (found.name, format!("[{}.{}{mark}]", found.schema, found.table))
    });
    let prefixes = found.prefixes.iter().map(|span| (*span, "~".to_owned()));
    let edits: Vec<_> = names.chain(prefixes).map(|(at, text)| serval_sql::Edit { at, text }).collect();
    assert_eq!(String::from_utf8(serval_sql::splice(sql.as_bytes(), &edits)).expect("text"), expect);
}

#[test]
fn tables_are_found_in_joins_and_subqueries() {
    check(
        "SELECT k.column_name FROM INFORMATION_SCHEMA.`tables` t JOIN information_schema.columns AS k USING (table_name) \
         WHERE EXISTS (SELECT 1 FROM information_schema.views)",
        None,
        "SELECT k.column_name FROM [information_schema.tables] t JOIN [information_schema.columns] AS k USING \
         (table_name) WHERE EXISTS (SELECT 1 FROM [information_schema.views+])",
    );
}

#[test]
fn columns_lose_the_schema_that_a_derived_table_has_not() {
    check(
        "SELECT information_schema.tables.table_name, tables.engine FROM information_schema.tables",
        None,
        "SELECT ~tables.table_name, tables.engine FROM [information_schema.tables+]",
    );
    check(
        "SELECT information_schema.tables.* FROM information_schema.tables",
        Some("shop"),
        "SELECT ~tables.* FROM [information_schema.tables+]",
    );
}

#[test]
fn plain_columns_of_the_result_are_named() {
    let labels =
        |sql| find(sql, None).expect("a query").labels.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    let sql = "SELECT table_name, t.Engine, table_rows AS n, UPPER(engine) FROM information_schema.tables t UNION SELECT \
               x, y, z, w FROM information_schema.tables WHERE table_name IN (SELECT name FROM information_schema.views)";
    assert_eq!(labels(sql), ["table_name", "Engine"]);
    assert_eq!(labels("(SELECT `a b` FROM information_schema.views)"), ["a b"]);
}

#[test]
fn the_current_schema_counts() {
    check("SELECT * FROM tables", Some("information_schema"), "SELECT * FROM [information_schema.tables+]");
    assert!(matches!(find("SELECT * FROM tables", None), Err(PlanError::NoSchema)));
}

#[test]
fn names_of_with_are_no_tables() {
    check(
        "WITH w AS (SELECT * FROM information_schema.tables) SELECT * FROM w, DUAL",
        None,
        "WITH w AS (SELECT * FROM [information_schema.tables+]) SELECT * FROM w, DUAL",
    );
}

#[test]
fn what_cannot_be_one_query_is_refused() {
    for sql in [
        "SELECT * FROM information_schema.tables t JOIN users u ON u.name = t.table_name",
        "INSERT INTO t SELECT table_name FROM information_schema.tables",
        "SELECT table_name INTO @x FROM information_schema.tables",
        "SELECT @x := table_name FROM information_schema.tables",
    ] {
        assert!(matches!(find(sql, Some("shop")), Err(PlanError::Refused(_))), "{sql}");
    }
}
