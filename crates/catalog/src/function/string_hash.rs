//! `string_hash`: a hash of a slice of the text, in segments of 1,024, as Mycat's PartitionByString.

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::segments::Segments;
use super::{Context, OptionError, ShardFunction, accepts_spelt, java, reading};
use crate::{Key, ShardIndex};

/// Options of `string_hash`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// How many nodes have segments of each of the `lengths`, for example `[2, 1]`.
    pub counts: Vec<u32>,
    /// The lengths of the segments, for example `[256, 512]`; together with `counts` they make 1,024.
    pub lengths: Vec<u32>,
    /// Which UTF-16 units are hashed: `"0:8"` (the default), `":"` all, `"-4:"` the last four, `":-1"` all but the last.
    #[serde(default)]
    pub slice: Option<String>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let text = options.slice.as_deref().unwrap_or("0:8");
    let slice = Slice::parse(text).ok_or_else(|| {
        let message = format!("`{text}` is not a slice");
        vec![OptionError::new(
            "slice",
            message,
            "write its start and its end, for example \"0:8\" or \"-4:\"",
        )]
    });
    let segments = Segments::new(&options.counts, &options.lengths, context.nodes.len());
    match (slice, segments) {
        (Ok(slice), Ok(segments)) => Ok(Box::new(StringHash { segments, slice })),
        (slice, segments) => Err(slice.err().into_iter().chain(segments.err()).flatten().collect()),
    }
}

/// A start and an end; what is not positive (the start: what is negative) counts from the text's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    start: i32,
    end: i32,
}

impl Slice {
    /// `"8"` is (0, 8), `"-8"` is (-8, 0), an absent number is 0.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| match text.trim() {
            "" => Some(0),
            digits => digits.parse().ok(),
        };
        match text.split_once(':') {
            Some((start, end)) => Some(Self { start: number(start)?, end: number(end)? }),
            None => {
                let number: i32 = text.trim().parse().ok()?;
                Some(Self { start: number.min(0), end: number.max(0) })
            }
        }
    }

    fn of(self, units: &[u16]) -> &[u16] {
        let length = i64::try_from(units.len()).unwrap_or(i64::MAX);
        let at = |position: i64| usize::try_from(position.clamp(0, length)).unwrap_or(0);
        let start = i64::from(self.start) + if self.start >= 0 { 0 } else { length };
        let end = i64::from(self.end) + if self.end > 0 { 0 } else { length };
        units.get(at(start)..at(end)).unwrap_or(&[])
    }
}

#[derive(Debug)]
struct StringHash {
    segments: Segments,
    slice: Slice,
}

impl ShardFunction for StringHash {
    fn name(&self) -> &'static str {
        "string_hash"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("string_hash", column_type)
    }

    fn shards(&self) -> usize {
        self.segments.nodes()
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let units = reading::units(&reading::text(key)?);
        Ok(self.segments.find(java::hash64(self.slice.of(&units))))
    }

    fn describe(&self) -> String {
        format!("{}, slice {}:{}", self.segments.describe(), self.slice.start, self.slice.end)
    }
}
