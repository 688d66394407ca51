use super::super::{Unit, build};
use super::*;
use crate::{Key, ShardFunction};

fn clock(text: &str, trusted: bool) -> Clock {
    let now = Moment::parse_text(text).expect("a time").0;
    Clock { earliest: now, latest: now, trusted }
}

fn options(ahead: u32, retain: Option<u32>, expired: Expired) -> Options {
    Options {
        from: "2026-01".to_owned(),
        ahead: Some(ahead),
        retain,
        expired: Some(expired),
        ..Options::default()
    }
}

fn months(options: &Options) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let nodes = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
    build("month", Unit::Month, options, &Context { tables: Some("{table}_{yyyymm}"), ..Context::of(&nodes) })
}

fn names(function: &dyn ShardFunction) -> Vec<String> {
    let piece = |shard| function.place(shard).piece.expect("a table").name("{yyyymm}", "t");
    (0..function.shards()).map(piece).collect()
}

fn shard(function: &dyn ShardFunction, text: &str) -> Option<usize> {
    function.shard_of(&Key::Moment(Moment::parse_text(text).expect("a date").0)).ok()
}

#[test]
fn the_window_goes_on_and_never_back() {
    let window = months(&options(2, None, Expired::Keep)).expect("right options");
    let may = window.rolled(&clock("2026-05-10 00:00:00", true)).expect("it has gone on");
    // Two ahead, and one more that is read but takes no rows yet.
    assert_eq!(names(&*may).last().map(String::as_str), Some("202608"));
    assert_eq!(names(&*may).first().map(String::as_str), Some("202601"));
    assert!(may.closed(shard(&*may, "2026-07-31").expect("a shard")).is_none());
    let reason = may.closed(shard(&*may, "2026-08-01").expect("a shard")).expect("no rows yet");
    assert!(reason.contains("2026-01 to 2026-07"), "{reason}");
    assert_eq!(shard(&*may, "2026-09-01"), None);
    assert!(may.rolled(&clock("2026-05-20 00:00:00", true)).is_none());
    assert!(may.rolled(&clock("2025-01-01 00:00:00", true)).is_none());
    // Somewhere on Earth it is June.
    assert!(may.rolled(&clock("2026-05-31 12:00:00", true)).is_some());
}

#[test]
fn what_has_expired_is_out_of_reach_before_it_is_dropped() {
    let window = months(&options(1, Some(2), Expired::Drop)).expect("right options");
    let early = window.rolled(&clock("2026-02-15 00:00:00", true)).expect("it has gone on");
    assert_eq!(early.rolling().expect("rolling").passed, []);
    let august = early.rolled(&clock("2026-08-15 00:00:00", true)).expect("it has gone on");
    // Retained: June and July. May is still read, since another proxy's clock may be behind.
    assert_eq!(names(&*august), ["202605", "202606", "202607", "202608", "202609", "202610"]);
    assert!(august.closed(0).is_some() && august.closed(1).is_none() && august.closed(5).is_some());
    let passed = august.rolling().expect("rolling").passed;
    let passed: Vec<String> =
        passed.iter().map(|place| place.piece.expect("a table").name("{yyyymm}", "t")).collect();
    assert_eq!(passed, ["202601", "202602", "202603"]);
    // Periods keep their nodes.
    for function in [&early, &august] {
        let may = shard(&**function, "2026-05-05").or(Some(0)).expect("a shard");
        let expected = if names(&**function)[may] == "202605" { 1 } else { 0 };
        assert_eq!(function.place(may).node, expected);
    }
}

#[test]
fn nothing_expires_by_a_clock_that_is_not_trusted() {
    let window = months(&options(1, Some(2), Expired::Drop)).expect("right options");
    let jumped = window.rolled(&clock("2036-08-15 00:00:00", false)).expect("it has gone on");
    assert_eq!(names(&*jumped).first().map(String::as_str), Some("202601"));
    assert_eq!(jumped.rolling().expect("rolling").passed, []);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let said = |options: &Options| -> Vec<String> {
        months(options).expect_err("wrong options").into_iter().map(|error| error.message).collect()
    };
    let both = Options { to: Some("2026-12".to_owned()), ..options(1, None, Expired::Keep) };
    assert_eq!(said(&both), ["the window ends with `to` and goes on with `ahead`"]);
    let retains_what = options(1, None, Expired::Drop);
    assert_eq!(said(&retains_what), ["how many periods are retained is not said"]);
    let nothing = Options { from: "2026-01".to_owned(), ..Options::default() };
    assert_eq!(said(&nothing), ["where the window ends is not said"]);
    let idle = Options { to: Some("2026-12".to_owned()), retain: Some(3), ..nothing };
    assert_eq!(said(&idle), ["a window that does not go on with the clock keeps all of its periods"]);
}
