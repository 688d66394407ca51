//! Definitions that arrive from servers, and what a reload says.

use serval_catalog::{Catalog, Severity, TableDefinition, diff};
use serval_types::Value;

const CONFIG: &str = r#"
[users.app]
password = { env = "APP" }
[groups.g]
primary = "db1:3306"
user = "serval"
password = { env = "PASSWORD" }
[nodes]
"dn[0-1]" = { group = "g", database = "shop_[0-1]" }
[rules.by_user]
function = "hash"
column = "user_id"
nodes = "dn[0-1]"
[schemas.shop]
default_node = "dn0"
[schemas.shop.tables]
orders = { rule = "by_user", unique = "sequence" }
regions = { global = "dn[0-1]" }
"#;

fn load(config: &str, password: &str) -> Catalog {
    serval_catalog::load(config, "c.toml", &|_| Ok(password.to_owned()), &[]).expect("a right config").0
}

fn definition(sql: &str) -> TableDefinition {
    serval_sql::create_table::parse(sql, serval_sql::LexOptions::default()).expect("a CREATE TABLE")
}

const ORDERS: &str =
    "CREATE TABLE `orders` (`id` bigint NOT NULL AUTO_INCREMENT, `user_id` int, PRIMARY KEY (`id`))";

#[test]
fn a_definition_makes_a_table_routable() {
    let before = load(CONFIG, "x");
    let orders = before.table("shop", "orders").and_then(|table| table.sharding()).expect("sharded");
    assert!(orders.shard_for_stored(&Value::Int(1)).is_err());
    let found = vec![
        ("SHOP".to_owned(), definition(ORDERS)),
        ("shop".to_owned(), definition("CREATE TABLE log (a int)")),
    ];
    let (after, diagnostics) = before.with_definitions(found);
    assert_eq!(diagnostics, []);
    assert_eq!(after.version, before.version + 1);
    let table = after.table("shop", "orders").expect("orders");
    assert!(table.sharding().expect("sharded").shard_for_stored(&Value::Int(1)).is_ok());
    let sequence = table.sequence.as_ref().expect("a sequence");
    assert_eq!(
        (sequence.name.as_str(), sequence.column.as_str(), sequence.step),
        ("shop.orders", "id", 1000)
    );
    assert!(after.table("shop", "log").is_some_and(|table| table.definition.is_some()));
}

#[test]
fn a_definition_that_does_not_fit_is_reported() {
    let sql = "CREATE TABLE `orders` (`id` bigint NOT NULL, `user_id` double, UNIQUE KEY `u` (`id`))";
    let (after, diagnostics) = load(CONFIG, "x").with_definitions(vec![("shop".to_owned(), definition(sql))]);
    let messages: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 3, "{messages:#?}");
    assert!(diagnostics.iter().all(|d| d.severity == Severity::Error && d.file == "shop.orders"));
    let orders = after.table("shop", "orders").and_then(|table| table.sharding()).expect("sharded");
    assert!(orders.shard_for_stored(&Value::Int(1)).is_err());
    assert_eq!(orders.shards_for_equal(&Value::Int(1)), orders.all());
}

#[test]
fn a_diff_reads_line_by_line() {
    let old = load(CONFIG, "x");
    assert!(diff(&old, &load(CONFIG, "x")).is_empty());
    assert_eq!(
        diff(&old, &load(CONFIG, "y")),
        ["~ group g: the password or a certificate", "~ user app: the password"]
    );
    // A table of the default node lies there with and without a line of its own.
    let changed = CONFIG
        .replace("db1:3306", "db9:3306")
        .replace(
            "regions = { global = \"dn[0-1]\" }",
            "regions = { node = \"dn1\" }\nlog = { node = \"dn0\" }",
        )
        .replace("[users.app]", "[limits]\nslow_query = \"off\"\n[users.app]");
    assert_eq!(
        diff(&old, &load(&changed, "x")),
        [
            "~ group g: db1:3306 weight 1 as serval, 64 connections, lag limit 10s, tls off → db9:3306 weight 1 as serval, \
             64 connections, lag limit 10s, tls off",
            "~ limits.slow_query: 1s → off",
            "~ table shop.regions: global dn0, dn1 → node dn1",
        ]
    );
}

#[test]
fn null_goes_to_the_default_shard_only_where_the_column_stores_it() {
    let rule = "function = \"list\"\nvalues = { dn0 = [1] }\ndefault = \"dn1\"";
    let before = load(&CONFIG.replace("function = \"hash\"", rule), "x");
    let shard_of_null = |sql: &str| {
        let (after, _) = before.with_definitions(vec![("shop".to_owned(), definition(sql))]);
        let orders =
            after.table("shop", "orders").and_then(|table| table.sharding()).expect("sharded").clone();
        orders.shard_for_stored(&Value::Null).map_err(|error| error.to_mysql().number)
    };
    assert_eq!(shard_of_null(ORDERS), Ok(1));
    // A server without strict mode stores 0.
    assert_eq!(shard_of_null(&ORDERS.replace("`user_id` int", "`user_id` int NOT NULL")), Err(1048));
}
