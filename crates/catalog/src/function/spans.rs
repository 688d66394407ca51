//! The options that give each shard ranges of numbers: `{ dn0 = "0-4999, 10000-14999", dn1 = "5000-9999" }`.

use indexmap::IndexMap;

use super::OptionError;
use crate::{ShardIndex, ShardSet};

/// Disjoint ranges of numbers, each with its shard, in ascending order.
#[derive(Debug)]
pub(super) struct Spans(Vec<Span>);

#[derive(Debug, Clone, Copy)]
struct Span {
    low: i128,
    /// Included.
    high: i128,
    shard: usize,
}

/// What the ranges must be besides disjoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demands<'a> {
    /// The option's key.
    pub key: &'static str,
    /// The shards that may be named.
    pub names: &'a [String],
    /// The smallest and the largest number, where all numbers between need a shard.
    pub whole: Option<(i128, i128)>,
    /// Numbers between ranges may be without a shard, because something else takes them.
    pub gaps: bool,
}

impl Spans {
    /// Reads the option; everything that is wrong is reported.
    pub(super) fn read(
        map: &IndexMap<String, String>,
        demands: Demands<'_>,
    ) -> Result<Self, Vec<OptionError>> {
        let mut errors = Vec::new();
        let mut spans = Vec::new();
        for (name, ranges) in map {
            let Some(shard) = demands.names.iter().position(|known| known == name) else {
                errors.push(error(
                    demands.key,
                    format!("`{}` names the node `{name}`, which is not among the rule's nodes", demands.key),
                    format!("use the rule's nodes: {}", demands.names.join(", ")),
                ));
                continue;
            };
            for range in ranges.split(',') {
                match bounds(range, demands.whole) {
                    Ok((low, high)) => spans.push(Span { low, high, shard }),
                    Err(message) => errors.push(error(demands.key, message, EXAMPLE)),
                }
            }
        }
        if spans.is_empty() && errors.is_empty() {
            errors.push(error(demands.key, format!("`{}` has no ranges", demands.key), EXAMPLE));
        }
        spans.sort_by_key(|span| (span.low, span.high));
        errors.extend(disorder(&spans, demands));
        if errors.is_empty() { Ok(Self(spans)) } else { Err(errors) }
    }

    /// The shard of a number.
    pub(super) fn find(&self, number: i128) -> Option<ShardIndex> {
        let after = self.0.partition_point(|span| span.low <= number);
        let span = self.0.get(after.checked_sub(1)?)?;
        (number <= span.high).then_some(span.shard)
    }

    /// The shards of all numbers between the two, both included.
    pub(super) fn between(&self, low: i128, high: i128) -> ShardSet {
        let first = self.0.partition_point(|span| span.high < low);
        self.0[first..].iter().take_while(|span| span.low <= high).map(|span| span.shard).collect()
    }

    /// In one line, for `show` and the diff of a reload.
    pub(super) fn describe(&self, names: &[String]) -> String {
        let end = |number: i128, open: i128, word: &str| {
            if number == open { word.to_owned() } else { number.to_string() }
        };
        let spans: Vec<String> = self
            .0
            .iter()
            .map(|span| {
                let (low, high) = (end(span.low, i128::MIN, "min"), end(span.high, i128::MAX, "max"));
                format!("{low} to {high} on {}", names[span.shard])
            })
            .collect();
        spans.join(", ")
    }
}

const EXAMPLE: &str = "write `0-4999` or `-10 to -1`, both ends included, or several with commas; `min` and `max` leave \
                       an end open";

/// Both ends of one range, included.
pub(super) fn bounds(text: &str, whole: Option<(i128, i128)>) -> Result<(i128, i128), String> {
    let wrong = || format!("`{}` is not a range of numbers", text.trim());
    let (low, high) = split(text.trim()).ok_or_else(wrong)?;
    let (low, high) = (end(low).ok_or_else(wrong)?, end(high).ok_or_else(wrong)?);
    if low > high {
        return Err(format!("the range `{}` ends before it begins", text.trim()));
    }
    if let Some((least, most)) = whole
        && (low < least || high > most)
    {
        return Err(format!("the range `{}` is not within {least} to {most}", text.trim()));
    }
    Ok((low, high))
}

/// `a to b`, `a-b`, or one number for both; a sign belongs to its number.
fn split(text: &str) -> Option<(&str, &str)> {
    if let Some((low, high)) = text.split_once(" to ") {
        return Some((low.trim(), high.trim()));
    }
    let sign = usize::from(text.starts_with('-'));
    match text.get(sign..)?.find('-') {
        Some(dash) => Some((text[..sign + dash].trim(), text[sign + dash + 1..].trim())),
        None => Some((text, text)),
    }
}

fn end(text: &str) -> Option<i128> {
    match text {
        "min" => Some(i128::MIN),
        "max" => Some(i128::MAX),
        _ if super::reading::is_number(&text.replace('_', "")) && !text.starts_with('_') => {
            let number: i128 = text.replace('_', "").parse().ok()?;
            // Beyond what any column of whole numbers holds it is a slip of the hand.
            (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number).then_some(number)
        }
        _ => None,
    }
}

/// Overlaps, and gaps where they matter.
fn disorder(spans: &[Span], demands: Demands<'_>) -> Vec<OptionError> {
    let mut errors = Vec::new();
    let mut gap = |low: i128, high: i128| {
        if !demands.gaps && low <= high {
            errors.push(error(
                demands.key,
                format!("the numbers {low} to {high} belong to no node"),
                "give them to a node, or name a `default` in the rule",
            ));
        }
    };
    let mut reached: Option<i128> = None;
    let mut overlaps = Vec::new();
    for span in spans {
        match (reached, demands.whole) {
            (Some(high), _) if span.low <= high => overlaps.push((span.low, high.min(span.high))),
            (Some(high), _) => gap(high + 1, span.low - 1),
            (None, Some((least, _))) => gap(least, span.low - 1),
            (None, None) => {}
        }
        reached = Some(reached.map_or(span.high, |high| high.max(span.high)));
    }
    match (reached, demands.whole) {
        (Some(high), Some((_, most))) if high < most => gap(high + 1, most),
        _ => {}
    }
    errors.extend(overlaps.into_iter().map(|(low, high)| {
        error(
            demands.key,
            format!("the numbers {low} to {high} belong to two ranges"),
            "give each number to one node",
        )
    }));
    errors
}

fn error(key: &'static str, message: impl Into<String>, fix: impl Into<String>) -> OptionError {
    OptionError { about_nodes: true, ..OptionError::new(key, message, fix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ranges: &[(&str, &str)], whole: Option<(i128, i128)>, gaps: bool) -> Result<Spans, Vec<String>> {
        let map = ranges.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        let names = ["a".to_owned(), "b".to_owned()];
        Spans::read(&map, Demands { key: "ranges", names: &names, whole, gaps })
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn a_number_has_one_shard() {
        let spans = read(&[("a", "min to -1, 1_000-1999"), ("b", "0-999, 2000 to max")], None, false);
        let spans = spans.expect("right ranges");
        let found = [-5, -1, 0, 999, 1000, 1999, 2000, i128::MAX].map(|number| spans.find(number));
        assert_eq!(found.map(|shard| shard.expect("a shard")), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(spans.between(10, 20), ShardSet::one(1));
        assert_eq!(spans.between(10, 1000), ShardSet::all(2));
        assert_eq!(spans.between(3000, i128::MAX), ShardSet::one(1));
    }

    #[test]
    fn gaps_and_overlaps_and_nonsense_are_named() {
        let wrong = |ranges: &[(&str, &str)]| read(ranges, None, false).expect_err("wrong ranges");
        assert_eq!(wrong(&[("a", "0-9"), ("b", "20-29")]), ["the numbers 10 to 19 belong to no node"]);
        assert_eq!(wrong(&[("a", "0-9"), ("b", "9-29")]), ["the numbers 9 to 9 belong to two ranges"]);
        assert_eq!(wrong(&[("a", "9-0")]), ["the range `9-0` ends before it begins"]);
        assert_eq!(wrong(&[("a", "1K"), ("b", "1")]), ["`1K` is not a range of numbers"]);
        assert_eq!(
            wrong(&[("c", "1"), ("b", "1-99999999999999999999")]),
            [
                "`ranges` names the node `c`, which is not among the rule's nodes",
                "`1-99999999999999999999` is not a range of numbers",
            ]
        );
        assert!(read(&[("a", "0-9"), ("b", "20-29")], None, true).is_ok());
        assert_eq!(
            read(&[("a", "1-9"), ("b", "20-31")], Some((0, 31)), false).expect_err("gaps"),
            ["the numbers 0 to 0 belong to no node", "the numbers 10 to 19 belong to no node"]
        );
        assert!(read(&[("a", "0-32")], Some((0, 31)), false).is_err());
    }
}
