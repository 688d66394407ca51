//! `substring`: the shard's number stands in the value, as Mycat's PartitionDirectBySubString.

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `substring`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// Where the number begins, counted from 0 in UTF-16 units.
    pub start: u32,
    /// How many digits it has.
    #[schemars(range(min = 1, max = 9))]
    pub size: u32,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    if !(1..=9).contains(&options.size) {
        let message = format!("`size` is {}", options.size);
        return Err(vec![OptionError::new("size", message, "write a number from 1 to 9")]);
    }
    let (start, size) = (options.start as usize, options.size as usize);
    Ok(Box::new(Substring { start, size, shards: context.nodes.len() }))
}

#[derive(Debug)]
struct Substring {
    start: usize,
    size: usize,
    shards: usize,
}

impl ShardFunction for Substring {
    fn name(&self) -> &'static str {
        "substring"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("substring", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let units = reading::units(&reading::text(key)?);
        let part = self.start.checked_add(self.size).and_then(|end| units.get(self.start..end));
        let digits = part.and_then(|part| String::from_utf16(part).ok());
        let number =
            digits.filter(|digits| reading::is_number(digits)).and_then(|digits| digits.parse().ok());
        let number: i64 = number.ok_or_else(|| "it has no number in that place".to_owned())?;
        let shard = usize::try_from(number).ok().filter(|&shard| shard < self.shards);
        shard.ok_or_else(|| format!("there is no shard {number}: the rule has {}", self.shards))
    }

    fn describe(&self) -> String {
        format!("{} characters from {}, {} shards", self.size, self.start, self.shards)
    }
}
