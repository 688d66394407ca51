use std::str::FromStr;

use bigdecimal::BigDecimal;
use serval_types::{Collation, IntWidth};

use super::*;
use crate::function::{Context, Function};

const INT: ColumnType = ColumnType::Int { width: IntWidth::Int, unsigned: false };
const BIGINT: ColumnType = ColumnType::Int { width: IntWidth::Big, unsigned: false };

fn function(json: &str) -> Function {
    serde_json::from_str(json).expect("options of a function")
}

fn sharding_with(json: &str, column_type: ColumnType, text_match: TextMatch) -> Sharding {
    let nodes: Vec<String> = (0..4).map(|n| format!("dn{n}")).collect();
    // `tables` stands beside the function's own options, as in a rule.
    let options: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let tables = options["tables"].as_str();
    let function = function(json);
    let rule = Rule {
        name: "r".to_owned(),
        function: function.build(&Context { tables, ..Context::of(&nodes) }).expect("right options").into(),
        columns: Vec::new(),
        nodes: (0..4).map(NodeId).collect(),
        text_match: TextMatch::Raw,
        time_zone: Some("+00:00".to_owned()),
        tables: tables.map(str::to_owned),
        inside: None,
    };
    Sharding::new(Arc::new(rule), "t", vec![ShardingColumn::new("k", text_match, false).typed(column_type)])
}

fn hash(column_type: ColumnType) -> Sharding {
    sharding_with(r#"{"function": "hash"}"#, column_type, TextMatch::Raw)
}

fn month(column_type: ColumnType) -> Sharding {
    let json = r#"{"function": "month", "from": "2026-01", "to": "2027-12", "tables": "{table}_{yyyymm}"}"#;
    sharding_with(json, column_type, TextMatch::Raw)
}

fn varchar(collation: &str) -> ColumnType {
    ColumnType::Text { length: Some(20), collation: Some(Collation::new(collation)) }
}

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(BigDecimal::from_str(text).expect("a number"))
}

/// Where a range with text bounds routes: `[` and `]` include, `(` and `)` exclude, an empty text is unbounded.
fn range(sharding: &Sharding, low: (char, &str), high: (char, &str)) -> Vec<usize> {
    let (low_value, high_value) = (text(low.1), text(high.1));
    let bound = |kind: char, value: &str, of| match kind {
        _ if value.is_empty() => Bound::Unbounded,
        '[' | ']' => Bound::Included(of),
        _ => Bound::Excluded(of),
    };
    let set = sharding.shards_for_range(bound(low.0, low.1, &low_value), bound(high.0, high.1, &high_value));
    set.iter().collect()
}

#[test]
fn every_spelling_of_an_integer_is_one_shard() {
    let sharding = hash(BIGINT);
    let expected = sharding.shard_for_stored(&Value::Int(12)).expect("a shard");
    for same in [
        Value::UInt(12),
        decimal("12"),
        decimal("12.000"),
        decimal("12.4"),
        decimal("11.5"),
        Value::Double(12.0),
        Value::Double(12.5),
        text("12"),
        text(" 12"),
        text("12 "),
        text("+12"),
        text("012"),
        text("1.2e1"),
        text("12.4"),
        text("11.5"),
    ] {
        assert_eq!(sharding.shard_for_stored(&same), Ok(expected), "{same:?}");
    }
    for same in
        [Value::UInt(12), decimal("12.0"), Value::Double(12.0), text("12"), text(" 12 "), text("12.0")]
    {
        assert_eq!(sharding.shards_for_equal(&same), ShardSet::one(expected), "{same:?}");
    }
}

#[test]
fn what_an_integer_column_refuses_is_not_stored() {
    let sharding = hash(INT);
    for refused in [
        Value::Int(1 << 40),
        decimal("2147483647.5"),
        text("abc"),
        text("12abc"),
        text(""),
        text("0x10"),
        text("1e999999999"),
        Value::Bytes(vec![65]),
        Value::Double(f64::NAN),
    ] {
        assert!(
            matches!(sharding.shard_for_stored(&refused), Err(Unroutable::Unconvertible { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(sharding.shard_for_stored(&Value::Null), Err(Unroutable::Null { column: "k".to_owned() }));
    let unsigned = hash(ColumnType::Int { width: IntWidth::Big, unsigned: true });
    assert!(unsigned.shard_for_stored(&Value::Int(-1)).is_err());
    assert!(unsigned.shard_for_stored(&Value::UInt(u64::MAX)).is_ok());
    assert!(unsigned.shard_for_stored(&decimal("-0.4")).is_err());
    assert_eq!(unsigned.shard_for_stored(&text("-0.4")), unsigned.shard_for_stored(&Value::Int(0)));
}

#[test]
fn integer_predicates_widen_rather_than_guess() {
    let sharding = hash(BIGINT);
    for anything in [
        text("7abc"),
        text("abc"),
        text(""),
        text("9007199254740993"),
        text("12.0000000000000000001"),
        Value::Double(1e17),
        Value::Bytes(vec![7]),
    ] {
        assert_eq!(sharding.shards_for_equal(&anything), sharding.all(), "{anything:?}");
    }
    for nothing in
        [Value::Null, decimal("1.5"), text("1.5"), Value::Double(0.5), decimal("1e30"), Value::UInt(u64::MAX)]
    {
        assert_eq!(sharding.shards_for_equal(&nothing), ShardSet::none(), "{nothing:?}");
    }
}

#[test]
fn a_short_range_of_integers_is_enumerated() {
    let sharding = sharding_with(r#"{"function": "mod"}"#, INT, TextMatch::Raw);
    assert_eq!(range(&sharding, ('[', "5"), (']', "6")), [1, 2]);
    assert_eq!(range(&sharding, ('(', "5"), (']', "6")), [2]);
    assert_eq!(range(&sharding, ('[', "4.5"), (')', "6.5")), [1, 2]);
    assert_eq!(range(&sharding, ('(', "5"), (')', "6")), [0_usize; 0]);
    assert_eq!(range(&sharding, ('[', "6"), (']', "5")), [0_usize; 0]);
    assert_eq!(range(&sharding, ('[', "5"), (']', "")), [0, 1, 2, 3]);
    assert_eq!(range(&sharding, ('[', "5x"), (']', "6")), [0, 1, 2, 3]);
    assert_eq!(range(&sharding, ('[', "2147483647"), (']', "")), [3]);
    let null = Value::Null;
    assert_eq!(sharding.shards_for_range(Bound::Included(&null), Bound::Unbounded), ShardSet::none());
}

#[test]
fn text_routes_by_collation() {
    let bin = hash(varchar("utf8mb4_bin"));
    let stored = bin.shard_for_stored(&text("abc  ")).expect("a shard");
    assert_eq!(bin.shards_for_equal(&text("abc")), ShardSet::one(stored));
    assert_eq!(bin.shards_for_equal(&Value::Bytes(b"abc".to_vec())), ShardSet::one(stored));
    assert_eq!(bin.shards_for_equal(&Value::Int(7)), bin.all());
    assert_eq!(bin.shard_for_stored(&Value::Int(7)), bin.shard_for_stored(&text("7")));
    assert_eq!(bin.shard_for_stored(&decimal("1.50")), bin.shard_for_stored(&text("1.50")));
    assert!(bin.shard_for_stored(&text("more than twenty characters")).is_err());
    assert!(bin.shard_for_stored(&text("twenty              and spaces")).is_err());
    assert!(bin.shard_for_stored(&text("short                              ")).is_ok());
    assert!(bin.shard_for_stored(&Value::Text(vec![0xe9])).is_err());

    let ci = hash(varchar("utf8mb4_general_ci"));
    assert!(ci.shard_for_stored(&text("abc")).is_ok());
    assert_eq!(ci.shards_for_equal(&text("abc")), ci.all());
    assert_eq!(ci.shards_for_equal(&Value::Null), ShardSet::none());

    let latin = hash(varchar("latin1_bin"));
    assert_eq!(latin.shards_for_equal(&Value::Bytes(vec![0xe9])), latin.all());
}

#[test]
fn ascii_fold_ignores_case() {
    let fold = sharding_with(r#"{"function": "hash"}"#, varchar("utf8mb4_general_ci"), TextMatch::AsciiFold);
    let stored = fold.shard_for_stored(&text("Ann@Example.org ")).expect("a shard");
    assert_eq!(fold.shards_for_equal(&text("ann@example.ORG")), ShardSet::one(stored));
    assert!(fold.shard_for_stored(&text("ännchen")).is_err());
    assert_eq!(fold.shards_for_equal(&text("ännchen")), fold.all());
    assert_eq!(fold.shards_for_equal(&text("a\u{1}")), fold.all());
}

#[test]
fn binary_strings_route_by_bytes() {
    let fixed = hash(ColumnType::Binary { length: Some(4), fixed: true });
    let stored = fixed.shard_for_stored(&Value::Bytes(vec![1, 2])).expect("a shard");
    assert_eq!(fixed.shards_for_equal(&Value::Bytes(vec![1, 2, 0, 0])), ShardSet::one(stored));
    assert_eq!(fixed.shards_for_equal(&Value::Bytes(vec![1; 5])), ShardSet::none());
    assert!(fixed.shard_for_stored(&Value::Bytes(vec![1; 5])).is_err());
    let varying = hash(ColumnType::Binary { length: Some(4), fixed: false });
    assert_ne!(varying.columns[0].domain.stored(&text("a ")), varying.columns[0].domain.stored(&text("a")));
}

#[test]
fn decimals_share_the_integers_keys() {
    let decimals = hash(ColumnType::Decimal { precision: 10, scale: 2, unsigned: false });
    let integers = hash(BIGINT);
    assert_eq!(decimals.shard_for_stored(&decimal("7.00")), integers.shard_for_stored(&Value::Int(7)));
    assert_eq!(decimals.shard_for_stored(&decimal("7.005")), decimals.shard_for_stored(&text("7.01")));
    assert_eq!(decimals.shards_for_equal(&decimal("7.001")), ShardSet::none());
    assert_eq!(
        decimals.shards_for_equal(&text("7.50")).single(),
        decimals.shard_for_stored(&decimal("7.5")).ok()
    );
    assert_eq!(decimals.shards_for_equal(&Value::Double(7.5)), decimals.all());
    assert!(decimals.shard_for_stored(&decimal("123456789.99")).is_err());
    assert!(decimals.co_located(&integers));
    assert!(!decimals.co_located(&hash(varchar("utf8mb4_bin"))));
}

#[test]
fn months_take_dates_in_every_form() {
    let sharding = month(ColumnType::DateTime { fsp: 0 });
    assert_eq!(sharding.shards.len(), 24);
    assert_eq!(sharding.shards[10], Shard { node: NodeId(2), table: "t_202611".to_owned() });
    for november in [
        text("2026-11-20"),
        text("2026-11-20 10:00:00"),
        text("2026-11-20T10:00:00.4"),
        text("2026/11/20 10:11"),
        text("2026.11.20"),
        text("26-11-20"),
        text("20261120"),
        text("20261120101112"),
        text("261120"),
        text(" 2026-11-20 "),
        Value::Int(20_261_120),
        Value::Int(20_261_120_101_112),
        Value::Int(261_120),
    ] {
        assert_eq!(sharding.shard_for_stored(&november), Ok(10), "{november:?}");
        assert_eq!(sharding.shards_for_equal(&november), ShardSet::one(10), "{november:?}");
    }
    for refused in [
        "0000-00-00",
        "2026-11-00",
        "2026-02-30",
        "yesterday",
        "2026-11",
        "",
        "2026-11-20 25:00",
        "2028-01-01",
    ] {
        assert!(sharding.shard_for_stored(&text(refused)).is_err(), "{refused}");
    }
    assert_eq!(sharding.shards_for_equal(&text("0000-00-00")), sharding.all());
    assert_eq!(sharding.shards_for_equal(&text("2028-01-01")), ShardSet::none());
}

#[test]
fn rounding_that_servers_disagree_on_is_refused_where_it_matters() {
    let sharding = month(ColumnType::DateTime { fsp: 0 });
    assert_eq!(sharding.shard_for_stored(&text("2026-11-20 10:00:00.9")), Ok(10));
    assert!(sharding.shard_for_stored(&text("2026-11-30 23:59:59.9")).is_err());
    assert_eq!(sharding.shards_for_equal(&text("2026-11-30 23:59:59.9")), ShardSet::run(10..12));
    assert_eq!(
        month(ColumnType::DateTime { fsp: 6 }).shard_for_stored(&text("2026-11-30 23:59:59.9")),
        Ok(10)
    );
    assert!(month(ColumnType::Date).shard_for_stored(&text("2026-11-30 23:59:59.9")).is_err());
    let seconds = |fsp| {
        let sharding = hash(ColumnType::DateTime { fsp });
        move |second: u8| sharding.shard_for_stored(&text(&format!("2026-11-20 10:00:{second:02}.9"))).is_ok()
    };
    // Two seconds that follow each other can share a shard by chance.
    assert!(!(0..9).all(seconds(0)));
    assert!((0..9).all(seconds(1)));
}

#[test]
fn month_ranges_prune() {
    let sharding = month(ColumnType::DateTime { fsp: 0 });
    assert_eq!(range(&sharding, ('[', "2026-11-01"), (')', "2026-12-01")), [10]);
    assert_eq!(range(&sharding, ('[', "2026-11-01"), (']', "2026-12-01")), [10, 11]);
    assert_eq!(range(&sharding, ('[', "2026-11-30"), (')', "2026-12-01 00:00:01")), [10, 11]);
    assert_eq!(range(&sharding, ('[', "2027-11-01"), (']', "")), [22, 23]);
    assert_eq!(range(&sharding, ('[', ""), (')', "2026-02-01")), [0]);
    assert_eq!(range(&sharding, ('[', ""), (')', "2026-01-01")), [0_usize; 0]);
    assert_eq!(range(&sharding, ('[', "2028-01-01"), (']', "")), [0_usize; 0]);
    assert_eq!(range(&sharding, ('[', "2020-01-01"), (']', "2025-01-01")), [0_usize; 0]);
    assert_eq!(range(&sharding, ('[', "2026-03-01"), (']', "2026-02-01")), [0_usize; 0]);
    assert_eq!(range(&sharding, ('[', "soon"), (')', "2026-02-01")), [0]);
    assert_eq!(range(&sharding, ('[', "soon"), (')', "later")).len(), 24);
}

#[test]
fn months_round_the_nodes() {
    let json = r#"{"function": "month", "from": "2026-01", "to": "2027-12"}"#;
    let sharding = sharding_with(json, ColumnType::Date, TextMatch::Raw);
    assert_eq!(sharding.shards.len(), 4);
    assert_eq!(sharding.shards[1], Shard { node: NodeId(1), table: "t".to_owned() });
    assert_eq!(sharding.shard_for_stored(&text("2026-06-15")), Ok(1));
    assert_eq!(range(&sharding, ('[', "2026-04-01"), (')', "2026-06-01")), [0, 3]);
    assert_eq!(range(&sharding, ('[', "2026-02-01"), (')', "2027-06-01")), [0, 1, 2, 3]);
}

#[test]
fn timestamps_lie_where_the_rules_clock_puts_them() {
    let sharding = month(ColumnType::Timestamp { fsp: 0 });
    let zone = |name: &str| crate::Zone::parse(name).expect("a zone");
    let (utc, east, berlin) = (zone("+00:00"), zone("+14:00"), zone("Europe/Berlin"));
    let stored = |value: &str, zone: &crate::Zone| sharding.shard_for_row_in(&[text(value)], Some(zone));
    assert_eq!(stored("2026-11-01 00:00:00", &utc), Ok(10));
    assert_eq!(stored("2026-11-01 13:59:59", &east), Ok(9));
    assert_eq!(stored("2026-11-01 14:00:00", &east), Ok(10));
    assert_eq!(stored("2026-11-01 00:30:00", &berlin), Ok(9));
    let equal = |value: &str, zone| sharding.shards_where_equal_in(0, &text(value), zone);
    assert_eq!(equal("2026-11-01 00:30:00", Some(&berlin)), ShardSet::one(9));
    assert_eq!(equal("2026-11-01", None), ShardSet::run(9..11));
    assert_eq!(equal("2026-11-20", None), ShardSet::one(10));
    let between = |low: &str, high: &str, zone| {
        let (low, high) = (text(low), text(high));
        let shards = sharding.shards_where_between_in(0, Bound::Included(&low), Bound::Excluded(&high), zone);
        shards.iter().collect::<Vec<_>>()
    };
    assert_eq!(between("2026-11-01", "2026-12-01", Some(&utc)), [10]);
    assert_eq!(between("2026-11-01", "2026-12-01", Some(&berlin)), [9, 10]);
    assert_eq!(between("2026-11-01", "2026-12-01", None), [9, 10, 11]);
    // An hour that comes twice is no question for months, and no zone at all is one for every store.
    assert_eq!(stored("2026-10-25 02:30:00", &berlin), Ok(9));
    let unknown = sharding.shard_for_row_in(&[text("2026-11-20")], None).expect_err("no zone");
    assert!(unknown.to_string().contains("SET time_zone"), "{unknown}");
    assert!(!sharding.co_located(&sharding));
}

#[test]
fn an_unknown_type_reaches_everything_and_stores_nothing() {
    let known = hash(BIGINT);
    let unknown =
        Sharding::new(Arc::clone(&known.rule), "t", vec![ShardingColumn::new("k", TextMatch::Raw, false)]);
    assert!(!unknown.is_known());
    assert!(matches!(unknown.shard_for_stored(&Value::Int(1)), Err(Unroutable::DefinitionUnknown { .. })));
    assert_eq!(unknown.shards_for_equal(&Value::Int(1)), unknown.all());
    assert_eq!(unknown.shards_for_equal(&Value::Null), ShardSet::none());
    let again = unknown.with_columns(vec![unknown.columns[0].typed(BIGINT)]);
    assert_eq!(again.shard_for_stored(&Value::Int(1)), known.shard_for_stored(&Value::Int(1)));
    assert!(again.co_located(&known));
    assert!(!unknown.co_located(&known));
}

#[test]
fn errors_name_column_and_value() {
    let error = month(ColumnType::Date).shard_for_stored(&text("2031-05-01")).expect_err("outside");
    let expected =
        "Table has no partition for value '2031-05-01' in column 'k': the rule covers 2026-01 to 2027-12";
    assert_eq!((error.to_string().as_str(), error.to_mysql().number), (expected, 1526));
    assert_eq!(hash(INT).shard_for_stored(&Value::Null).expect_err("null").to_mysql().number, 1048);
}

#[test]
fn text_is_stored_only_where_its_character_set_has_it() {
    let stores =
        |collation: &str, value: &str| hash(varchar(collation)).shard_for_stored(&text(value)).is_ok();
    for (collation, held, not) in [
        ("utf8mb4_bin", "é€中😀", ""),
        ("utf32_bin", "é€中😀", ""),
        ("utf8mb3_bin", "é€中", "😀"),
        ("ucs2_bin", "é€中", "😀"),
        ("latin1_bin", "éÿ€Ž", "āΩ中😀\u{81}"),
        ("ascii_bin", "az~", "é€中😀"),
        ("gbk_bin", "az~", "é€中😀"),
    ] {
        assert!(held.chars().all(|c| stores(collation, &c.to_string())), "{collation}");
        assert!(not.chars().all(|c| !stores(collation, &c.to_string())), "{collation}");
    }
    let error = hash(varchar("latin1_bin")).shard_for_stored(&text("中")).expect_err("no such character");
    assert_eq!(error.to_mysql().number, 1526);
}

#[test]
fn a_declared_fold_is_taken_only_where_it_fits() {
    let folded =
        |collation: &str| sharding_with(r#"{"function": "hash"}"#, varchar(collation), TextMatch::AsciiFold);
    let one = |sharding: &Sharding| sharding.shards_for_equal(&text("Y")).iter().count() == 1;
    assert!(one(&folded("utf8mb4_general_ci")));
    // In Lithuanian i and y are one letter.
    for collation in ["utf8mb4_lithuanian_ci", "utf8mb4_latvian_ci", "utf8mb4_roman_ci"] {
        assert!(!one(&folded(collation)) && !folded(collation).equal_values_share_a_shard());
    }
}
