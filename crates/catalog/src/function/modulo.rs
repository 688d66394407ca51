//! `mod`: the number's magnitude modulo the number of nodes, as Mycat's PartitionByMod computes it.

use bigdecimal::num_bigint::BigInt;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction};
use crate::{Key, ShardIndex};

/// `mod` has no options of its own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {}

impl Options {
    pub(crate) fn tables(&self) -> Option<&str> {
        None
    }
}

pub(crate) fn build(_: &Options, context: &Context<'_>) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    Ok(Box::new(Modulo { shards: context.nodes.len() }))
}

#[derive(Debug)]
struct Modulo {
    shards: usize,
}

impl ShardFunction for Modulo {
    fn name(&self) -> &'static str {
        "mod"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        match column_type {
            ColumnType::Int { .. } | ColumnType::Decimal { scale: 0, .. } => Ok(()),
            _ => Err("`mod` needs a column of whole numbers; `hash` takes other types".to_owned()),
        }
    }

    fn shards(&self) -> usize {
        self.shards
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        match key {
            Key::Integer(value) => {
                let shard = value.unsigned_abs() % self.shards as u128;
                Ok(usize::try_from(shard).expect("a remainder is below the number of shards"))
            }
            Key::Decimal(value) if value.is_integer() => {
                let whole = value.with_scale(0).into_bigint_and_exponent().0;
                let shard = whole.magnitude() % BigInt::from(self.shards).magnitude();
                Ok(usize::try_from(shard).expect("a remainder is below the number of shards"))
            }
            _ => Err("`mod` takes whole numbers only".to_owned()),
        }
    }

    fn describe(&self) -> String {
        format!("{} shards", self.shards)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use bigdecimal::BigDecimal;

    use super::*;

    fn shard(text: &str) -> Option<usize> {
        let key = Key::number(&BigDecimal::from_str(text).expect("a number"));
        Modulo { shards: 4 }.shard_of(&key).ok()
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
