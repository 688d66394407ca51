//! `segments`: the low 10 bits of a number, in segments of 1,024, as Mycat's PartitionByLong.

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `segments`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// How many nodes have segments of each of the `lengths`, for example `[2, 1]`.
    pub counts: Vec<u32>,
    /// The lengths of the segments, for example `[256, 512]`; together with `counts` they make 1,024.
    pub lengths: Vec<u32>,
    /// Whether the number's high 32 bits are first folded into the low ones, as the newest Mycat 1.6 and Mycat2 do;
    /// DBLE, Gaea and older Mycat do not. Default false.
    #[serde(default)]
    pub fold: Option<bool>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let segments = Segments::new(&options.counts, &options.lengths, context.nodes.len())?;
    Ok(Box::new(ByNumber { segments, fold: options.fold.unwrap_or(false) }))
}

/// How many there are for the remainders to share.
const WHOLE: usize = 1024;

/// The shard of each remainder of 1,024.
#[derive(Debug)]
pub(super) struct Segments {
    shards: Box<[u16]>,
    nodes: usize,
    described: String,
}

impl Segments {
    pub(super) fn new(counts: &[u32], lengths: &[u32], nodes: usize) -> Result<Self, Vec<OptionError>> {
        if counts.len() != lengths.len() {
            let message = format!("`counts` has {} numbers, `lengths` {}", counts.len(), lengths.len());
            return Err(vec![OptionError::new("lengths", message, "write one length for each count")]);
        }
        let sum = |numbers: &mut dyn Iterator<Item = u64>| numbers.fold(0_u64, u64::saturating_add);
        let pairs = || counts.iter().zip(lengths);
        let covered = sum(&mut pairs().map(|(&count, &length)| u64::from(count) * u64::from(length)));
        if covered != WHOLE as u64 {
            let message = format!("counts times lengths make {covered}");
            return Err(vec![OptionError::new("lengths", message, "let them make 1024")]);
        }
        let total = sum(&mut counts.iter().map(|&count| u64::from(count)));
        if total != nodes as u64 {
            let message = format!("the counts make {total} nodes, but the rule has {nodes}");
            let wrong = OptionError::new("counts", message, "let them add up to the number of nodes");
            return Err(vec![OptionError { about_nodes: true, ..wrong }]);
        }
        let each = pairs().flat_map(|(&count, &length)| std::iter::repeat_n(length as usize, count as usize));
        let shards = each.enumerate().flat_map(|(shard, length)| {
            std::iter::repeat_n(u16::try_from(shard).expect("a rule has fewer than 2^16 nodes"), length)
        });
        let described = pairs().map(|(count, length)| format!("{count} of {length}")).collect::<Vec<_>>();
        Ok(Self { shards: shards.collect(), nodes, described: described.join(", ") })
    }

    pub(super) fn find(&self, hash: i64) -> ShardIndex {
        let slot = hash.cast_unsigned() % WHOLE as u64;
        self.shards[usize::try_from(slot).expect("a slot is below 1024")].into()
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    pub(super) fn describe(&self) -> &str {
        &self.described
    }
}

#[derive(Debug)]
struct ByNumber {
    segments: Segments,
    fold: bool,
}

impl ShardFunction for ByNumber {
    fn name(&self) -> &'static str {
        "segments"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("segments", column_type)
    }

    fn shards(&self) -> usize {
        self.segments.nodes()
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let number = reading::long(key)?;
        let high = (number.cast_unsigned() >> 32).cast_signed();
        Ok(self.segments.find(if self.fold { high ^ number } else { number }))
    }

    fn describe(&self) -> String {
        let folded = if self.fold { "folded" } else { "not folded" };
        format!("{}, {folded}", self.segments.describe())
    }
}
