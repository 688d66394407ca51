//! `murmur`: a hash ring of murmur3 over UTF-16, as Mycat's PartitionByMurmurHash.

mod hash;

use hash::Murmur;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `murmur`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// Whether each point's name goes on from the point before it, as in Mycat 1.6 and Gaea; Mycat2 does not.
    pub cumulative: bool,
    /// How many points a node of weight 1 has on the ring, 1 to 10000. Default 160.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    pub virtual_nodes: Option<u32>,
    /// The weight of each node, in the order of `nodes`. Default 1 each.
    #[serde(default)]
    pub weights: Option<Vec<u32>>,
    /// The seed of the hash. Default 0.
    #[serde(default)]
    pub seed: Option<i32>,
}

/// More points than this are a slip of the hand.
const MOST_POINTS: u64 = 1_000_000;

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let points = options.virtual_nodes.unwrap_or(160);
    let shards = context.nodes.len();
    let weights = options.weights.clone().unwrap_or_else(|| vec![1; shards]);
    let mut errors = Vec::new();
    if !(1..=10_000).contains(&points) {
        let message = format!("`virtual_nodes` is {points}");
        errors.push(OptionError::new(
            "virtual_nodes",
            message,
            "write a number from 1 to 10000; 160 is the default",
        ));
    }
    if weights.len() != shards {
        let message = format!("`weights` has {} numbers, but the rule has {shards} nodes", weights.len());
        let wrong = OptionError::new("weights", message, "write one weight for each node");
        errors.push(OptionError { about_nodes: true, ..wrong });
    }
    let total: u64 = weights.iter().map(|&weight| u64::from(weight) * u64::from(points)).sum();
    if total > MOST_POINTS || weights.contains(&0) {
        let fix = format!("write weights from 1, and no more than {MOST_POINTS} points altogether");
        errors.push(OptionError::new("weights", format!("the weights make {total} points"), fix));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let seed = options.seed.unwrap_or(0);
    let ring = ring(seed, &weights, points, options.cumulative);
    Ok(Box::new(Ring { ring, seed, cumulative: options.cumulative, weights, points }))
}

/// The points in ascending order. Of nodes that share one the last has it.
fn ring(seed: i32, weights: &[u32], points: u32, cumulative: bool) -> Vec<(i32, u32)> {
    let mut ring = std::collections::BTreeMap::new();
    for (shard, &weight) in (0_u32..).zip(weights) {
        let prefix = Murmur::new(seed).with(&format!("SHARD-{shard}"));
        let mut name = prefix;
        for point in 0..points.saturating_mul(weight) {
            let before = if cumulative { name } else { prefix };
            name = before.with(&format!("-NODE-{point}"));
            ring.insert(name.finish(), shard);
        }
    }
    ring.into_iter().collect()
}

#[derive(Debug)]
struct Ring {
    ring: Vec<(i32, u32)>,
    seed: i32,
    cumulative: bool,
    weights: Vec<u32>,
    points: u32,
}

impl ShardFunction for Ring {
    fn name(&self) -> &'static str {
        "murmur"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("murmur", column_type)
    }

    fn shards(&self) -> usize {
        self.weights.len()
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let hash = Murmur::new(self.seed).with(&reading::text(key)?).finish();
        let above = self.ring.partition_point(|&(point, _)| point < hash);
        // Past the last point the ring begins again.
        let (_, shard) = self.ring.get(above).or(self.ring.first()).ok_or("the rule has no nodes")?;
        Ok(*shard as usize)
    }

    fn describe(&self) -> String {
        let names = if self.cumulative { "cumulative" } else { "plain" };
        format!("weights {:?} of {} points, {names} names, seed {}", self.weights, self.points, self.seed)
    }
}
