//! `range`: ranges of numbers, as Mycat's AutoPartitionByLong and kingshard's range.

use std::ops::Bound;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::spans::{Demands, Spans};
use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex, ShardSet};

/// Options of `range`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// The numbers of each node, both ends included, for example
    /// `{ dn0 = "0-4999999, 20000000 to max", dn1 = "5000000-19999999" }`.
    pub ranges: IndexMap<String, String>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let gaps = context.default.is_some();
    let demands = Demands { key: "ranges", names: context.nodes, whole: None, gaps };
    let spans = Spans::read(&options.ranges, demands)?;
    let described = spans.describe(context.nodes);
    Ok(Box::new(Range { spans, shards: context.nodes.len(), described }))
}

#[derive(Debug)]
struct Range {
    spans: Spans,
    shards: usize,
    described: String,
}

impl ShardFunction for Range {
    fn name(&self) -> &'static str {
        "range"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("range", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let number = reading::number(key)?;
        self.spans.find(number).ok_or_else(|| "no range of the rule holds it".to_owned())
    }

    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        match numbers(low, high) {
            Some((low, high)) => self.spans.between(low, high),
            None => ShardSet::all(self.shards),
        }
    }

    fn describe(&self) -> String {
        self.described.clone()
    }
}

/// The numbers between the bounds, both included; `None` where the bounds are no numbers.
pub(super) fn numbers(low: Bound<&Key>, high: Bound<&Key>) -> Option<(i128, i128)> {
    let low = match low {
        Bound::Unbounded => i128::MIN,
        Bound::Included(Key::Integer(number)) => *number,
        Bound::Excluded(Key::Integer(number)) => number.saturating_add(1),
        _ => return None,
    };
    let high = match high {
        Bound::Unbounded => i128::MAX,
        Bound::Included(Key::Integer(number)) => *number,
        Bound::Excluded(Key::Integer(number)) => number.saturating_sub(1),
        _ => return None,
    };
    Some((low, high))
}
