//! TIMESTAMP columns: a session writes and reads them by its own clock, the rule places them by the rule's.
//!
//! Everything else in [`Sharding`] takes values of such columns as the rule's clock shows them.

use std::ops::Bound;

use serval_types::{ColumnType, Value};

use super::{Sharding, ShardingColumn};
use crate::convert::moment_of;
use crate::{Moment, ShardIndex, ShardSet, Unroutable, Zone};

/// Time zones of sessions lie between -13:59 and +14:00, so two of them read one instant at most this far apart.
const ZONES_APART_HOURS: i32 = 28;

/// What a rule's clock shows where a session wrote a value.
enum Shown {
    /// What the session wrote, as it is no TIMESTAMP or no date.
    AsWritten,
    /// This.
    Exactly(Moment),
    /// One of the two: the session's clock shows that time twice, or never.
    Either(Moment, Moment),
    /// Something between the two: the session's zone is not known.
    Between(Moment, Moment),
}

impl Sharding {
    /// Whether a column is a TIMESTAMP, so that the session's time zone matters.
    #[must_use]
    pub fn sees_time_zones(&self) -> bool {
        self.columns.iter().any(ShardingColumn::is_timestamp)
    }

    /// The names of the time zones that TIMESTAMP columns route in.
    pub fn time_zones(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.is_timestamp()).filter_map(|column| self.zone_of(column))
    }

    /// [`Sharding::shard_for_row`] of values as a session in this time zone writes them.
    ///
    /// # Errors
    /// As there, and for a TIMESTAMP whose instant is not certain.
    ///
    /// # Panics
    /// If there is not one value for each sharding column.
    pub fn shard_for_row_in(&self, values: &[Value], zone: Option<&Zone>) -> Result<ShardIndex, Unroutable> {
        if !self.sees_time_zones() {
            return self.shard_for_row(values);
        }
        let (mut first, mut second) = (values.to_vec(), values.to_vec());
        for (at, (column, value)) in self.columns.iter().zip(values).enumerate() {
            match self.shown(column, value, zone) {
                Shown::AsWritten => {}
                Shown::Exactly(moment) => (first[at], second[at]) = (text(moment), text(moment)),
                Shown::Either(one, two) => (first[at], second[at]) = (text(one), text(two)),
                Shown::Between(..) => return Err(column.unconvertible(value, UNKNOWN.to_owned())),
            }
        }
        let shard = self.shard_for_row(&first)?;
        if first != second && self.shard_for_row(&second)? != shard {
            let (column, value) = (&self.columns[0], &values[0]);
            return Err(column.unconvertible(value, TWICE.to_owned()));
        }
        Ok(shard)
    }

    /// [`Sharding::shards_where_equal`] of a value as a session in this time zone writes it.
    #[must_use]
    pub fn shards_where_equal_in(&self, column: usize, value: &Value, zone: Option<&Zone>) -> ShardSet {
        let Some(known) = self.columns.get(column) else { return self.all() };
        match self.shown(known, value, zone) {
            Shown::AsWritten => self.shards_where_equal(column, value),
            Shown::Exactly(moment) => self.shards_where_equal(column, &text(moment)),
            Shown::Either(one, two) => {
                let both = [one, two].map(|moment| self.shards_where_equal(column, &text(moment)));
                both[0].union(&both[1])
            }
            Shown::Between(low, high) => {
                self.shards_where_between(column, Bound::Included(&text(low)), Bound::Included(&text(high)))
            }
        }
    }

    /// [`Sharding::shards_where_between`] of bounds as a session in this time zone writes them.
    #[must_use]
    pub fn shards_where_between_in(
        &self,
        column: usize,
        low: Bound<&Value>,
        high: Bound<&Value>,
        zone: Option<&Zone>,
    ) -> ShardSet {
        let Some(known) = self.columns.get(column).filter(|column| column.is_timestamp()) else {
            return self.shards_where_between(column, low, high);
        };
        let (low, high) = (self.end(known, low, zone, true), self.end(known, high, zone, false));
        self.shards_where_between(column, low.as_ref(), high.as_ref())
    }

    /// The values of a column that a session in this time zone can mean; `None` where nobody knows.
    #[must_use]
    pub fn values_in(&self, column: usize, value: &Value, zone: Option<&Zone>) -> Option<Vec<Value>> {
        let Some(known) = self.columns.get(column) else { return Some(vec![value.clone()]) };
        match self.shown(known, value, zone) {
            Shown::AsWritten => Some(vec![value.clone()]),
            Shown::Exactly(moment) => Some(vec![text(moment)]),
            Shown::Either(one, two) => Some(vec![text(one), text(two)]),
            Shown::Between(..) => None,
        }
    }

    /// One end of a range. What the rule's clock shows falls back where summer time ends, so around there it is widened.
    fn end(
        &self,
        column: &ShardingColumn,
        bound: Bound<&Value>,
        zone: Option<&Zone>,
        low: bool,
    ) -> Bound<Value> {
        let (value, included) = match bound {
            Bound::Included(value) => (value, true),
            Bound::Excluded(value) => (value, false),
            Bound::Unbounded => return Bound::Unbounded,
        };
        let (moment, exact) = match self.shown(column, value, zone) {
            Shown::AsWritten if included => return Bound::Included(value.clone()),
            Shown::AsWritten => return Bound::Excluded(value.clone()),
            Shown::Exactly(moment) => (moment, true),
            Shown::Either(first, last) | Shown::Between(first, last) => {
                (if low { first } else { last }, false)
            }
        };
        let rules = self.zone_of(column).and_then(Zone::parse);
        if rules.is_none_or(|zone| zone.is_ambiguous(moment)) {
            let away = moment.plus_hours(if low { -24 } else { 24 });
            return away.map_or(Bound::Unbounded, |moment| Bound::Included(text(moment)));
        }
        if exact && !included { Bound::Excluded(text(moment)) } else { Bound::Included(text(moment)) }
    }

    fn shown(&self, column: &ShardingColumn, value: &Value, zone: Option<&Zone>) -> Shown {
        let Some(moment) = moment_of(value).filter(|_| column.is_timestamp()) else {
            return Shown::AsWritten;
        };
        let rules = self.zone_of(column).and_then(Zone::parse);
        let seen = rules.zip(zone).and_then(|(rules, zone)| rules.seen_from(zone, moment));
        match seen {
            Some((one, two)) if one == two => Shown::Exactly(one),
            Some((one, two)) => Shown::Either(one, two),
            None => {
                let (low, high) =
                    (moment.plus_hours(-ZONES_APART_HOURS), moment.plus_hours(ZONES_APART_HOURS));
                Shown::Between(low.unwrap_or(moment), high.unwrap_or(moment))
            }
        }
    }

    fn zone_of(&self, column: &ShardingColumn) -> Option<&str> {
        match &self.rule.inside {
            Some(inside) if column.inside => inside.time_zone.as_deref(),
            _ => self.rule.time_zone.as_deref(),
        }
    }
}

impl ShardingColumn {
    fn is_timestamp(&self) -> bool {
        matches!(self.column_type, ColumnType::Timestamp { .. })
    }
}

fn text(moment: Moment) -> Value {
    Value::Text(moment.to_string().into_bytes())
}

const UNKNOWN: &str = "it is a TIMESTAMP, and which instant that is says the session's time zone, which Serval does not \
                       know by its name; SET time_zone to an offset or a name like 'Europe/Berlin'";
const TWICE: &str = "the session's clock shows that time twice or never, because summer time begins or ends; SET \
                     time_zone = '+00:00' and write it in UTC";
