//! How one sharded table is cut: from a value of its sharding column to the shards that can hold it.

use std::ops::Bound;
use std::sync::Arc;

use serval_types::{ColumnType, NodeId, Value};

use crate::convert::{Candidates, Domain, Stored};
use crate::{Key, Rule, ShardIndex, ShardSet, TextMatch, Unroutable};

/// One piece of a sharded table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Where it lies.
    pub node: NodeId,
    /// Its name there: the table's own, or `events_202611` where a rule splits tables inside a node.
    pub table: String,
}

/// The rule of a sharded table, applied to its sharding column.
#[derive(Debug, Clone)]
pub struct Sharding {
    /// The rule; co-located tables share one.
    pub rule: Arc<Rule>,
    /// The sharding column's name, as the config or the definition writes it.
    pub column: String,
    /// Its type; [`ColumnType::Other`] of an empty name until the table's definition is known.
    pub column_type: ColumnType,
    /// How the application's text keys compare, where the collation alone does not say.
    pub text_match: TextMatch,
    /// The pieces. A [`ShardIndex`] counts these.
    pub shards: Vec<Shard>,
    domain: Domain,
}

/// A range of at most this many whole numbers is routed number by number.
const ENUMERABLE: i128 = 256;

impl Sharding {
    /// The sharding of the table `table` by `column`. `column_type` is `None` until its definition is known.
    #[must_use]
    pub fn new(
        rule: Arc<Rule>,
        table: &str,
        column: &str,
        column_type: Option<ColumnType>,
        text_match: TextMatch,
    ) -> Self {
        let shards = rule.shards_of_table(table);
        let domain = column_type.as_ref().map_or(Domain::Unknown, |known| Domain::new(known, text_match));
        let column_type = column_type.unwrap_or_else(|| ColumnType::Other(String::new()));
        Self { rule, column: column.to_owned(), column_type, text_match, shards, domain }
    }

    /// The same sharding once the column's type is known.
    #[must_use]
    pub fn with_column_type(&self, column_type: ColumnType) -> Self {
        let domain = Domain::new(&column_type, self.text_match);
        Self { column_type, domain, ..self.clone() }
    }

    /// Whether the sharding column's type is known. Until then inserts are refused and predicates reach all shards.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.domain != Domain::Unknown
    }

    /// Every shard.
    #[must_use]
    pub fn all(&self) -> ShardSet {
        ShardSet::all(self.shards.len())
    }

    /// The shard that a row with this value is stored in, after the conversion that storing it would make.
    ///
    /// # Errors
    /// [`Unroutable`] for what a strict server would refuse, and, unless the rule has a default, for NULL and for what
    /// it has no shard for.
    pub fn shard_for_stored(&self, value: &Value) -> Result<ShardIndex, Unroutable> {
        if value.is_null() {
            let default = self.rule.function.default_shard();
            return default.ok_or_else(|| Unroutable::Null { column: self.column.clone() });
        }
        if !self.is_known() {
            return Err(Unroutable::DefinitionUnknown { column: self.column.clone() });
        }
        match self.domain.stored(value).map_err(|reason| self.unconvertible(value, reason))? {
            Stored::Exactly(key) => self.shard_of(&key, value),
            Stored::Rounded(down, up) => {
                let shard = self.shard_of(&down, value)?;
                if self.shard_of(&up, value)? == shard {
                    return Ok(shard);
                }
                Err(self.unconvertible(value, ROUNDING.to_owned()))
            }
        }
    }

    /// The shards that can hold rows where `column = value`.
    ///
    /// All of them whenever MySQL would not compare in the column's own type and collation; none when nothing can
    /// match, as for NULL.
    #[must_use]
    pub fn shards_for_equal(&self, value: &Value) -> ShardSet {
        if value.is_null() {
            return ShardSet::none();
        }
        self.shards_of(self.domain.equal(value))
    }

    /// The shards that can hold rows where `column` lies between the bounds.
    #[must_use]
    pub fn shards_for_range(&self, low: Bound<&Value>, high: Bound<&Value>) -> ShardSet {
        if is_null(low) || is_null(high) {
            return ShardSet::none();
        }
        self.shards_of(self.domain.range(low, high))
    }

    /// Whether rows that are equal in the two sharding columns always share a shard: the same rule, and a
    /// comparison that both columns make in one domain.
    #[must_use]
    pub fn co_located(&self, other: &Self) -> bool {
        self.rule.name == other.rule.name
            && self.shards.len() == other.shards.len()
            && self.domain.compares_with(&other.domain)
            && self.column_type.collation() == other.column_type.collation()
    }

    /// Whether values of the column that MySQL calls equal always share a shard, in every session.
    #[must_use]
    pub fn equal_values_share_a_shard(&self) -> bool {
        !self.is_known() || self.domain.compares_with(&self.domain)
    }

    fn shards_of(&self, candidates: Candidates) -> ShardSet {
        match candidates {
            Candidates::Anything => self.all(),
            Candidates::Nothing => ShardSet::none(),
            // A value that the rule has no shard for is stored nowhere.
            Candidates::One(key) => self.rule.function.shard_of(&key).map_or(ShardSet::none(), ShardSet::one),
            Candidates::Range(Bound::Included(Key::Integer(low)), Bound::Included(Key::Integer(high)))
                if high - low < ENUMERABLE =>
            {
                (low..=high).filter_map(|n| self.rule.function.shard_of(&Key::Integer(n)).ok()).collect()
            }
            Candidates::Range(low, high) => {
                self.rule.function.shards_of_range(low.as_ref(), high.as_ref()).intersection(&self.all())
            }
        }
    }

    fn shard_of(&self, key: &Key, value: &Value) -> Result<ShardIndex, Unroutable> {
        self.rule.function.shard_of(key).map_err(|reason| Unroutable::NoShard {
            column: self.column.clone(),
            value: display(value),
            reason,
        })
    }

    fn unconvertible(&self, value: &Value, reason: String) -> Unroutable {
        Unroutable::Unconvertible { column: self.column.clone(), value: display(value), reason }
    }
}

const ROUNDING: &str = "it has more fractional digits than the column, and servers differ in whether they round or \
                        cut them, which would change the shard; write it with the column's own digits";

fn is_null(bound: Bound<&Value>) -> bool {
    matches!(bound, Bound::Included(Value::Null) | Bound::Excluded(Value::Null))
}

/// The value as an error message shows it, cut where it is long.
fn display(value: &Value) -> String {
    const SHOWN: usize = 64;
    let quoted = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        format!("'{shown}'")
    };
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Decimal(number) => number.to_plain_string().chars().take(SHOWN).collect(),
        Value::Double(number) => format!("{number:e}"),
        Value::Text(bytes) => quoted(bytes),
        Value::Bytes(bytes) => format!("binary {}", quoted(bytes)),
    }
}

#[cfg(test)]
mod tests;
