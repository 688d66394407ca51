//! `Reach`: which shards of one table a predicate can touch, as an expression over operands.
//!
//! What is not understood widens the reach to [`Reach::All`] and never narrows it.

use std::ops::Bound;

use serval_catalog::{ShardSet, Sharding};
use serval_types::Value;

use crate::operand::{Operand, Values};

/// A set of shards that becomes known when values are bound. Columns are numbers into [`Sharding::columns`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reach {
    /// Every shard.
    All,
    /// The shard of each value: `col = x`, `col IN (…)`.
    Equal(usize, Vec<Operand>),
    /// The shards between two bounds, each with whether it is included.
    Range {
        /// Which sharding column.
        column: usize,
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

/// So many combinations of values of columns that are hashed together are looked at; more reach every shard.
const COMBINATIONS: usize = 4096;

impl Reach {
    /// Both at once.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach,
            // Two half-open ranges are one, which may be short enough to be routed value by value.
            (Self::Range { column, low, high: None }, Self::Range { column: other, low: None, high })
            | (Self::Range { column: other, low: None, high }, Self::Range { column, low, high: None })
                if column == other =>
            {
                Self::Range { column, low, high }
            }
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
            (Self::Equal(column, mut values), Self::Equal(other, more)) if column == other => {
                values.extend(more);
                Self::Equal(column, values)
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

    /// Whether the statement's instant decides.
    pub(crate) fn looks_at_clock(&self) -> bool {
        match self {
            Self::All => false,
            Self::Equal(_, operands) => operands.iter().any(Operand::looks_at_clock),
            Self::Range { low, high, .. } => {
                [low, high].into_iter().flatten().any(|(operand, _)| operand.looks_at_clock())
            }
            Self::And(all) | Self::Or(all) => all.iter().any(Self::looks_at_clock),
        }
    }

    /// The shards for these values.
    pub(crate) fn shards(&self, sharding: &Sharding, values: &Values<'_>) -> ShardSet {
        if sharding.combines() {
            let known = Known { columns: vec![None; sharding.combined()] };
            return self.shards_with(sharding, values, &known);
        }
        match self {
            Self::And(all) => all.iter().fold(ShardSet::all(sharding.shards.len()), |shards, reach| {
                shards.intersection(&reach.shards(sharding, values))
            }),
            Self::Or(any) => any
                .iter()
                .fold(ShardSet::none(), |shards, reach| shards.union(&reach.shards(sharding, values))),
            single => single.shards_of_column(sharding, values),
        }
    }

    /// What one column says by itself.
    fn shards_of_column(&self, sharding: &Sharding, values: &Values<'_>) -> ShardSet {
        match self {
            Self::All | Self::And(_) | Self::Or(_) => ShardSet::all(sharding.shards.len()),
            Self::Equal(column, operands) => {
                let mut shards = ShardSet::none();
                for operand in operands {
                    operand.each_known(values, |value| {
                        let found = match value {
                            Some(value) => sharding.shards_where_equal_in(*column, &value, values.zone),
                            None => ShardSet::all(sharding.shards.len()),
                        };
                        shards = shards.union(&found);
                    });
                }
                shards
            }
            Self::Range { column, low, high } => {
                // A limit that is not known is none.
                let known = |limit: &Option<(Operand, bool)>| {
                    let (operand, included) = limit.as_ref()?;
                    Some((operand.known(values)?, *included))
                };
                let (low, high) = (known(low), known(high));
                if [&low, &high].into_iter().flatten().any(|(value, _)| value.is_null()) {
                    return ShardSet::none();
                }
                let (low, high) = (bound(low.as_ref()), bound(high.as_ref()));
                sharding.shards_where_between_in(*column, low, high, values.zone)
            }
        }
    }

    /// The shards where columns are hashed together, so that only the values of all of them tell a shard.
    fn shards_with(&self, sharding: &Sharding, values: &Values<'_>, known: &Known) -> ShardSet {
        match self {
            Self::Or(any) => any.iter().fold(ShardSet::none(), |shards, reach| {
                shards.union(&reach.shards_with(sharding, values, known))
            }),
            Self::And(all) => {
                let mut known = known.clone();
                all.iter().for_each(|reach| known.learn(reach, sharding, values));
                all.iter().fold(known.shards(sharding), |shards, reach| {
                    shards.intersection(&reach.shards_with(sharding, values, &known))
                })
            }
            single => {
                let mut known = known.clone();
                known.learn(single, sharding, values);
                single.shards_of_column(sharding, values).intersection(&known.shards(sharding))
            }
        }
    }
}

/// The values that columns which are hashed together can have.
#[derive(Debug, Clone)]
struct Known {
    columns: Vec<Option<Vec<Value>>>,
}

impl Known {
    fn learn(&mut self, reach: &Reach, sharding: &Sharding, values: &Values<'_>) {
        let Reach::Equal(column, operands) = reach else { return };
        let number = *column;
        let Some(column) = self.columns.get_mut(number) else { return };
        let mut found = Some(Vec::new());
        for operand in operands {
            operand.each_known(values, |value| {
                let meant = value.and_then(|value| sharding.values_in(number, &value, values.zone));
                match (meant, &mut found) {
                    (Some(meant), Some(found)) => found.extend(meant),
                    _ => found = None,
                }
            });
        }
        let Some(found) = found else { return };
        if column.as_ref().is_none_or(|before| found.len() < before.len()) {
            *column = Some(found);
        }
    }

    /// The shards of every combination; all where a column is not known.
    fn shards(&self, sharding: &Sharding) -> ShardSet {
        let Some(columns) = self.columns.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else {
            return sharding.all();
        };
        let combinations = columns.iter().try_fold(1_usize, |product, values| {
            product.checked_mul(values.len()).filter(|product| *product <= COMBINATIONS)
        });
        let Some(combinations) = combinations else { return sharding.all() };
        let mut shards = ShardSet::none();
        for number in 0..combinations {
            let mut rest = number;
            let row: Vec<Value> = columns
                .iter()
                .map(|values| {
                    let value = values[rest % values.len()].clone();
                    rest /= values.len();
                    value
                })
                .collect();
            shards = shards.union(&sharding.shards_where_all_equal(&row));
        }
        shards
    }
}

fn bound(limit: Option<&(Value, bool)>) -> Bound<&Value> {
    match limit {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included(value),
        Some((value, false)) => Bound::Excluded(value),
    }
}
