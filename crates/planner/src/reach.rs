//! `Reach`: which shards of one table a predicate can touch, as an expression over operands.
//!
//! What is not understood widens the reach to [`Reach::All`] and never narrows it.

use std::ops::Bound;

use serval_catalog::{ShardSet, Sharding};
use serval_types::Value;

use crate::operand::{Operand, Values};

/// A set of shards that becomes known when values are bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reach {
    /// Every shard.
    All,
    /// The shard of each value: `col = x`, `col IN (…)`.
    Equal(Vec<Operand>),
    /// The shards between two bounds, each with whether it is included.
    Range {
        /// `col > x`, `col >= x`.
        low: Option<(Operand, bool)>,
        /// `col < x`, `col <= x`.
        high: Option<(Operand, bool)>,
    },
    /// In all of these.
    And(Vec<Reach>),
    /// In any of these.
    Or(Vec<Reach>),
}

impl Reach {
    /// Both at once.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach,
            // Two half-open ranges are one, which may be short enough to be routed value by value.
            (Self::Range { low, high: None }, Self::Range { low: None, high })
            | (Self::Range { low: None, high }, Self::Range { low, high: None }) => Self::Range { low, high },
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), reach) | (reach, Self::And(mut all)) => {
                all.push(reach);
                Self::And(all)
            }
            (one, two) => Self::And(vec![one, two]),
        }
    }

    /// Either.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Equal(mut values), Self::Equal(more)) => {
                values.extend(more);
                Self::Equal(values)
            }
            (Self::Or(mut any), Self::Or(more)) => {
                any.extend(more);
                Self::Or(any)
            }
            (Self::Or(mut any), reach) | (reach, Self::Or(mut any)) => {
                any.push(reach);
                Self::Or(any)
            }
            (one, two) => Self::Or(vec![one, two]),
        }
    }

    /// The shards for these values.
    pub(crate) fn shards(&self, sharding: &Sharding, values: &Values<'_>) -> ShardSet {
        match self {
            Self::All => ShardSet::all(sharding.shards.len()),
            Self::Equal(operands) => {
                let mut shards = ShardSet::none();
                for operand in operands {
                    operand.for_each(values, |value| {
                        let found = if values.is_known(&value) {
                            sharding.shards_for_equal(&value)
                        } else {
                            ShardSet::all(sharding.shards.len())
                        };
                        shards = shards.union(&found);
                    });
                }
                shards
            }
            Self::Range { low, high } => {
                let low = low.as_ref().map(|(operand, included)| (operand.value(values), *included));
                let high = high.as_ref().map(|(operand, included)| (operand.value(values), *included));
                if [&low, &high].into_iter().flatten().any(|(value, _)| value.is_null()) {
                    return ShardSet::none();
                }
                if [&low, &high].into_iter().flatten().any(|(value, _)| !values.is_known(value)) {
                    return ShardSet::all(sharding.shards.len());
                }
                sharding.shards_for_range(bound(low.as_ref()), bound(high.as_ref()))
            }
            Self::And(all) => all.iter().fold(ShardSet::all(sharding.shards.len()), |shards, reach| {
                shards.intersection(&reach.shards(sharding, values))
            }),
            Self::Or(any) => any
                .iter()
                .fold(ShardSet::none(), |shards, reach| shards.union(&reach.shards(sharding, values))),
        }
    }
}

fn bound(limit: Option<&(Value, bool)>) -> Bound<&Value> {
    match limit {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included(value),
        Some((value, false)) => Bound::Excluded(value),
    }
}
