use super::*;
use crate::Moment;

fn moment(text: &str) -> Moment {
    Moment::parse_text(text).expect("a date").0
}

fn nodes(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("dn{n}")).collect()
}

fn options(from: &str, to: &str) -> Options {
    Options { from: from.to_owned(), to: Some(to.to_owned()), ..Options::default() }
}

fn window(unit: Unit, options: &Options, count: usize, tables: Option<&str>) -> Box<dyn ShardFunction> {
    let nodes = nodes(count);
    let context = Context { tables, ..Context::of(&nodes) };
    build("u", unit, options, &context).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn wrong(unit: Unit, options: &Options, tables: Option<&str>) -> Vec<String> {
    let nodes = nodes(2);
    let context = Context { tables, ..Context::of(&nodes) };
    let errors = build("u", unit, options, &context).expect_err("wrong options");
    errors.into_iter().map(|error| error.message).collect()
}

fn shard(function: &dyn ShardFunction, text: &str) -> Option<usize> {
    function.shard_of(&Key::Moment(moment(text))).ok()
}

fn range(function: &dyn ShardFunction, low: &str, end: &str) -> Vec<usize> {
    let (low, end) = (Key::Moment(moment(low)), Key::Moment(moment(end)));
    function.shards_of_range(Bound::Included(&low), Bound::Excluded(&end)).iter().collect()
}

#[test]
fn every_unit_counts_and_shows_alike() {
    let periods = [
        (Unit::Hour, "2026-11-20 13", "2026-11-20 13:59:59.9", "2026-11-20 14:00"),
        (Unit::Day, "2024-02-29", "2024-02-29 23:59:59", "2024-03-01"),
        (Unit::Week, "2025-W01", "2025-01-05 23:00:00", "2025-01-06"),
        (Unit::Week, "2020-W53", "2021-01-03", "2021-01-04"),
        (Unit::Month, "2026-12", "2026-12-31 23:59:59", "2027-01-01"),
        (Unit::Year, "2026", "2026-12-31", "2027-01-01"),
    ];
    for (unit, text, within, next) in periods {
        let number = unit.parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(unit.show(number), text);
        assert_eq!(unit.number(&moment(within)), number, "{text}");
        assert_eq!(unit.number(&moment(next)), number + 1, "{text}");
        assert!(unit.begins(&moment(next)) && !unit.begins(&moment(within)), "{text}");
    }
    for (unit, text) in [
        (Unit::Hour, "2026-11-20 24"),
        (Unit::Day, "2026-02-30"),
        (Unit::Week, "2026-W54"),
        (Unit::Month, "2026-13"),
        (Unit::Year, "0000"),
        (Unit::Month, "2026-1"),
        (Unit::Day, "20260101"),
    ] {
        assert_eq!(unit.parse(text), None, "{text}");
    }
}

#[test]
fn hours_have_tables_of_their_own() {
    let function =
        window(Unit::Hour, &options("2026-11-20 00", "2026-11-21 23"), 3, Some("{table}_{yyyymmdd}_{hh}"));
    let at = shard(&*function, "2026-11-20 13:30").expect("a shard");
    let place = function.place(at);
    assert_eq!((at, place.node), (13, 1));
    let name = place.piece.map(|piece| piece.name("{table}_{yyyymmdd}_{hh}", "orders"));
    assert_eq!(name.as_deref(), Some("orders_20261120_13"));
    assert_eq!(shard(&*function, "2026-11-22 00:00"), None);
    assert_eq!(range(&*function, "2026-11-20 22:30", "2026-11-21 01:00"), [22, 23, 24]);
    assert_eq!(range(&*function, "2026-11-01", "2026-11-20"), [0_usize; 0]);
}

#[test]
fn spans_of_days_count_from_the_first() {
    let base = moment("2026-01-01").day_number();
    let unit = Unit::Days { every: 10, base };
    let function = window(unit, &options("2026-01-01", "2026-01-31"), 4, None);
    let shards: Vec<_> = ["2026-01-01", "2026-01-10", "2026-01-11", "2026-01-31", "2026-02-09", "2026-02-10"]
        .map(|day| shard(&*function, day))
        .to_vec();
    assert_eq!(shards, [Some(0), Some(0), Some(1), Some(3), Some(3), None]);
    assert_eq!(function.describe(), "2026-01-01 to 2026-02-09, 4 nodes, a table per node");
}

#[test]
fn outside_the_window() {
    let cycle =
        Options { before: Some(Before::Cycle), after: Some(After::Cycle), ..options("2026-01", "2026-03") };
    let function = window(Unit::Month, &cycle, 3, None);
    let shards = ["2025-11-01", "2025-12-01", "2026-01-01", "2026-03-31", "2026-04-01", "2027-02-01"];
    assert_eq!(shards.map(|day| shard(&*function, day).expect("a shard")), [1, 2, 0, 2, 0, 1]);
    assert_eq!(range(&*function, "2026-03-10", "2026-05-01"), [0, 2]);
    assert_eq!(range(&*function, "2025-12-10", "2026-01-10"), [0, 2]);
    assert_eq!(range(&*function, "2030-01-10", "2030-01-20"), [0]);
    assert_eq!(range(&*function, "2020-01-10", "2030-01-20"), [0, 1, 2]);
    let first = Options { before: Some(Before::First), ..options("2026-01", "2026-03") };
    let function = window(Unit::Month, &first, 3, None);
    assert_eq!((shard(&*function, "1999-01-01"), shard(&*function, "2026-04-01")), (Some(0), None));
    assert_eq!(range(&*function, "1999-01-01", "1999-02-01"), [0]);
    assert_eq!(range(&*function, "2026-02-01", "2026-04-01"), [1, 2]);
}

#[test]
fn periods_lie_where_the_config_says() {
    let map = [("dn1", "2026-01 to 2026-02"), ("dn0", "2026-03, 2026-04")];
    let map: IndexMap<String, String> = map.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let listed = Options { periods: Some(map.clone()), ..options("2026-01", "2026-04") };
    let function = window(Unit::Month, &listed, 2, Some("{table}_{yyyymm}"));
    assert_eq!([0, 1, 2, 3].map(|shard| function.place(shard).node), [1, 1, 0, 0]);
    let function = window(Unit::Month, &listed, 2, None);
    assert_eq!(range(&*function, "2026-01-05", "2026-03-01"), [1]);
    let gap = Options { periods: Some(map.clone()), ..options("2026-01", "2026-05") };
    assert_eq!(wrong(Unit::Month, &gap, None), ["2026-05 belongs to no node"]);
    let outside = Options { periods: Some(map), ..options("2026-01", "2026-03") };
    assert_eq!(wrong(Unit::Month, &outside, None), ["`2026-04` is outside the window"]);
    let map = [("dn1", "2026-01 to 2026-02"), ("dn0", "2026-02"), ("dn9", "2026-01"), ("dn0 ", "soon")];
    let map: IndexMap<String, String> = map.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let twice = Options { periods: Some(map), ..options("2026-01", "2026-02") };
    assert_eq!(
        wrong(Unit::Month, &twice, None),
        [
            "2026-02 belongs to two nodes",
            "`periods` names the node `dn9`, which is not among the rule's nodes",
            "`periods` names the node `dn0 `, which is not among the rule's nodes",
        ]
    );
}

#[test]
fn windows_and_patterns_that_are_wrong() {
    assert_eq!(
        wrong(Unit::Hour, &options("2000-01-01 00", "2026-01-01 00"), None),
        ["the window has 227929 periods"]
    );
    let days = options("2026-01-01", "2026-03-01");
    assert_eq!(
        wrong(Unit::Day, &days, Some("{table}_{yyyymm}")),
        ["the pattern `{table}_{yyyymm}` does not name each day's table differently"]
    );
    assert_eq!(
        wrong(Unit::Day, &days, Some("{table}_{day}")),
        ["`{day}` in the pattern `{table}_{day}` stands for nothing"]
    );
    // A cycle of one month of days: their number alone is enough.
    let _ = window(Unit::Day, &options("2026-01-01", "2026-01-31"), 2, Some("{table}_{dd}"));
}
