//! Properties of routing: a value routes to one shard however it is written, and whoever looks for it looks there.

use std::ops::Bound;
use std::slice;
use std::str::FromStr;
use std::sync::LazyLock;

use bigdecimal::BigDecimal;
use proptest::prelude::*;
use serval_catalog::{Catalog, ShardSet, Sharding, Zone};
use serval_types::Value;

/// Functions of a number, each with options that give every number a shard. They take text too, but for the first
/// three.
const NUMBERS: [(&str, &str); 17] = [
    ("hash", ""),
    ("consistent", ""),
    ("mod", ""),
    ("jump", ""),
    ("wang_mod", ""),
    ("crc32_mod", ""),
    ("crc32_slots", ""),
    ("murmur", "cumulative = true\nvirtual_nodes = 10"),
    ("segments", "counts = [6, 1]\nlengths = [128, 256]\nfold = true"),
    ("string_hash", "counts = [6, 1]\nlengths = [128, 256]\nslice = \"-9:\""),
    ("range", "ranges = { dn6 = \"min to -1, 500 to 700\", dn0 = \"0-499\", dn3 = \"701 to max\" }"),
    ("range_mod", "groups = { \"min to -1\" = 2, \"0-99999\" = 4, \"100000 to max\" = 1 }"),
    ("list", "values = { dn0 = [1, 2, 3], dn1 = [-4, \"9223372036854775808\"] }\ndefault = \"dn2\""),
    ("pattern", "modulus = 100\nranges = { dn0 = \"0-49\", dn1 = \"50-99\" }\ndefault = \"dn2\""),
    ("prefix_pattern", "length = 4\nmodulus = 64\nranges = { dn0 = \"0-31\", dn1 = \"32-63\" }"),
    ("substring", "start = 1\nsize = 1\ndefault = \"dn5\""),
    ("numbered", "tables = \"{table}_{nnnn}\"\ntables_per_node = [4, 4, 4, 4, 4, 4, 2]"),
];

/// Functions of the calendar.
const DATES: [(&str, &str); 9] = [
    ("month", "from = \"2020-01\"\nto = \"2029-12\"\ntables = \"{table}_{yyyymm}\""),
    ("months_round", "from = \"2020-01\"\nto = \"2029-12\""),
    ("year", "from = \"2020\"\nto = \"2029\"\nperiods = { dn1 = \"2020 to 2024\", dn0 = \"2025 to 2029\" }"),
    ("week", "from = \"2020-W01\"\nto = \"2030-W01\"\ntables = \"{table}_{yyyyww}\""),
    ("day", "from = \"2020-01-01\"\nto = \"2029-12-31\"\ntables = \"{table}_{yyyymmdd}\""),
    ("date", "from = \"2020-01-01\"\nto = \"2029-12-31\"\ndays = 10"),
    ("hour", "from = \"2024-01-01 00\"\nto = \"2024-03-31 23\"\nbefore = \"cycle\"\nafter = \"cycle\""),
    ("days_round", "from = \"2024-02-01\"\nto = \"2024-02-29\"\nbefore = \"first\"\nafter = \"cycle\""),
    ("years_and_rest", "from = \"2022\"\nto = \"2026\"\ntables = \"{table}_{yyyy}\"\ndefault = \"dn6\""),
];

/// Rules whose name is not their function's.
const NAMED: [(&str, &str); 4] =
    [("numbered", "crc32_mod"), ("months_round", "month"), ("days_round", "day"), ("years_and_rest", "year")];

static CATALOG: LazyLock<Catalog> = LazyLock::new(catalog);

fn catalog() -> Catalog {
    let mut config = r#"
        [groups.g]
        primary = "db:3306"
        user = "serval"
        password = { env = "PASSWORD" }
        [nodes]
        "dn[0-6]" = { group = "g", database = "d[0-6]" }
    "#
    .to_owned();
    let (mut tables, mut snapshot) = (String::from("[schemas.s.tables]\n"), String::new());
    let mut table = |name: &str, rule: &str, column: &str| {
        tables += &format!("{name} = {{ rule = \"{rule}\" }}\n");
        snapshot += &format!("CREATE TABLE `{name}` (k {column});\n");
    };
    for (rule, options) in NUMBERS.into_iter().chain(DATES) {
        let function = NAMED.iter().find(|(name, _)| *name == rule).map_or(rule, |(_, function)| function);
        config += &format!(
            "[rules.{rule}]\nfunction = \"{function}\"\nnodes = \"dn[0-6]\"\ncolumn = \"k\"\ntime_zone = \"+00:00\"\n{options}\n"
        );
    }
    for (rule, _) in NUMBERS {
        table(rule, rule, "BIGINT");
        table(&format!("{rule}_decimal"), rule, "DECIMAL(20,0)");
    }
    for (rule, _) in &NUMBERS[3..] {
        table(&format!("{rule}_text"), rule, "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    }
    for (rule, _) in DATES {
        if rule != "hour" {
            table(&format!("{rule}_days"), rule, "DATE");
        }
        table(&format!("{rule}_moments"), rule, "DATETIME");
        table(&format!("{rule}_stamps"), rule, "TIMESTAMP");
    }
    table("text", "hash", "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    let snapshot = [("s.sql".to_owned(), snapshot)];
    let loaded =
        serval_catalog::load(&(config.clone() + &tables), "c.toml", &|_| Ok(String::new()), &snapshot);
    loaded
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|e| e.render(&config)).collect::<String>()))
        .0
}

/// The tables of dates: the functions with the columns that they take.
fn tables_of_dates() -> impl Iterator<Item = String> {
    let columns =
        DATES.into_iter().flat_map(|(rule, _)| ["days", "moments", "stamps"].map(|kind| (rule, kind)));
    columns
        .filter(|&(rule, kind)| (rule, kind) != ("hour", "days"))
        .map(|(rule, kind)| format!("{rule}_{kind}"))
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
        for (rule, _) in NUMBERS {
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
            let decimal = self::sharding(&CATALOG, &format!("{rule}_decimal"));
            prop_assert_eq!(decimal.shard_for_stored(&Value::Int(number)), Ok(shard));
            // In a column of text the number's digits are its one spelling.
            if let Some(texts) = CATALOG.table("s", &format!("{rule}_text")).and_then(|table| table.sharding()) {
                prop_assert_eq!(texts.shard_for_stored(&Value::Int(number)), texts.shard_for_stored(&text(&number.to_string())));
            }
        }
    }

    #[test]
    fn every_text_has_at_most_one_shard(value in "\\PC{0,40}") {
        for (rule, _) in &NUMBERS[3..] {
            let sharding = sharding(&CATALOG, &format!("{rule}_text"));
            let stored = sharding.shard_for_stored(&text(&value));
            let found = sharding.shards_for_equal(&text(&value));
            prop_assert_eq!(stored.ok(), found.single(), "{}", rule);
            prop_assert!(found.len() <= 1, "{}", rule);
        }
    }

    #[test]
    fn a_range_of_numbers_reaches_its_members(
        low in prop_oneof![any::<i64>(), -2000_i64..200_000],
        length in 0_i64..1000,
        member in 0_i64..1000,
    ) {
        let high = low.saturating_add(length);
        let member = low.saturating_add(member.min(length));
        for (rule, _) in NUMBERS {
            let sharding = sharding(&CATALOG, rule);
            let shards = sharding.shards_for_range(Bound::Included(&Value::Int(low)), Bound::Included(&Value::Int(high)));
            let shard = sharding.shard_for_stored(&Value::Int(member)).expect("a shard");
            prop_assert!(shards.contains(shard), "{}", rule);
            let from = sharding.shards_for_range(Bound::Excluded(&Value::Int(low.saturating_sub(1))), Bound::Unbounded);
            prop_assert!(low == i64::MIN || from.contains(shard), "{}", rule);
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
        let numbers = NUMBERS.map(|(rule, _)| rule.to_owned());
        let texts = NUMBERS[3..].iter().map(|(rule, _)| format!("{rule}_text"));
        for table in numbers.into_iter().chain(texts).chain(tables_of_dates()).chain(["text".to_owned()]) {
            let sharding = sharding(&CATALOG, &table);
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
        for table in ["hash", "mod", "month_days", "month_moments", "month_stamps", "hour_moments", "date_moments"] {
            let sharding = sharding(&CATALOG, table);
            let stored = sharding.shard_for_stored(&text(&value));
            let found = sharding.shards_for_range(Bound::Included(&text(&value)), Bound::Included(&text(&value)));
            // A fraction that an integer column rounds away is not equal to what was stored.
            let exact = table.ends_with("moments") || table.ends_with("stamps");
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
        for table in tables_of_dates() {
            let sharding = sharding(&CATALOG, &table);
            let shard = sharding.shard_for_stored(&moment).expect("inside the window");
            prop_assert!(sharding.shards_for_equal(&moment).contains(shard));
            for from in [text(&format!("{year}-{month:02}-01")), text(&format!("{year}-{month:02}-{day:02}"))] {
                let shards = sharding.shards_for_range(Bound::Included(&from), Bound::Included(&moment));
                prop_assert!(shards.contains(shard), "{}", table);
            }
            let next = text(&format!("{year}-{month:02}-{day:02} {hour:02}:30:01"));
            let shards = sharding.shards_for_range(Bound::Unbounded, Bound::Excluded(&next));
            prop_assert!(shards.contains(shard), "{}", table);
        }
        // The same instant, read by a session in another time zone.
        let (parsed, _) = serval_catalog::Moment::parse_text(&format!("{year}-{month:02}-{day:02} {hour:02}:30:00")).expect("a date");
        if let Some(elsewhere) = parsed.plus_hours(zone_hours) {
            for table in ["month_stamps", "hour_stamps", "week_stamps", "date_stamps"] {
                let sharding = sharding(&CATALOG, table);
                let shard = sharding.shard_for_stored(&moment).expect("inside the window");
                let written = text(&elsewhere.to_string());
                let sign = if zone_hours < 0 { '-' } else { '+' };
                let zone = Zone::parse(&format!("{sign}{:02}:00", zone_hours.abs())).expect("a zone");
                let in_zone = sharding.shard_for_row_in(slice::from_ref(&written), Some(&zone));
                prop_assert_eq!(in_zone, Ok(shard), "{}", table);
                prop_assert_eq!(sharding.shards_where_equal_in(0, &written, Some(&zone)), ShardSet::one(shard));
                // Nobody knows which zone: it reaches all that may hold it.
                prop_assert!(sharding.shards_where_equal_in(0, &written, None).contains(shard));
            }
        }
    }
}

#[test]
fn what_has_no_shard_goes_to_the_default() {
    let place = |table: &str, value: &Value| {
        let sharding = sharding(&CATALOG, table);
        let shard = sharding.shard_for_stored(value).ok()?;
        let shard = &sharding.shards[shard];
        Some(format!("{} {}", CATALOG.node(shard.node).name, shard.table))
    };
    assert_eq!(place("list", &Value::Null).as_deref(), Some("dn2 list"));
    assert_eq!(place("list", &Value::Int(77)).as_deref(), Some("dn2 list"));
    assert_eq!(place("list", &Value::Int(-4)).as_deref(), Some("dn1 list"));
    // The default of split tables is the table of the client's own name.
    assert_eq!(
        place("years_and_rest_moments", &text("2021-05-05")).as_deref(),
        Some("dn6 years_and_rest_moments")
    );
    assert_eq!(
        place("years_and_rest_moments", &text("2022-05-05")).as_deref(),
        Some("dn0 years_and_rest_moments_2022")
    );
    // What the column itself does not take is refused all the same.
    assert_eq!(place("list", &text("abc")), None);
    assert_eq!(place("range", &Value::Null), None);
    let sharding = sharding(&CATALOG, "years_and_rest_moments");
    let within =
        sharding.shards_for_range(Bound::Included(&text("2023-01-01")), Bound::Excluded(&text("2024-01-01")));
    assert_eq!(within.iter().collect::<Vec<_>>(), [1, 5]);
}

#[test]
fn numbered_tables_lie_on_their_nodes() {
    let sharding = sharding(&CATALOG, "numbered");
    assert_eq!(sharding.shards.len(), 26);
    let shown = [0, 3, 4, 25].map(|shard: usize| {
        let shard = &sharding.shards[shard];
        format!("{} {}", CATALOG.node(shard.node).name, shard.table)
    });
    assert_eq!(shown, ["dn0 numbered_0000", "dn0 numbered_0003", "dn1 numbered_0004", "dn6 numbered_0025"]);
}

/// Rules of several columns: hashed together, and one function inside another.
mod several {
    use super::*;

    const RULES: [(&str, &str); 5] = [
        ("pair", "function = \"hash\"\ncolumns = [\"a\", \"b\"]"),
        ("ring", "function = \"consistent\"\ncolumns = [\"a\", \"b\"]"),
        (
            "grid",
            "function = \"hash\"\ncolumn = \"a\"\ninside = { function = \"mod\", column = \"b\", nodes_per_group = 3 }",
        ),
        (
            "numbered",
            "function = \"range\"\ncolumn = \"a\"\nranges = { dn0 = \"min to -1\", dn5 = \"0 to max\" }\n\
             inside = { function = \"crc32_mod\", column = \"b\", tables = \"{table}_{nn}\", tables_per_node = 5 }",
        ),
        (
            "triple",
            "function = \"hash\"\ncolumns = [\"a\", \"b\"]\n\
             inside = { function = \"month\", column = \"at\", from = \"2020-01\", to = \"2029-12\", tables = \"{table}_{yyyymm}\" }",
        ),
    ];

    static SEVERAL: LazyLock<Catalog> = LazyLock::new(|| {
        let mut config = r#"
            [groups.g]
            primary = "db:3306"
            user = "serval"
            password = { env = "PASSWORD" }
            [nodes]
            "dn[0-5]" = { group = "g", database = "d[0-5]" }
        "#
        .to_owned();
        let (mut tables, mut snapshot) = (String::from("[schemas.s.tables]\n"), String::new());
        for (rule, options) in RULES {
            config += &format!("[rules.{rule}]\nnodes = \"dn[0-5]\"\n{options}\n");
            tables += &format!("{rule} = {{ rule = \"{rule}\" }}\n{rule}_other = {{ rule = \"{rule}\" }}\n");
            snapshot += &format!("CREATE TABLE `{rule}` (a BIGINT, b BIGINT, at DATETIME);\n");
            snapshot += &format!("CREATE TABLE `{rule}_other` (a DECIMAL(20,0), b INT, at DATE);\n");
        }
        let snapshot = [("s.sql".to_owned(), snapshot)];
        let loaded = serval_catalog::load(&(config + &tables), "c.toml", &|_| Ok(String::new()), &snapshot);
        loaded.unwrap_or_else(|errors| panic!("{errors:?}")).0
    });

    fn row(sharding: &Sharding, a: Value, b: Value, at: &str) -> Vec<Value> {
        let all = [a, b, text(at)];
        all[..sharding.columns.len()].to_vec()
    }

    /// What equality of some columns leaves.
    fn found(sharding: &Sharding, row: &[Value], known: &[bool]) -> serval_catalog::ShardSet {
        let mut shards = sharding.all();
        if known[..sharding.combined()].iter().all(|known| *known) {
            shards = sharding.shards_where_all_equal(&row[..sharding.combined()]);
        }
        for (column, value) in row.iter().enumerate().filter(|(column, _)| known[*column]) {
            shards = shards.intersection(&sharding.shards_where_equal(column, value));
        }
        shards
    }

    proptest! {
        #[test]
        fn a_row_has_one_shard_however_it_is_written(
            a: i64, b: i32, month in 1_u8..=12, year in 2020_u16..2030, known: [bool; 3],
        ) {
            for (rule, _) in RULES {
                let at = format!("{year}-{month:02}-15");
                let sharding = sharding(&SEVERAL, rule);
                let plain = row(sharding, Value::Int(a), Value::Int(b.into()), &at);
                let shard = sharding.shard_for_row(&plain).expect("a shard");
                prop_assert!(shard < sharding.shards.len());
                let written = row(sharding, text(&format!(" {a}")), Value::Decimal(BigDecimal::from(b)), &format!("{at} 00:00:00"));
                prop_assert_eq!(sharding.shard_for_row(&written), Ok(shard), "{}", rule);
                // All columns lead to the shard, and some of them to no other than those it is among.
                prop_assert_eq!(found(sharding, &plain, &[true; 3]).single(), Some(shard), "{}", rule);
                prop_assert!(found(sharding, &plain, &known).contains(shard), "{}", rule);
                // A table of other types lies beside it.
                let other = super::sharding(&SEVERAL, &format!("{rule}_other"));
                prop_assert!(sharding.co_located(other) || rule == "triple");
                prop_assert_eq!(other.shard_for_row(&plain), Ok(shard), "{}", rule);
            }
        }

        #[test]
        fn a_range_of_one_column_reaches_its_members(a: i64, b in -500_i64..500, length in 0_i64..300, member in 0_i64..300) {
            for (rule, _) in RULES {
                let sharding = sharding(&SEVERAL, rule);
                let inside = Value::Int(b + member.min(length));
                let shard = sharding.shard_for_row(&row(sharding, Value::Int(a), inside, "2024-02-29")).expect("a shard");
                let (low, high) = (Value::Int(b), Value::Int(b + length));
                let shards = sharding.shards_where_between(1, Bound::Included(&low), Bound::Included(&high));
                prop_assert!(shards.contains(shard), "{}", rule);
                let (low, high) = (text("2024-02-01"), text("2024-03-01"));
                if sharding.columns.len() == 3 {
                    let shards = sharding.shards_where_between(2, Bound::Included(&low), Bound::Excluded(&high));
                    prop_assert!(shards.contains(shard) && shards.len() == 6, "{}", rule);
                }
            }
        }
    }

    #[test]
    fn each_column_leaves_out_what_it_can() {
        let count = |table: &str, column: usize, value: &Value| {
            sharding(&SEVERAL, table).shards_where_equal(column, value).len()
        };
        // Six nodes in two groups of three: the first column chooses a group, the second a place in each.
        assert_eq!(count("grid", 0, &Value::Int(7)), 3);
        assert_eq!(count("grid", 1, &Value::Int(7)), 2);
        assert_eq!(count("numbered", 0, &Value::Int(7)), 5);
        assert_eq!(count("numbered", 1, &Value::Int(7)), 6);
        assert_eq!(count("pair", 0, &Value::Int(7)), 6);
        assert_eq!(count("pair", 0, &Value::Null), 0);
        assert_eq!(count("triple", 2, &text("2024-02-29")), 6);
    }

    #[test]
    fn a_changed_column_moves_a_row_within_its_level() {
        let sharding = sharding(&SEVERAL, "grid");
        let shard =
            |a: i64, b: i64| sharding.shard_for_row(&[Value::Int(a), Value::Int(b)]).expect("a shard");
        for (a, b, new) in [(1, 2, 3), (5, 7, 100), (-3, 8, 0)] {
            let first = sharding.shard_of_level(false, &[Value::Int(new)]).expect("a shard");
            assert_eq!(sharding.rule.moved(shard(a, b), first, false), shard(new, b));
            let second = sharding.shard_of_level(true, &[Value::Int(new)]).expect("a shard");
            assert_eq!(sharding.rule.moved(shard(a, b), second, true), shard(a, new));
        }
    }
}
