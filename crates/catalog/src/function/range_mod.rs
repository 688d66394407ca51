//! `range_mod`: ranges of numbers, each over a group of nodes, as Mycat's PartitionByRangeMod. A new range brings new
//! nodes and moves no row.

use std::ops::{Bound, Range};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::range::numbers;
use super::spans::bounds;
use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex, ShardSet};

/// Options of `range_mod`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// Ranges of numbers, both ends included, each with how many of the nodes are its own, in the order of `nodes`:
    /// `{ "0-9999999" = 4, "10000000 to max" = 6 }`.
    pub groups: IndexMap<String, u32>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let mut errors = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut next = 0;
    for (text, &size) in &options.groups {
        if size == 0 {
            errors.push(error(format!("the range `{text}` has no nodes"), "give it at least one"));
        }
        match bounds(text, None) {
            Ok((low, high)) => {
                if let Some(other) = groups.iter().find(|other| low <= other.high && other.low <= high) {
                    let message = format!("the ranges `{text}` and `{}` overlap", other.text);
                    errors.push(error(message, "give each number to one range"));
                }
                let nodes = next..next + size as usize;
                groups.push(Group { low, high, nodes, text: text.clone() });
            }
            Err(message) => errors.push(error(message, "write `0-9999999` or `10000000 to max`")),
        }
        next += size as usize;
    }
    if context.default.is_none() {
        errors.extend(gaps(&groups));
    }
    if next != context.nodes.len() {
        let message = format!("the groups have {next} nodes, but the rule has {}", context.nodes.len());
        let fix = "let the sizes of the groups add up to the number of nodes";
        errors.push(OptionError { about_nodes: true, ..error(message, fix) });
    }
    if errors.is_empty() {
        Ok(Box::new(RangeMod { groups, shards: context.nodes.len() }))
    } else {
        Err(errors)
    }
}

fn gaps(groups: &[Group]) -> Vec<OptionError> {
    let mut ends: Vec<(i128, i128)> = groups.iter().map(|group| (group.low, group.high)).collect();
    ends.sort_unstable();
    let gap = |pair: &[(i128, i128)]| {
        let (low, high) = (pair[0].1.saturating_add(1), pair[1].0.saturating_sub(1));
        let fix = "give them to a range, or name a `default` in the rule";
        (low <= high).then(|| error(format!("the numbers {low} to {high} belong to no range"), fix))
    };
    ends.windows(2).filter_map(gap).collect()
}

fn error(message: impl Into<String>, fix: impl Into<String>) -> OptionError {
    OptionError::new("groups", message, fix)
}

#[derive(Debug)]
struct Group {
    low: i128,
    /// Included.
    high: i128,
    nodes: Range<usize>,
    text: String,
}

#[derive(Debug)]
struct RangeMod {
    groups: Vec<Group>,
    shards: usize,
}

impl ShardFunction for RangeMod {
    fn name(&self) -> &'static str {
        "range_mod"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("range_mod", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let number = reading::number(key)?;
        let group = self.groups.iter().find(|group| (group.low..=group.high).contains(&number));
        let group = group.ok_or_else(|| "no range of the rule holds it".to_owned())?;
        let inner = number.unsigned_abs() % group.nodes.len() as u128;
        Ok(group.nodes.start + usize::try_from(inner).expect("a remainder is below the group's size"))
    }

    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        let Some((low, high)) = numbers(low, high) else { return ShardSet::all(self.shards) };
        let met = self.groups.iter().filter(|group| low <= group.high && group.low <= high);
        met.flat_map(|group| group.nodes.clone()).collect()
    }

    fn describe(&self) -> String {
        let groups: Vec<String> =
            self.groups.iter().map(|group| format!("{} over {}", group.text, group.nodes.len())).collect();
        groups.join(", ")
    }
}
