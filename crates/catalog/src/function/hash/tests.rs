use std::str::FromStr;

use bigdecimal::BigDecimal;

use super::*;

fn number(text: &str) -> Key {
    Key::number(&BigDecimal::from_str(text).expect("a number"))
}

fn text(text: &str) -> Key {
    Key::Bytes(text.as_bytes().into())
}

fn built(slots: &str, nodes: usize) -> Result<Box<dyn ShardFunction>, Vec<String>> {
    let options: Options = serde_json::from_str(slots).expect("options");
    let nodes: Vec<String> = (0..nodes).map(|n| format!("dn{n}")).collect();
    build(&options, &Context::of(&nodes))
        .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
}

/// Computed with an independent XXH64 in another language. These rows must never change.
#[test]
fn golden() {
    let golden = [
        (number("0"), 7099),
        (number("1"), 6549),
        (number("7"), 9301),
        (number("42"), 851),
        (number("1000000"), 14878),
        (number("-1"), 1737),
        (number("9223372036854775807"), 14092),
        (number("18446744073709551615"), 1737),
        (number("-9223372036854775808"), 1248),
        (number("0.5"), 6947),
        (number("18446744073709551616"), 1435),
        (text("abc"), 2457),
        (text(""), 10649),
        (text("Zürich"), 633),
        (text("ann@example.org"), 14254),
        (text("2026-11-20 10:11:12.000000"), 4612),
        (text("a text of more than 32 bytes, so the long path runs"), 12928),
    ];
    for (key, slot) in golden {
        assert_eq!(slot_of(&key), slot, "{key:?}");
    }
}

#[test]
fn slots_are_dealt_equally() {
    let owners = equal_ranges(3);
    assert_eq!((owners[0], owners[5461], owners[5462], owners[16383]), (0, 0, 1, 2));
    assert!(owners.is_sorted());
    assert_eq!(equal_ranges(4)[4095..=4096], [0, 1]);
}

#[test]
fn a_slot_map_places_slots() {
    let map = r#"{"slots": {"dn1": "0-8191, 16383", "dn0": "8192-16382"}}"#;
    let function = built(map, 2).expect("a right map");
    assert_eq!(function.shard_of(&number("42")), Ok(1));
    assert_eq!(function.shard_of(&number("7")), Ok(0));
}

#[test]
fn gaps_and_overlaps_are_all_named() {
    let wrong = |map: &str| built(map, 2).expect_err("a wrong map");
    assert_eq!(
        wrong(r#"{"slots": {"dn0": "0-8190", "dn1": "8192-16382"}}"#),
        ["slots 8191 to 8191 belong to no node", "slots 16383 to 16383 belong to no node"]
    );
    assert_eq!(
        wrong(r#"{"slots": {"dn0": "0-8192", "dn1": "8192-16383, 99999, x", "dn7": "0"}}"#),
        [
            "slot 8192 belongs to both `dn0` and `dn1`",
            "`99999` is not a range of slots",
            "`x` is not a range of slots",
            "`slots` names the node `dn7`, which is not among the rule's nodes",
        ]
    );
}
