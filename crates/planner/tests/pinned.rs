//! LOCK TABLES and temporary tables: what each server is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serval_catalog::{Catalog, TemporaryTable};
use serval_planner::primitive::Primitive;
use serval_planner::{
    PlanError, PlanRequest, Planner, plan_create_temporary, plan_drop_temporary, plan_lock_tables,
};
use serval_sql::{Ddl, LexOptions, Statement, parse, scan};
use serval_types::NodeId;

fn catalog() -> Arc<Catalog> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let read = |name: &str| fs::read_to_string(here.join(name)).unwrap();
    let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
    let snapshot = [("shop.sql".to_owned(), read("shop.sql"))];
    let loaded = serval_catalog::load(&read("catalog.toml"), "catalog.toml", &secret, &snapshot);
    Arc::new(loaded.unwrap().0)
}

fn locks(sql: &str) -> Vec<String> {
    let Ok(Statement::LockTables(statement)) = parse(sql, LexOptions::default()) else { panic!("{sql}") };
    let locks = plan_lock_tables(&catalog(), Some("shop"), &statement, sql).unwrap();
    let text = |(group, sql): &(serval_types::GroupId, Vec<u8>)| {
        format!("{group}: {}", String::from_utf8_lossy(sql))
    };
    locks.statements.iter().map(text).collect()
}

fn ddl(sql: &str) -> Ddl {
    match parse(sql, LexOptions::default()) {
        Ok(Statement::Ddl(ddl)) => ddl,
        other => panic!("{other:?}"),
    }
}

fn temporary(sql: &str) -> Result<String, PlanError> {
    let (catalog, ddl) = (catalog(), ddl(sql));
    let bound = if sql.starts_with("DROP") {
        plan_drop_temporary(&catalog, Some("shop"), &ddl, sql)?
    } else {
        plan_create_temporary(&catalog, Some("shop"), &ddl, sql, None)?
    };
    let Primitive::Route(route) = &bound.root else { panic!("{bound:?}") };
    let [target] = &*route.targets else { panic!("{route:?}") };
    Ok(format!("{}: {}", catalog.node(target.node).name, String::from_utf8_lossy(&target.sql)))
}

#[test]
fn every_shard_is_locked_by_one_statement_for_each_group() {
    assert_eq!(
        locks("LOCK TABLES users WRITE, regions AS r READ LOCAL, settings READ NOWAIT"),
        [
            "g0: LOCK TABLES `shop_0`.`users` WRITE, `shop_1`.`users` WRITE, `shop_0`.`regions` AS `r` READ LOCAL, \
         `shop_1`.`regions` AS `r` READ LOCAL NOWAIT",
            "g1: LOCK TABLES `shop_2`.`users` WRITE, `shop_3`.`users` WRITE, `shop_2`.`regions` AS `r` READ LOCAL, \
         `shop_3`.`regions` AS `r` READ LOCAL, `shop_3`.`settings` READ NOWAIT",
        ]
    );
}

#[test]
fn several_pieces_in_one_database_are_locked_under_their_own_names_alone() {
    // A server takes no alias twice (1066), and statements that name the table once do without one.
    assert_eq!(
        locks("LOCK TABLES events WRITE")[0],
        "g0: LOCK TABLES `shop_0`.`events_202601` WRITE, `shop_1`.`events_202602` WRITE, \
         `shop_0`.`events_202603` WRITE, `shop_1`.`events_202604` WRITE"
    );
}

#[test]
fn temporary_tables_lie_on_the_default_node() {
    let made = temporary("CREATE TEMPORARY TABLE users (id INT)").unwrap();
    assert_eq!(made, "dn0: CREATE TEMPORARY TABLE users (id INT)");
    let made = temporary("CREATE TEMPORARY TABLE shop.tmp LIKE shop.users").unwrap();
    assert_eq!(made, "dn0: CREATE TEMPORARY TABLE `shop_0`.`tmp` LIKE `shop_0`.`users`");
    let made = temporary("CREATE TEMPORARY TABLE tmp LIKE events").unwrap();
    assert_eq!(made, "dn0: CREATE TEMPORARY TABLE tmp LIKE `events_202601`");
    let dropped = temporary("DROP TEMPORARY TABLE IF EXISTS shop.a, b").unwrap();
    assert_eq!(dropped, "dn0: DROP TEMPORARY TABLE IF EXISTS `shop_0`.`a`, b");
}

#[test]
fn what_would_lead_astray_is_refused() {
    for sql in [
        "CREATE TEMPORARY TABLE tmp LIKE settings",
        "CREATE TEMPORARY TABLE events_202601 (id INT)",
        "CREATE TEMPORARY TABLE serval_sequence (id INT)",
    ] {
        assert_eq!(temporary(sql).unwrap_err().to_mysql().number, 1235, "{sql}");
    }
}

#[test]
fn an_overlay_hides_tables_and_is_never_remembered() {
    let base = catalog();
    let table = TemporaryTable { schema: "shop".into(), name: "Users".into(), node: NodeId(0) };
    let overlay = Arc::new(base.with_temporary(7, &[table]));
    assert!(overlay.is_overlay() && !base.is_overlay());
    let planner = Planner::new(1 << 20);
    let (sql, options) = (&b"SELECT * FROM users"[..], LexOptions::default());
    let scan = scan(sql, options).unwrap();
    let request = PlanRequest { sql, scan: &scan, schema: Some("shop"), options };
    let plan = planner.plan(&overlay, &request).unwrap();
    assert_eq!(plan.tables()[0].table.placement.nodes(), [NodeId(0)]);
    assert_eq!(planner.cached(), 0);
    let plan = planner.plan(&base, &request).unwrap();
    assert_eq!(plan.tables()[0].table.placement.nodes().len(), 4);
    assert_eq!(planner.cached(), 1);
}
