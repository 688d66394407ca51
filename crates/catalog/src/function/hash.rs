//! `hash`: XXH64 of the key's canonical bytes to one of 16,384 slots, and the slots to nodes.
//!
//! The arithmetic is fixed for ever: rows lie where it puts them. `docs/shard-functions.md` tells it for other
//! programs to repeat.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;
use xxhash_rust::xxh64::xxh64;

use super::{Context, OptionError, ShardFunction, accepts_hashable};
use crate::{Key, ShardIndex};

/// How many slots there are. Never changes: a split moves slots between nodes instead.
pub(crate) const SLOTS: usize = 16_384;

/// Options of `hash`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// Which slots each node holds, for example `{ dn0 = "0-8191", dn1 = "8192-16383" }`. Without it the nodes
    /// take equal consecutive ranges in the order of `nodes`.
    #[serde(default)]
    pub slots: Option<IndexMap<String, String>>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let slots = match &options.slots {
        None => equal_ranges(context.nodes.len()),
        Some(map) => slot_map::read(map, context.nodes)?,
    };
    Ok(Box::new(Hash { slots: slots.into(), shards: context.nodes.len() }))
}

mod slot_map;

/// Slot s of n nodes belongs to node `s * n / 16384`: consecutive ranges that differ by at most one slot.
fn equal_ranges(nodes: usize) -> Vec<u16> {
    (0..SLOTS)
        .map(|slot| u16::try_from(slot * nodes / SLOTS).expect("a rule has fewer than 2^16 nodes"))
        .collect()
}

#[derive(Debug)]
struct Hash {
    slots: Box<[u16]>,
    shards: usize,
}

impl ShardFunction for Hash {
    fn name(&self) -> &'static str {
        "hash"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_hashable("hash", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        Ok(self.slots[slot_of(key)].into())
    }

    fn takes_several_columns(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        let mut counts = vec![0_usize; self.shards];
        for &shard in &self.slots {
            counts[usize::from(shard)] += 1;
        }
        format!("slots per node {counts:?}, map {:016x}", map_checksum(&self.slots))
    }
}

/// The slot of a key: `XXH64(canonical bytes, seed 0) mod 16384`.
fn slot_of(key: &Key) -> usize {
    usize::try_from(xxh64(&key.canonical_bytes(), 0) % SLOTS as u64).expect("a slot is below 16384")
}

/// Two maps differ in this number where the counts alone would not show it.
fn map_checksum(slots: &[u16]) -> u64 {
    let bytes: Vec<u8> = slots.iter().flat_map(|shard| shard.to_le_bytes()).collect();
    xxh64(&bytes, 0)
}

#[cfg(test)]
mod tests;
