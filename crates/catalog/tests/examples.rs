//! The example configs in `conf/` and the JSON Schema beside them.

use std::fs;
use std::path::{Path, PathBuf};

use serval_catalog::{Catalog, Severity};
use serval_types::Value;

fn conf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf")
}

fn snapshot() -> Vec<(String, String)> {
    let files = fs::read_dir(conf().join("schema")).expect("conf/schema");
    files
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a snapshot"))
        })
        .collect()
}

fn load(name: &str) -> Catalog {
    let text = fs::read_to_string(conf().join(name)).expect("an example");
    match serval_catalog::load(&text, name, &|_| Ok("secret".to_owned()), &snapshot()) {
        Ok((catalog, warnings)) => {
            let rendered: Vec<String> = warnings.iter().map(|warning| warning.render(&text)).collect();
            assert!(warnings.is_empty(), "{}", rendered.join("\n"));
            catalog
        }
        Err(diagnostics) => {
            let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
            panic!("{}", errors.map(|d| d.render(&text)).collect::<Vec<_>>().join("\n"));
        }
    }
}

#[test]
fn every_example_loads_without_a_word() {
    let mut count = 0;
    for entry in fs::read_dir(conf()).expect("conf") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") {
            load(&name);
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn the_shop_is_co_located() {
    let catalog = load("shop.toml");
    let sharding = |table: &str| {
        let table = catalog.table("shop", table).unwrap_or_else(|| panic!("no {table}"));
        table.sharding().unwrap_or_else(|| panic!("{} is not sharded", table.name)).clone()
    };
    assert!(sharding("users").co_located(&sharding("orders")));
    assert!(sharding("orders").co_located(&sharding("payments")));
    assert!(!sharding("orders").co_located(&sharding("events")));
    let user = Value::Int(42);
    assert_eq!(sharding("users").shard_for_stored(&user), sharding("orders").shard_for_stored(&user));
    assert_eq!(sharding("events").shards[10].table, "events_202611");
    let sequence =
        catalog.table("SHOP", "Payments").and_then(|table| table.sequence.clone()).expect("a sequence");
    assert_eq!(
        (sequence.name.as_str(), sequence.column.as_str(), sequence.step),
        ("shop.payments", "id", 100)
    );
    assert_eq!(
        catalog
            .schema("shop")
            .and_then(|schema| schema.table_or_default("other"))
            .map(|t| t.placement.nodes()),
        Some(vec![catalog.node_named("dn0").expect("dn0").id])
    );
}

#[test]
fn the_json_schema_is_current() {
    let path = conf().join("serval.schema.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, serval_catalog::json_schema()).expect("a writable schema");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let current = committed == serval_catalog::json_schema();
    assert!(current, "run `UPDATE_GOLDEN=1 cargo test -p serval-catalog --test examples`");
}
