//! Strings that may not be in UTF-8: where their bytes lead must not be believed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serval_planner::primitive::Primitive;
use serval_planner::{BindRequest, Bound, ClientText, PlanError, PlanRequest, Planner};
use serval_sql::{LexOptions, scan};

fn bind(sql: &[u8], text: ClientText) -> Result<Bound, PlanError> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let read = |name: &str| fs::read_to_string(here.join(name)).unwrap();
    let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
    let snapshot = [("shop.sql".to_owned(), read("shop.sql"))];
    let (catalog, _) =
        serval_catalog::load(&read("catalog.toml"), "catalog.toml", &secret, &snapshot).unwrap();
    let options = LexOptions::default();
    let scan = scan(sql, options).unwrap();
    let request = PlanRequest { sql, scan: &scan, schema: Some("shop"), options };
    let plan = Planner::new(1 << 20).plan(&Arc::new(catalog), &request)?;
    plan.bind(&BindRequest { text, ..BindRequest::of(sql, &scan) })
}

fn targets(sql: &str, text: ClientText) -> usize {
    match bind(sql.as_bytes(), text).unwrap().root {
        Primitive::Route(route) => route.targets.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn ascii_is_the_same_everywhere() {
    for text in [ClientText::Utf8mb4, ClientText::Utf8mb3, ClientText::Other] {
        assert_eq!(targets("SELECT * FROM coupons WHERE code = 'spring'", text), 1);
    }
}

#[test]
fn other_characters_reach_all_shards() {
    let sql = "SELECT * FROM coupons WHERE code = 'été'";
    assert_eq!(targets(sql, ClientText::Utf8mb4), 1);
    assert_eq!(targets(sql, ClientText::Utf8mb3), 1);
    assert!(targets(sql, ClientText::Other) > 1);
    assert!(targets("SELECT * FROM coupons WHERE code IN ('a', '🦁')", ClientText::Utf8mb3) > 1);
}

#[test]
fn a_row_is_not_stored_by_a_guess() {
    let sql = "INSERT INTO coupons (code) VALUES ('été')".as_bytes();
    assert!(bind(sql, ClientText::Utf8mb4).is_ok());
    let error = bind(sql, ClientText::Other).unwrap_err().to_mysql();
    assert_eq!(error.number, 1235);
    assert!(error.message.contains("SET NAMES utf8mb4"), "{}", error.message);
}
