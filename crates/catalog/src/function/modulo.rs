//! `mod`: the number's magnitude modulo the number of nodes, as Mycat's PartitionByMod computes it.

use std::str::FromStr;

use bigdecimal::num_bigint::{BigInt, BigUint};
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, java, reading};
use crate::{Key, ShardIndex};

/// Options of `mod`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// What becomes of text columns: without it they are refused; `"java_hash"` takes the magnitude of Java's hash of
    /// texts that are no numbers, as the newest Mycat 1.6.
    #[serde(default)]
    pub text: Option<Text>,
}

/// What becomes of text columns.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Text {
    /// Texts that are no numbers count by Java's hash.
    JavaHash,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    Ok(Box::new(Modulo { shards: context.nodes.len(), text: options.text }))
}

#[derive(Debug)]
struct Modulo {
    shards: usize,
    text: Option<Text>,
}

impl ShardFunction for Modulo {
    fn name(&self) -> &'static str {
        "mod"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        match (column_type, self.text) {
            (ColumnType::Int { .. } | ColumnType::Decimal { scale: 0, .. }, _)
            | (ColumnType::Text { .. }, Some(Text::JavaHash)) => Ok(()),
            _ => Err("`mod` needs a column of whole numbers; `hash` takes other types".to_owned()),
        }
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        match (key, self.text) {
            (Key::Integer(value), _) => {
                let shard = value.unsigned_abs() % self.shards as u128;
                Ok(usize::try_from(shard).expect("a remainder is below the number of shards"))
            }
            (Key::Decimal(value), _) if value.is_integer() => {
                Ok(self.remainder(value.with_scale(0).into_bigint_and_exponent().0.magnitude()))
            }
            (Key::Bytes(_), Some(Text::JavaHash)) => {
                let text = reading::text(key)?;
                let number = BigInt::from_str(&text).ok().filter(|_| reading::is_number(&text));
                let number = number.unwrap_or_else(|| java::hash32(&text).into());
                Ok(self.remainder(number.magnitude()))
            }
            _ => Err("`mod` takes whole numbers only".to_owned()),
        }
    }

    fn describe(&self) -> String {
        let text = if self.text.is_some() { ", texts by Java's hash" } else { "" };
        format!("{} shards{text}", self.shards)
    }
}

impl Modulo {
    fn remainder(&self, magnitude: &BigUint) -> ShardIndex {
        let shard = magnitude % BigUint::from(self.shards);
        usize::try_from(shard).expect("a remainder is below the number of shards")
    }
}

#[cfg(test)]
mod tests {
    use bigdecimal::BigDecimal;

    use super::*;

    fn shard(text: &str) -> Option<usize> {
        let key = Key::number(&BigDecimal::from_str(text).expect("a number"));
        Modulo { shards: 4, text: None }.shard_of(&key).ok()
    }

    #[test]
    fn golden() {
        let golden = [("0", 0), ("5", 1), ("-5", 1), ("-4", 0), ("18446744073709551615", 3)];
        for (value, expected) in golden {
            assert_eq!(shard(value), Some(expected), "{value}");
        }
        assert_eq!(shard("99999999999999999999999999999999999999999999999999999999999999999"), Some(3));
        assert_eq!(shard("-9223372036854775808"), Some(0));
        assert_eq!(shard("1.5"), None);
    }
}
