//! Functions with mapping files.

use super::super::mapping::{Line, disjoint, pairs, ranges as lines};
use super::Use;
use crate::draft::{Rule, inline, quoted, ranges};

/// The ranges of each node, as the option `ranges` has them.
fn spans(of: &Use<'_>, lines: &[Line]) -> Result<String, String> {
    let span = |line: &Line| {
        let text = if line.low < 0 {
            format!("{} to {}", line.low, line.high)
        } else {
            format!("{}-{}", line.low, line.high)
        };
        Ok((of.node(line.value)?.clone(), text))
    };
    Ok(ranges(lines.iter().map(span).collect::<Result<Vec<_>, String>>()?))
}

fn mapped(of: &Use<'_>, suffixes: bool) -> Result<Vec<Line>, String> {
    let file = of.function.needed("mapFile")?;
    lines(&of.file(file)?, suffixes).map_err(|error| format!("{file}: {error}"))
}

/// A note where lines overlapped.
fn note_overlaps(rule: Rule, lines: &[Line], kept: &[Line]) -> Rule {
    let size = |lines: &[Line]| {
        lines.iter().map(|line| i128::from(line.high) - i128::from(line.low) + 1).sum::<i128>()
    };
    if size(lines) == size(kept) {
        return rule;
    }
    rule.note("Lines of the mapping file overlap; as in Mycat, the first line has what several hold.")
}

pub(super) fn range(of: &Use<'_>) -> Result<Rule, String> {
    let lines = mapped(of, true)?;
    let kept = disjoint(&lines);
    let rule = Rule::new("range", of.nodes).with("ranges", spans(of, &kept)?);
    let rule = note_overlaps(rule, &lines, &kept);
    of.with_default(
        rule.note("In Mycat's file K is 1,000 and M is 10,000; here numbers are written out."),
        "defaultNode",
        -1,
    )
}

pub(super) fn range_mod(of: &Use<'_>) -> Result<Rule, String> {
    let lines = mapped(of, true)?;
    let total: u64 = lines.iter().map(|line| u64::from(line.value)).sum();
    let nodes = of.nodes_of(usize::try_from(total).unwrap_or(usize::MAX))?;
    let groups: Vec<(String, String)> =
        lines.iter().map(|line| (format!("{} to {}", line.low, line.high), line.value.to_string())).collect();
    of.with_default(Rule::new("range_mod", nodes).with("groups", inline(&groups)), "defaultNode", -1)
}

pub(super) fn pattern(of: &Use<'_>) -> Result<Rule, String> {
    let lines = mapped(of, false)?;
    let modulus: u32 = of.function.number("patternValue", Some(1024))?;
    let kept = within(disjoint(&lines), modulus);
    let rule = Rule::new("pattern", of.nodes).with("modulus", modulus).with("ranges", spans(of, &kept)?);
    of.with_default(note_overlaps(rule, &lines, &kept), "defaultNode", 0)
}

pub(super) fn prefix_pattern(of: &Use<'_>) -> Result<Rule, String> {
    let lines = mapped(of, true)?;
    let modulus: u32 = of.function.number("patternValue", Some(1024))?;
    let kept = within(disjoint(&lines), modulus);
    Ok(Rule::new("prefix_pattern", of.nodes)
        .with("length", of.function.number::<u32>("prefixLength", None)?)
        .with("modulus", modulus)
        .with("ranges", spans(of, &kept)?))
}

/// Remainders end before the modulus; what a file says of larger ones never counts.
fn within(lines: Vec<Line>, modulus: u32) -> Vec<Line> {
    let most = i64::from(modulus) - 1;
    let cut = lines.into_iter().map(|line| Line { low: line.low.max(0), high: line.high.min(most), ..line });
    cut.filter(|line| line.low <= line.high).collect()
}

pub(super) fn list(of: &Use<'_>) -> Result<Rule, String> {
    let file = of.function.needed("mapFile")?;
    let numbers = of.function.number::<i64>("type", Some(0))? == 0;
    let text = of.file(file)?;
    // A later line replaces an earlier one of the same key.
    let mut homes: indexmap::IndexMap<String, u32> = indexmap::IndexMap::new();
    for (key, node) in pairs(&text) {
        let key = match (numbers, key.parse::<i32>()) {
            (true, Ok(number)) => number.to_string(),
            (true, Err(_)) => {
                return Err(format!("{file}: the key `{key}` is not a number, but `type` is 0"));
            }
            (false, _) => key.to_owned(),
        };
        let node = node.parse().map_err(|_| format!("{file}: `{node}` is not a node's number"))?;
        homes.insert(key, node);
    }
    let default = homes.shift_remove("DEFAULT_NODE");
    let mut listed: indexmap::IndexMap<String, Vec<String>> = indexmap::IndexMap::new();
    for (key, node) in homes {
        let value = if numbers { key } else { quoted(&key) };
        listed.entry(of.node(node)?.clone()).or_default().push(value);
    }
    let values: Vec<(String, String)> =
        listed.into_iter().map(|(node, values)| (node, format!("[{}]", values.join(", ")))).collect();
    let rule = Rule::new("list", of.nodes).with("values", inline(&values));
    match default {
        Some(index) if of.function.get("defaultNode").is_none() => {
            Ok(rule.with_text("default", of.node(index)?))
        }
        _ => of.with_default(rule, "defaultNode", -1),
    }
}
