//! `crc32_slots`: the CRC32 of the text to one of 102,400 slots, as Mycat's PartitionByCRC32PreSlot.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::spans::{Demands, Spans};
use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `crc32_slots`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// Which of the slots 0 to 102399 each node holds, for example `{ dn0 = "0-51199", dn1 = "51200-102399" }`. Without
    /// it the nodes take equal ranges in the order of `nodes`, and the last what is left over.
    #[serde(default)]
    pub slots: Option<IndexMap<String, String>>,
}

const SLOTS: usize = 102_400;

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let nodes = context.nodes;
    if nodes.len() > SLOTS {
        return Err(vec![OptionError::new("slots", "there are more nodes than slots", "use fewer nodes")]);
    }
    let map = options.slots.clone().unwrap_or_else(|| equal(nodes));
    let whole = Some((0, SLOTS as i128 - 1));
    let spans = Spans::read(&map, Demands { key: "slots", names: nodes, whole, gaps: false })?;
    let described = spans.describe(nodes);
    Ok(Box::new(Crc32Slots { spans, shards: nodes.len(), described }))
}

fn equal(nodes: &[String]) -> IndexMap<String, String> {
    let size = SLOTS / nodes.len();
    let range = |(shard, name): (usize, &String)| {
        let end = if shard + 1 == nodes.len() { SLOTS } else { (shard + 1) * size };
        (name.clone(), format!("{}-{}", shard * size, end - 1))
    };
    nodes.iter().enumerate().map(range).collect()
}

#[derive(Debug)]
struct Crc32Slots {
    spans: Spans,
    shards: usize,
    described: String,
}

impl ShardFunction for Crc32Slots {
    fn name(&self) -> &'static str {
        "crc32_slots"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("crc32_slots", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let slot = crc32fast::hash(reading::text(key)?.as_bytes()) % SLOTS as u32;
        self.spans.find(slot.into()).ok_or_else(|| format!("its slot {slot} belongs to no node"))
    }

    fn describe(&self) -> String {
        format!("slots {}", self.described)
    }
}
