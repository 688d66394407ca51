//! `crc32_mod`: the unsigned number, or the CRC32 of what is none, modulo the number of nodes, as kingshard's and
//! Gaea's `hash`.
//!
//! Both took what a statement wrote in quotes for a text, and `-5` in quotes is no unsigned number, so its CRC32 counted.
//! Without quotes kingshard took its 64 bits; Gaea routed no row by a value with a sign.

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt};
use crate::{Key, ShardIndex};

/// Options of `crc32_mod`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// What a number below zero counts as: `"bits"` (the default), the unsigned number of its 64 bits, as kingshard took it
    /// without quotes; `"text"`, the CRC32 of its digits, as kingshard and Gaea took it in quotes.
    #[serde(default)]
    pub negative: Option<Negative>,
}

/// What a number below zero counts as.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Negative {
    /// The unsigned number of its 64 bits.
    #[default]
    Bits,
    /// The CRC32 of its digits.
    Text,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    Ok(Box::new(Crc32Mod { shards: context.nodes.len(), negative: options.negative.unwrap_or_default() }))
}

#[derive(Debug)]
struct Crc32Mod {
    shards: usize,
    negative: Negative,
}

impl ShardFunction for Crc32Mod {
    fn name(&self) -> &'static str {
        "crc32_mod"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("crc32_mod", column_type)
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let hash = match key {
            Key::Integer(number) if *number < 0 && self.negative == Negative::Text => {
                crc32fast::hash(number.to_string().as_bytes()).into()
            }
            // A negative number is the unsigned number of the same 64 bits.
            Key::Integer(number) => {
                u64::from_le_bytes(number.to_le_bytes()[..8].try_into().expect("8 of 16 bytes"))
            }
            Key::Bytes(text) => unsigned(text).unwrap_or_else(|| crc32fast::hash(text).into()),
            Key::Decimal(_) | Key::Moment(_) => return Err("it is beyond 64 bits".to_owned()),
        };
        Ok(usize::try_from(hash % self.shards as u64).expect("a remainder is below the number of shards"))
    }

    fn describe(&self) -> String {
        match self.negative {
            Negative::Bits => format!("{} shards", self.shards),
            Negative::Text => format!("{} shards, negative numbers by their text", self.shards),
        }
    }
}

/// A text of nothing but digits, of 64 bits; Rust would take a `+` in front, Go does not.
fn unsigned(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}
