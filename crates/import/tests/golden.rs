//! Whole configs of the other proxies, imported: the text is held against a golden file, Serval loads it, and rows lie
//! where the other proxy put them. `UPDATE_GOLDEN=1 cargo test -p serval-import` writes the golden files anew.

use std::fs;
use std::path::{Path, PathBuf};

use serval_catalog::Catalog;
use serval_import::{Imported, gaea, kingshard, mycat};
use serval_types::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(folder().join(path)).map_err(|_| format!("there is no file `{path}`"))
}

/// What was imported, with the snapshot of the tables' definitions; it must be what the golden file holds.
fn loaded(name: &str, imported: &Imported, snapshot: &[(&str, &str)]) -> Catalog {
    let golden = folder().join(format!("{name}.toml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &imported.toml).expect("a writable golden file");
    }
    assert_eq!(imported.toml, fs::read_to_string(&golden).unwrap_or_default(), "{name}");
    let snapshot: Vec<_> =
        snapshot.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    match serval_catalog::load(&imported.toml, "c.toml", &|_| Ok("secret".to_owned()), &snapshot) {
        Ok((catalog, _)) => catalog,
        Err(wrong) => panic!("{}", wrong.iter().map(|d| d.render(&imported.toml)).collect::<String>()),
    }
}

fn refused(imported: &Imported) -> Vec<String> {
    imported.refused.iter().map(|refusal| format!("{}: {}", refusal.file, refusal.element)).collect()
}

/// Where a row lies: the node's name and the table's.
fn place(catalog: &Catalog, schema: &str, table: &str, value: &Value) -> String {
    let sharding = catalog.table(schema, table).and_then(|table| table.sharding()).expect("a sharded table");
    let shard = sharding.shard_for_stored(value).unwrap_or_else(|error| panic!("{table}: {error}"));
    let shard = &sharding.shards[shard];
    format!("{} {}", catalog.node(shard.node).name, shard.table)
}

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

#[test]
fn mycat_1_6() {
    let imported = mycat(&|file| read(&format!("mycat/{file}")));
    let definitions = "CREATE TABLE customer (id BIGINT AUTO_INCREMENT PRIMARY KEY, province_id INT); CREATE TABLE orders (province INT);
        CREATE TABLE travelrecord (id BIGINT); CREATE TABLE hotnews (id BIGINT AUTO_INCREMENT PRIMARY KEY);
        CREATE TABLE accounts (id BIGINT); CREATE TABLE names (name VARCHAR(20) COLLATE utf8mb4_bin);
        CREATE TABLE tokens (id BIGINT); CREATE TABLE slots (id BIGINT); CREATE TABLE jumps (id BIGINT);
        CREATE TABLE mixed (id BIGINT); CREATE TABLE `groups` (id BIGINT); CREATE TABLE patterns (id BIGINT);
        CREATE TABLE prefixes (code VARCHAR(20) COLLATE utf8mb4_bin); CREATE TABLE daily (created_at DATE);
        CREATE TABLE parts (code VARCHAR(20) COLLATE utf8mb4_bin); CREATE TABLE monthly (created_at DATETIME);";
    let catalog = loaded("mycat", &imported, &[("SHOP.sql", definitions)]);
    // Computed with Mycat's own classes, or read off the mapping files.
    let golden = [
        ("customer", Value::Int(10010), "dn2 customer"),
        ("customer", Value::Int(7), "dn1 customer"),
        ("orders", Value::Int(10010), "dn2 orders"),
        ("travelrecord", Value::Int(5_000_000), "dn1 travelrecord"),
        ("travelrecord", Value::Int(5_000_001), "dn2 travelrecord"),
        ("travelrecord", Value::Int(-1), "dn3 travelrecord"),
        ("hotnews", Value::Int(-5), "dn3 hotnews"),
        ("accounts", Value::Int(4_294_967_296), "dn1 accounts"),
        ("groups", Value::Int(2_000_000), "dn3 groups"),
        ("groups", Value::Int(2_000_001), "dn4 groups"),
        ("patterns", Value::Int(-1), "dn3 patterns"),
        ("patterns", Value::Int(192), "dn4 patterns"),
        ("parts", text("02-x"), "dn3 parts"),
        ("parts", text("77-x"), "dn1 parts"),
        ("daily", text("2014-02-10"), "dn1 daily"),
        ("daily", text("2014-01-31"), "dn4 daily"),
        ("monthly", text("2015-09-30"), "db_m9 monthly"),
        ("monthly", text("2014-12-31"), "db_m1 monthly"),
        ("tokens", Value::Int(42), "dn3 tokens"),
        ("tokens", Value::Int(1_000_000), "dn3 tokens"),
        ("jumps", Value::Int(42), "dn3 jumps"),
        ("mixed", Value::Int(42), "dn3 mixed"),
        ("names", text("Zürich"), "dn4 names"),
        ("accounts", Value::Int(-300), "dn2 accounts"),
        ("slots", Value::Int(42), "dn1 slots"),
        ("prefixes", text("gf89f9a"), "dn3 prefixes"),
    ];
    for (table, value, expected) in golden {
        assert_eq!(place(&catalog, "SHOP", table, &value), expected, "{value:?}");
    }
    assert_eq!(
        catalog.node_named("db_m7").map(|node| catalog.group(node.group).name.as_str()),
        Some("host2")
    );
    let sharding =
        |table| catalog.table("SHOP", table).and_then(|table| table.sharding()).expect("sharded").clone();
    assert!(sharding("customer").co_located(&sharding("orders")));
    let invoices = sharding("invoices");
    assert_eq!(invoices.parent.as_ref().map(ToString::to_string).as_deref(), Some("customer.id"));
    assert_eq!(sharding("customer").children.len(), 1);
    let expected = [
        "server.xml: <user name=\"report\">",
        "schema.xml: <dataHost name=\"oracle1\">",
        "schema.xml: <dataNode name=\"ora\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"calls\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"hot\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"logs\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"nowhere\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"five\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"lost\">",
        "schema.xml: <schema name=\"SHOP\"> <table name=\"gaps\">",
    ];
    assert_eq!(refused(&imported), expected);
    let gaps = imported.refused.last().map(|refusal| refusal.reason.clone()).unwrap_or_default();
    assert!(gaps.contains("the numbers 100 to 199 belong to no node"), "{gaps}");
}

#[test]
fn a_kingshard_file() {
    let imported = kingshard("ks.yaml", &read("ks.yaml").expect("the file"));
    let shop = "CREATE TABLE orders (user_id BIGINT); CREATE TABLE events (id BIGINT);
        CREATE TABLE months (dtime DATETIME); CREATE TABLE users (id BIGINT);";
    let catalog = loaded(
        "kingshard",
        &imported,
        &[("shop.sql", shop), ("logs.sql", "CREATE TABLE days (mtime DATE);")],
    );
    let golden = [
        ("shop", "orders", Value::Int(7), "node2_shop orders_0007"),
        ("shop", "orders", Value::Int(-5), "node1_shop orders_0003"),
        ("shop", "events", Value::Int(9999), "node1_shop events_0000"),
        ("shop", "events", Value::Int(39_999), "node2_shop events_0003"),
        ("shop", "months", text("2016-05-31 23:59:59"), "node1_shop months_201605"),
        ("shop", "months", text("2016-06-01"), "node2_shop months_201606"),
        ("logs", "days", text("2016-03-08"), "node2_logs days_20160308"),
    ];
    for (schema, table, value, expected) in golden {
        assert_eq!(place(&catalog, schema, table, &value), expected, "{value:?}");
    }
    let sharding =
        |table| catalog.table("shop", table).and_then(|table| table.sharding()).expect("sharded").clone();
    assert!(sharding("users").co_located(&sharding("orders")));
    let expected = [
        "ks.yaml: allow_ips",
        "ks.yaml: schema of other",
        "ks.yaml: schema of app, table logs.gaps",
        "ks.yaml: schema of app, table logs.odd",
        "ks.yaml: schema of app, table logs.huge",
    ];
    assert_eq!(refused(&imported), expected);
}

#[test]
fn a_namespace_of_gaea() {
    let files = [("shop.json".to_owned(), read("gaea/shop.json").expect("the file"))];
    let imported = gaea(&files);
    let shop = "CREATE TABLE orders (id BIGINT); CREATE TABLE orders_items (order_id BIGINT);
        CREATE TABLE users (name VARCHAR(20) COLLATE utf8mb4_bin); CREATE TABLE events (`at` DATETIME);";
    let crm =
        "CREATE TABLE leads (id BIGINT); CREATE TABLE calls (id BIGINT); CREATE TABLE tokens (id BIGINT);";
    let catalog = loaded("gaea", &imported, &[("shop.sql", shop), ("crm.sql", crm)]);
    let golden = [
        ("shop", "orders", Value::Int(-6), "slice-1_shop orders_0002"),
        ("shop", "orders_items", Value::Int(5), "slice-0_shop orders_items_0001"),
        ("shop", "users", text("abc"), "slice-0_shop users_0000"),
        ("shop", "events", text("2017-01-01"), "slice-1_shop events_2017"),
        ("crm", "leads", Value::Int(6), "slice-1_crm_2 leads"),
        ("crm", "calls", Value::Int(-1), "slice-1_crm_3 calls"),
        ("crm", "tokens", Value::Int(42), "slice-1_crm_2 tokens"),
    ];
    for (schema, table, value, expected) in golden {
        assert_eq!(place(&catalog, schema, table, &value), expected, "{value:?}");
    }
    let expected = [
        "shop.json: shard_rules crm.tails",
        "shop.json: shard_rules crm.padded",
        "shop.json: shard_rules crm.lost",
        "shop.json: shard_rules crm.few",
        "shop.json: user reader",
    ];
    assert_eq!(refused(&imported), expected);
}

#[test]
fn what_is_broken_is_named() {
    let missing = mycat(&|file| Err(format!("there is no file `{file}`")));
    assert_eq!(refused(&missing), ["server.xml: the file", "schema.xml: the file", "rule.xml: the file"]);
    let no_xml = mycat(&|_| Ok("<a><b></a>".to_owned()));
    assert_eq!(no_xml.refused.len(), 3);
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]><a>&d;</a>";
    let _ = mycat(&|_| Ok(bomb.to_owned()));
    assert_eq!(refused(&kingshard("k", "a: [")), ["k: the file"]);
    assert_eq!(refused(&kingshard("k", "")), ["k: the file"]);
    assert_eq!(refused(&gaea(&[("g".to_owned(), "{".to_owned())])), ["g: the file"]);
    assert_eq!(refused(&gaea(&[])), ["the directory: *.json"]);
}

/// Each of these replaces a property of a function; the table that uses it is then refused, and nothing panics.
#[test]
fn huge_and_odd_numbers_are_refused() {
    let rule = read("mycat/rule.xml").expect("the file");
    let broken = [
        ("<property name=\"count\">3<", "<property name=\"count\">99999999999999999999<", "hotnews"),
        ("<property name=\"count\">3<", "<property name=\"count\">0<", "hotnews"),
        (
            "<property name=\"partitionCount\">2,1<",
            "<property name=\"partitionCount\">4294967295,4294967295<",
            "accounts",
        ),
        (
            "<property name=\"partitionLength\">256,512<",
            "<property name=\"partitionLength\">256<",
            "accounts",
        ),
        ("<property name=\"hashSlice\">0:2<", "<property name=\"hashSlice\">x<", "names"),
        (
            "<property name=\"virtualBucketTimes\">160<",
            "<property name=\"virtualBucketTimes\">4000000000<",
            "tokens",
        ),
        ("<property name=\"sPartionDay\">10<", "<property name=\"sPartionDay\">0<", "daily"),
        ("<property name=\"sPartionDay\">10<", "<property name=\"sPartionDay\">4000000000<", "daily"),
        ("<property name=\"sBeginDate\">2014-01-01<", "<property name=\"sBeginDate\">2014-02-30<", "daily"),
        ("<property name=\"sNaturalDay\">0<", "<property name=\"sNaturalDay\">1<", "daily"),
        ("<property name=\"sBeginDate\">2015-01-01<", "<property name=\"sBeginDate\">9999-12-01<", "monthly"),
        (
            "<property name=\"mapFile\">autopartition-long.txt<",
            "<property name=\"mapFile\">../../secret<",
            "travelrecord",
        ),
        ("<property name=\"patternValue\">256<", "<property name=\"patternValue\">0<", "patterns"),
        ("<columns>province_id<", "<columns>province_id,city_id<", "customer"),
    ];
    for (from, to, table) in broken {
        assert!(rule.contains(from), "{from}");
        let changed = rule.replace(from, to);
        let imported = mycat(&|file| {
            if file == "rule.xml" { Ok(changed.clone()) } else { read(&format!("mycat/{file}")) }
        });
        let element = format!("schema.xml: <schema name=\"SHOP\"> <table name=\"{table}\">");
        assert!(refused(&imported).contains(&element), "{to}: {:?}", refused(&imported));
    }
}

#[test]
fn a_refused_table_is_not_looked_for_on_the_default_node() {
    let imported = mycat(&|file| read(&format!("mycat/{file}")));
    let shop = imported.toml.split("[schemas.SHOP]").nth(1).expect("the schema");
    assert!(shop.trim_start().starts_with("# default_node = \"dn1\" is left out"), "{shop}");
    let catalog = loaded("mycat", &imported, &[]);
    assert!(catalog.schema("SHOP").is_some_and(|schema| schema.table_or_default("calls").is_none()));
    assert!(catalog.schema("CRM").is_some_and(|schema| schema.default_node.is_some()));
}
