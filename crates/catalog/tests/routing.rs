//! Properties of routing: a value routes to one shard however it is written, and whoever looks for it looks there.

use std::ops::Bound;
use std::str::FromStr;
use std::sync::LazyLock;

use bigdecimal::BigDecimal;
use proptest::prelude::*;
use serval_catalog::{Catalog, Sharding};
use serval_types::Value;

const RULES: [&str; 3] = ["hash", "mod", "consistent"];

static CATALOG: LazyLock<Catalog> = LazyLock::new(catalog);

fn catalog() -> Catalog {
    let config = r#"
        [groups.g]
        primary = "db:3306"
        user = "serval"
        password = { env = "PASSWORD" }
        [nodes]
        "dn[0-6]" = { group = "g", database = "d[0-6]" }
        [rules.hash]
        function = "hash"
        nodes = "dn[0-6]"
        column = "k"
        [rules.mod]
        function = "mod"
        nodes = "dn[0-6]"
        column = "k"
        [rules.consistent]
        function = "consistent"
        nodes = "dn[0-6]"
        column = "k"
        [rules.month]
        function = "month"
        nodes = "dn[0-6]"
        column = "k"
        from = "2020-01"
        to = "2029-12"
        tables = "{table}_{yyyymm}"
        time_zone = "+00:00"
        [schemas.s.tables]
        hash = { rule = "hash" }
        mod = { rule = "mod" }
        consistent = { rule = "consistent" }
        text = { rule = "hash" }
        days = { rule = "month" }
        moments = { rule = "month" }
        stamps = { rule = "month" }
    "#;
    let snapshot = "CREATE TABLE hash (k BIGINT); CREATE TABLE `mod` (k BIGINT); CREATE TABLE consistent (k BIGINT);
        CREATE TABLE text (k VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin); CREATE TABLE days (k DATE);
        CREATE TABLE moments (k DATETIME); CREATE TABLE stamps (k TIMESTAMP);";
    let snapshot = [("s.sql".to_owned(), snapshot.to_owned())];
    serval_catalog::load(config, "c.toml", &|_| Ok(String::new()), &snapshot).expect("a right config").0
}

fn sharding<'c>(catalog: &'c Catalog, table: &str) -> &'c Sharding {
    catalog.table("s", table).and_then(|table| table.sharding()).expect("a sharded table")
}

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

proptest! {
    #[test]
    fn a_number_routes_alike_however_it_is_written(number: i64) {
        for rule in RULES {
            let sharding = sharding(&CATALOG, rule);
            let shard = sharding.shard_for_stored(&Value::Int(number)).expect("every number has a shard");
            let written = [
                Value::integer(&number.to_string()),
                Value::Decimal(BigDecimal::from(number)),
                Value::Decimal(BigDecimal::from_str(&format!("{number}.000")).expect("a number")),
                text(&number.to_string()),
                text(&format!("  {number}.0 ")),
            ];
            for value in written {
                prop_assert_eq!(sharding.shard_for_stored(&value), Ok(shard));
                prop_assert!(sharding.shards_for_equal(&value).contains(shard));
            }
            prop_assert_eq!(sharding.shards_for_equal(&Value::Int(number)).single(), Some(shard));
        }
    }

    #[test]
    fn a_range_of_numbers_reaches_its_members(low: i64, length in 0_i64..1000, member in 0_i64..1000) {
        let high = low.saturating_add(length);
        let member = low.saturating_add(member.min(length));
        for rule in RULES {
            let sharding = sharding(&CATALOG, rule);
            let shards = sharding.shards_for_range(Bound::Included(&Value::Int(low)), Bound::Included(&Value::Int(high)));
            prop_assert!(shards.contains(sharding.shard_for_stored(&Value::Int(member)).expect("a shard")));
        }
    }

    #[test]
    fn what_text_stores_text_finds(value in "\\PC{0,40}", spaces in " {0,3}") {
        let sharding = sharding(&CATALOG, "text");
        let shard = sharding.shard_for_stored(&text(&value)).expect("a short text");
        prop_assert_eq!(sharding.shards_for_equal(&text(&format!("{value}{spaces}"))).single(), Some(shard));
    }

    #[test]
    fn nothing_panics(bytes: Vec<u8>, number: f64) {
        for table in ["hash", "mod", "text", "days", "moments", "stamps"] {
            let sharding = sharding(&CATALOG, table);
            for value in [Value::Text(bytes.clone()), Value::Bytes(bytes.clone()), Value::Double(number)] {
                if let Ok(shard) = sharding.shard_for_stored(&value) {
                    prop_assert!(shard < sharding.shards.len());
                }
                let _ = sharding.shards_for_equal(&value);
                let _ = sharding.shards_for_range(Bound::Excluded(&value), Bound::Unbounded);
            }
        }
    }

    #[test]
    fn numeric_looking_texts_do_not_panic(value in "[ +-]{0,2}[0-9]{0,24}[.:/-]?[0-9]{0,8}[eE T]?[-+]?[0-9:.]{0,12}") {
        for table in ["hash", "mod", "days", "moments", "stamps"] {
            let sharding = sharding(&CATALOG, table);
            let stored = sharding.shard_for_stored(&text(&value));
            let found = sharding.shards_for_range(Bound::Included(&text(&value)), Bound::Included(&text(&value)));
            // A fraction that an integer column rounds away is not equal to what was stored.
            let exact = matches!(table, "moments" | "stamps");
            if let (Ok(shard), true) = (stored, exact) {
                prop_assert!(found.contains(shard), "{value}");
            }
        }
    }

    #[test]
    fn a_range_of_dates_reaches_its_members(
        (year, month, day) in (2020_u16..2030, 1_u8..=12, 1_u8..=28),
        hour in 0_u8..24,
        zone_hours in -14_i32..=14,
    ) {
        let moment = text(&format!("{year}-{month:02}-{day:02} {hour:02}:30:00"));
        for table in ["days", "moments", "stamps"] {
            let sharding = sharding(&CATALOG, table);
            let shard = sharding.shard_for_stored(&moment).expect("inside the window");
            prop_assert!(sharding.shards_for_equal(&moment).contains(shard));
            let from = text(&format!("{year}-{month:02}-01"));
            let shards = sharding.shards_for_range(Bound::Included(&from), Bound::Included(&moment));
            prop_assert!(shards.contains(shard));
        }
        // The same instant, read by a session in another time zone.
        let (parsed, _) = serval_catalog::Moment::parse_text(&format!("{year}-{month:02}-{day:02} {hour:02}:30:00")).expect("a date");
        if let Some(elsewhere) = parsed.plus_hours(zone_hours) {
            let sharding = sharding(&CATALOG, "stamps");
            let shard = sharding.shard_for_stored(&moment).expect("inside the window");
            prop_assert!(sharding.shards_for_equal(&text(&elsewhere.to_string())).contains(shard));
        }
    }
}
