//! `wang_mod`: Wang's mix of Java's hash of the text, modulo the number of nodes, as Mycat's PartitionByHashMod.

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt, java, reading};
use crate::{Key, ShardIndex};

/// `wang_mod` has no options of its own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {}

pub(crate) fn build(_: &Options, context: &Context<'_>) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    Ok(Box::new(WangMod { shards: context.nodes.len() }))
}

#[derive(Debug)]
struct WangMod {
    shards: usize,
}

impl ShardFunction for WangMod {
    fn name(&self) -> &'static str {
        "wang_mod"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("wang_mod", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        Ok(mix(java::hash32(&reading::text(key)?)).unsigned_abs() as usize % self.shards)
    }

    fn describe(&self) -> String {
        format!("{} shards", self.shards)
    }
}

/// The mix is of 64 bits in origin; in Mycat it is of 32, with shifts that keep the sign.
fn mix(key: i32) -> i32 {
    let mut key = (!key).wrapping_add(key << 21);
    key ^= key >> 24;
    key = key.wrapping_add(key << 3).wrapping_add(key << 8);
    key ^= key >> 14;
    key = key.wrapping_add(key << 2).wrapping_add(key << 4);
    key ^= key >> 28;
    key.wrapping_add(key << 31)
}
