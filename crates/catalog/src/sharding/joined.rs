//! Several columns that one function takes together: their canonical bytes, one after another.

use serval_types::Value;

use super::{ROUNDING, Sharding, ShardingColumn};
use crate::convert::{Candidates, Stored};
use crate::{Key, ShardIndex, ShardSet, Unroutable};

impl Sharding {
    /// Whether the rule's first function takes several columns together, so that one of them alone says nothing.
    #[must_use]
    pub fn combines(&self) -> bool {
        self.outer().1 > 1
    }

    /// How many columns the rule's first function takes; they are the first of the sharding columns.
    #[must_use]
    pub fn combined(&self) -> usize {
        self.outer().1
    }

    /// The shards that can hold rows whose columns of the first function equal these values, one by one.
    #[must_use]
    pub fn shards_where_all_equal(&self, values: &[Value]) -> ShardSet {
        let (columns, count) = self.outer();
        if let ([_], [value]) = (columns, values) {
            return self.shards_where_equal(0, value);
        }
        if values.len() != count || values.iter().any(Value::is_null) {
            return if values.iter().any(Value::is_null) { ShardSet::none() } else { self.all() };
        }
        let mut keys = Vec::with_capacity(count);
        for (column, value) in columns.iter().zip(values) {
            match column.domain.equal(value) {
                Candidates::One(key) => keys.push(key),
                Candidates::Nothing => return ShardSet::none(),
                Candidates::Anything | Candidates::Range(..) => return self.all(),
            }
        }
        let shard = self.rule.function.shard_of(&join(&keys));
        self.rule.with_all_parts(&shard.map_or(ShardSet::none(), ShardSet::one))
    }

    /// The shard of the first function that stores a row with these values.
    pub(super) fn joined_shard(
        &self,
        columns: &[ShardingColumn],
        values: &[Value],
    ) -> Result<ShardIndex, Unroutable> {
        let mut keys = Vec::with_capacity(columns.len());
        for (column, value) in columns.iter().zip(values) {
            match column.stored(value)? {
                Some(Stored::Exactly(key)) => keys.push(key),
                Some(Stored::Rounded(..)) => return Err(column.unconvertible(value, ROUNDING.to_owned())),
                None => {
                    let default = self.rule.function.default_shard();
                    return default.ok_or_else(|| Unroutable::Null { column: column.name.clone() });
                }
            }
        }
        let no_shard = |reason| match (columns.first(), values.first()) {
            (Some(column), Some(value)) => column.no_shard(value, reason),
            _ => Unroutable::Null { column: self.names() },
        };
        self.rule.function.shard_of(&join(&keys)).map_err(no_shard)
    }
}

/// The bytes of all keys, each behind its length in four bytes, little endian, so that no two lists share them.
fn join(keys: &[Key]) -> Key {
    let mut joined = crate::key::CanonicalBytes::new();
    for key in keys {
        let bytes = key.canonical_bytes();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        joined.extend_from_slice(&length.to_le_bytes());
        joined.extend_from_slice(&bytes);
    }
    Key::Bytes(joined)
}
