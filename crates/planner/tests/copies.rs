//! Which statements may be answered by any copy of a global table, and what those look like on another copy.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::primitive::Primitive;
use serval_planner::{BindRequest, ClientText, Plan, PlanRequest, Planner};
use serval_sql::{LexOptions, Scan, scan};
use serval_types::NodeId;

const CONFIG: &str = r#"
[groups.g0]
primary = "127.0.0.1:3310"
user = "serval"
password = "secret"
[nodes]
"dn[0-3]" = { group = "g0", database = "shop_[0-3]" }
[rules.by_id]
function = "mod"
column = "id"
nodes = "dn[0-3]"
[schemas.shop]
default_node = "dn0"
[schemas.shop.tables]
regions = { global = "dn[0-3]" }
currencies = { global = "dn[2-3]" }
lonely = { global = "dn1" }
users = { rule = "by_id" }
"#;

fn catalog() -> Arc<Catalog> {
    let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
    Arc::new(serval_catalog::load(CONFIG, "serval.toml", &secret, &[]).unwrap().0)
}

fn planned(sql: &str) -> (Arc<Plan>, Scan) {
    let options = LexOptions::default();
    let scan = scan(sql.as_bytes(), options).unwrap();
    let request = PlanRequest { sql: sql.as_bytes(), scan: &scan, schema: Some("shop"), options };
    (Planner::new(1 << 20).plan(&catalog(), &request).unwrap(), scan)
}

fn copies(sql: &str) -> Vec<u16> {
    let (plan, _) = planned(sql);
    plan.copies().unwrap_or_default().iter().map(|node| node.0).collect()
}

#[test]
fn reads_of_global_tables_alone_may_choose() {
    for sql in [
        "SELECT * FROM regions",
        "SELECT * FROM regions r LEFT JOIN regions s ON r.id = s.id WHERE r.id IN (SELECT id FROM regions)",
        "SELECT COUNT(*) FROM regions UNION SELECT 1",
        "SELECT * FROM regions WHERE id = ?",
    ] {
        assert_eq!(copies(sql), [0, 1, 2, 3], "{sql}");
    }
    assert_eq!(copies("SELECT * FROM regions JOIN currencies USING (id)"), [2, 3]);
}

#[test]
fn what_locks_writes_or_has_its_place_may_not() {
    for sql in [
        "SELECT * FROM regions FOR UPDATE",
        "SELECT * FROM regions LOCK IN SHARE MODE",
        "SELECT own_function(id) FROM regions",
        "UPDATE regions SET id = 1",
        "DELETE FROM regions",
        "INSERT INTO regions VALUES (1)",
        "SELECT * FROM regions JOIN users USING (id)",
        "SELECT * FROM regions JOIN users USING (id) WHERE users.id = 1",
        "SELECT * FROM regions JOIN settings USING (id)",
        "SELECT * FROM regions JOIN lonely USING (id)",
        "SELECT * FROM lonely",
        "SELECT /*+ SERVAL(node=dn1) */ * FROM regions",
        "SELECT 1",
    ] {
        assert!(copies(sql).is_empty(), "{sql}");
    }
}

#[test]
fn the_text_is_the_chosen_copys_own() {
    let sql = "SELECT * FROM shop.regions WHERE id = 7";
    let (plan, scan) = planned(sql);
    let text = ClientText::Utf8mb4;
    let request = BindRequest { text, ..BindRequest::of(sql.as_bytes(), &scan) };
    let bound = plan.bind_to(&request, NodeId(2)).unwrap();
    let Primitive::Route(route) = bound.root else { panic!("{:?}", bound.root) };
    assert_eq!(route.targets[0].node, NodeId(2));
    assert_eq!(
        String::from_utf8_lossy(&route.targets[0].sql),
        "SELECT * FROM `shop_2`.`regions` WHERE id = 7"
    );
    // A node without a copy is never asked.
    let bound = plan.bind_to(&request, NodeId(9)).unwrap();
    let Primitive::Route(route) = bound.root else { panic!("{:?}", bound.root) };
    assert_eq!(route.targets[0].node, NodeId(0));
}
