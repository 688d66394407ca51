//! `prefix_pattern`: ranges of the remainder of the sum of the first characters, as Mycat's PartitionByPrefixPattern.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::pattern::{remainders, shard_of_remainder};
use super::spans::Spans;
use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `prefix_pattern`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// How many of the first UTF-16 units are added up.
    pub length: u32,
    /// What the sum is divided by. Default 1024.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub modulus: Option<u32>,
    /// The remainders of each node, both ends included, for example `{ dn0 = "0-15", dn1 = "16-31" }`.
    pub ranges: IndexMap<String, String>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let modulus = options.modulus.unwrap_or(1024);
    let spans = remainders(modulus, &options.ranges, context)?;
    let described = format!("first {}, modulus {modulus}, {}", options.length, spans.describe(context.nodes));
    let length = options.length as usize;
    Ok(Box::new(PrefixPattern { length, modulus, spans, shards: context.nodes.len(), described }))
}

#[derive(Debug)]
struct PrefixPattern {
    length: usize,
    modulus: u32,
    spans: Spans,
    shards: usize,
    described: String,
}

impl ShardFunction for PrefixPattern {
    fn name(&self) -> &'static str {
        "prefix_pattern"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("prefix_pattern", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let text = reading::text(key)?;
        let sum: u64 = text.encode_utf16().take(self.length).map(u64::from).sum();
        let remainder = sum % u64::from(self.modulus);
        shard_of_remainder(&self.spans, remainder.into())
    }

    fn describe(&self) -> String {
        self.described.clone()
    }
}
