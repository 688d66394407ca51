//! `pattern`: ranges of the number's remainder, as Mycat's PartitionByPattern.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::spans::{Demands, Spans};
use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `pattern`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// What the number is divided by. Default 1024.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub modulus: Option<u32>,
    /// The remainders of each node, both ends included, for example `{ dn0 = "0-511", dn1 = "512-1023" }`.
    pub ranges: IndexMap<String, String>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let modulus = options.modulus.unwrap_or(1024);
    let spans = remainders(modulus, &options.ranges, context)?;
    let described = format!("modulus {modulus}, {}", spans.describe(context.nodes));
    Ok(Box::new(Pattern { modulus, spans, shards: context.nodes.len(), described }))
}

/// The shards of the remainders, each of which needs one unless the rule has a default.
pub(super) fn remainders(
    modulus: u32,
    ranges: &IndexMap<String, String>,
    context: &Context<'_>,
) -> Result<Spans, Vec<OptionError>> {
    if modulus == 0 {
        return Err(vec![OptionError::new(
            "modulus",
            "`modulus` is 0",
            "write a number from 1; 1024 is the default",
        )]);
    }
    let whole = Some((0, i128::from(modulus) - 1));
    let gaps = context.default.is_some();
    Spans::read(ranges, Demands { key: "ranges", names: context.nodes, whole, gaps })
}

/// The shard of a remainder.
pub(super) fn shard_of_remainder(spans: &Spans, remainder: i128) -> Result<ShardIndex, String> {
    spans.find(remainder).ok_or_else(|| format!("its remainder {remainder} belongs to no node"))
}

#[derive(Debug)]
struct Pattern {
    modulus: u32,
    spans: Spans,
    shards: usize,
    described: String,
}

impl ShardFunction for Pattern {
    fn name(&self) -> &'static str {
        "pattern"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("pattern", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let text = reading::text(key)?;
        // A sign is no digit: in Mycat -5 goes to the default node.
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err("it has characters other than digits".to_owned());
        }
        let remainder = reading::long(key)? % i64::from(self.modulus);
        shard_of_remainder(&self.spans, remainder.into())
    }

    fn describe(&self) -> String {
        self.described.clone()
    }
}
