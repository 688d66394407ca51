//! Plans by hand, and the catalog that they run against.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::primitive::*;
use serval_planner::{Bound, PlanTable};
use serval_types::NodeId;

const CONFIG: &str = r#"
    [groups.g0]
    primary = "127.0.0.1:3300"
    user = "serval"
    password = { env = "PASSWORD" }

    [groups.g1]
    primary = "127.0.0.1:3301"
    user = "serval"
    password = { env = "PASSWORD" }

    [groups.g2]
    primary = "127.0.0.1:3302"
    user = "serval"
    password = { env = "PASSWORD" }

    [nodes]
    "dn[0-1]" = { group = "g0", database = "shop_[0-1]" }
    dn2 = { group = "g1", database = "shop_2" }
    dn3 = { group = "g2", database = "shop" }

    [rules.by_id]
    function = "mod"
    column = "id"
    nodes = "dn[0-3]"

    [rules.by_month]
    function = "month"
    column = "at"
    nodes = "dn[0-1]"
    from = "2026-11"
    to = "2026-12"
    tables = "{table}_{yyyymm}"

    [schemas.shop]
    default_node = "dn0"
    [schemas.shop.tables]
    users = { rule = "by_id", auto_increment = "segment" }
    events = { rule = "by_month", unique = "unchecked" }
    regions = { global = "dn[0-3]" }

    [users.app]
    password = { env = "PASSWORD" }
"#;

const DEFINITIONS: &str = "
    CREATE TABLE users (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, name VARCHAR(40), PRIMARY KEY (id));
    CREATE TABLE events (id BIGINT NOT NULL, at DATETIME NOT NULL, PRIMARY KEY (id, at));
    CREATE TABLE regions (id INT NOT NULL, PRIMARY KEY (id));
";

pub fn catalog() -> Catalog {
    let secret = |_: &serval_catalog::SecretSource| Ok(String::new());
    let snapshot = [("shop.sql".to_owned(), DEFINITIONS.to_owned())];
    let loaded = serval_catalog::load(CONFIG, "serval.toml", &secret, &snapshot);
    loaded.unwrap_or_else(|mistakes| panic!("{mistakes:#?}")).0
}

pub fn target(node: u16, sql: &str) -> Target {
    Target::new(NodeId(node), Some(node.into()), sql.into())
}

/// The same statement for several nodes.
pub fn route(nodes: &[u16], sql: &str) -> Route {
    let targets = nodes.iter().map(|&node| target(node, sql)).collect();
    Route { targets, replica_safe: true, hidden: 0 }
}

pub fn by(index: usize) -> SortKey {
    SortKey { value: ColumnRef::Visible(index), weight: None, padding: Padding::None, descending: false }
}

pub fn merge(input: Route) -> Primitive {
    Primitive::MergeSort(MergeSort { input, keys: vec![by(0)] })
}

pub fn limit(input: Primitive, count: u64) -> Primitive {
    Primitive::Limit(Limit { input: Box::new(input), offset: 0, count, counts_all: false })
}

pub fn spread(nodes: &[u16], sql: &str, tally: Tally) -> Primitive {
    Primitive::Spread(Spread::new(route(nodes, sql).targets, tally))
}

/// A plan over `users`.
pub fn bound(root: Primitive) -> Bound {
    bound_to("users", root)
}

pub fn bound_to(table: &str, root: Primitive) -> Bound {
    let table = Arc::clone(catalog().table("shop", table).unwrap());
    let tables: Arc<[PlanTable]> = [PlanTable { schema: "shop".to_owned(), table }].into();
    Bound { root, tables, notes: [].into() }
}
