//! `jump`: jump consistent hash of Java's hash of the text, as Mycat's PartitionByJumpConsistentHash.
//!
//! The algorithm is Lamping and Veach's, <https://arxiv.org/abs/1406.2294>.

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt, java, reading};
use crate::{Key, ShardIndex};

/// `jump` has no options of its own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {}

pub(crate) fn build(_: &Options, context: &Context<'_>) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    Ok(Box::new(Jump { shards: context.nodes.len() }))
}

#[derive(Debug)]
struct Jump {
    shards: usize,
}

impl ShardFunction for Jump {
    fn name(&self) -> &'static str {
        "jump"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("jump", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let hash = i64::from(java::hash32(&reading::text(key)?));
        Ok(jump(hash.cast_unsigned(), self.shards))
    }

    fn describe(&self) -> String {
        format!("{} shards", self.shards)
    }
}

/// The bucket of a key, below `buckets`.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn jump(mut key: u64, buckets: usize) -> usize {
    let (mut bucket, mut next) = (0, 0);
    while next < buckets {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let step = f64::from(1_u32 << 31) / ((key >> 33) + 1) as f64;
        next = ((bucket + 1) as f64 * step) as usize;
    }
    bucket
}
