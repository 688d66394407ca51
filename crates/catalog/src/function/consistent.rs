//! `consistent`: a hash ring with virtual nodes.
//!
//! The ring is the `hashring` crate's. What its points and keys hash to is fixed here: each hashes exactly the
//! bytes written by `Exactly`, with XXH64 and seed 0, so that neither the standard library's `Hash` of strings nor
//! a new version of the crate can move rows.

use std::fmt;
use std::hash::{Hash, Hasher};

use hashring::HashRing;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;
use xxhash_rust::xxh64::Xxh64Builder;

use super::{Context, OptionError, ShardFunction, accepts_hashable};
use crate::{Key, ShardIndex};

/// Options of `consistent`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// How many points each node has on the ring, 1 to 10000. Default 160.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    pub virtual_nodes: Option<u32>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let points = options.virtual_nodes.unwrap_or(160);
    if !(1..=10_000).contains(&points) {
        return Err(vec![OptionError::new(
            "virtual_nodes",
            format!("`virtual_nodes` is {points}"),
            "write a number from 1 to 10000; 160 is the default",
        )]);
    }
    let mut ring = HashRing::with_hasher(Xxh64Builder::new(0));
    let all = context.nodes.iter().enumerate().flat_map(|(shard, name)| {
        (0..points).map(move |point| Point { shard, bytes: format!("{name}#{point}").into_bytes() })
    });
    ring.batch_add(all.collect());
    Ok(Box::new(Consistent { ring, shards: context.nodes.len(), points }))
}

/// A point on the ring.
#[derive(Clone)]
struct Point {
    shard: ShardIndex,
    bytes: Vec<u8>,
}

impl Hash for Point {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Exactly(&self.bytes).hash(state);
    }
}

/// Hashes exactly its bytes, without the length that the standard library adds.
struct Exactly<'a>(&'a [u8]);

impl Hash for Exactly<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

struct Consistent {
    ring: HashRing<Point, Xxh64Builder>,
    shards: usize,
    points: u32,
}

impl fmt::Debug for Consistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Consistent({} shards of {} points)", self.shards, self.points)
    }
}

impl ShardFunction for Consistent {
    fn name(&self) -> &'static str {
        "consistent"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_hashable("consistent", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        self.ring
            .get(&Exactly(&key.canonical_bytes()))
            .map(|point| point.shard)
            .ok_or_else(|| "the rule has no nodes".to_owned())
    }

    fn takes_several_columns(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!("{} shards, {} points each", self.shards, self.points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(nodes: &[&str]) -> Box<dyn ShardFunction> {
        let nodes: Vec<String> = nodes.iter().map(|&node| node.to_owned()).collect();
        build(&Options::default(), &Context::of(&nodes)).expect("right options")
    }

    /// Computed with an independent ring in another language. These rows must never change.
    #[test]
    fn golden() {
        let function = built(&["dn0", "dn1", "dn2", "dn3"]);
        let golden = [
            (0, 0),
            (1, 2),
            (7, 2),
            (42, 2),
            (1_000_000, 1),
            (-1, 1),
            (i128::from(i64::MAX), 0),
            (i128::from(u64::MAX), 1),
            (i128::from(i64::MIN), 2),
        ];
        for (value, shard) in golden {
            assert_eq!(function.shard_of(&Key::Integer(value)), Ok(shard), "{value}");
        }
        for (text, shard) in [("abc", 2), ("", 1), ("Zürich", 1), ("ann@example.org", 3)] {
            assert_eq!(function.shard_of(&Key::Bytes(text.as_bytes().into())), Ok(shard), "{text}");
        }
    }

    #[test]
    fn a_new_node_takes_from_all_and_moves_nothing_else() {
        let (before, after) = (built(&["a", "b", "c", "d"]), built(&["a", "b", "c", "d", "e"]));
        let (mut moved, keys) = (0, 10_000);
        for value in 0..keys {
            let key = Key::Integer(value);
            let (old, new) = (before.shard_of(&key), after.shard_of(&key));
            if old != new {
                assert_eq!(new, Ok(4), "{value}");
                moved += 1;
            }
        }
        assert!((keys / 10..keys * 3 / 10).contains(&moved), "{moved}");
    }

    #[test]
    fn the_order_of_the_nodes_does_not_matter() {
        let (one, other) = (built(&["a", "b"]), built(&["b", "a"]));
        for value in 0..100 {
            let key = Key::Integer(value);
            assert_eq!(one.shard_of(&key).map(|shard| 1 - shard), other.shard_of(&key));
        }
    }
}
