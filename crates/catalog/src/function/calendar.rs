//! What the functions of the calendar share: a window of periods, dealt to the nodes or to tables of their own.

mod homes;
mod rolling;
mod unit;

use std::ops::Bound;

use homes::Homes;
use indexmap::IndexMap;
pub use rolling::{Clock, Expired, Rolling};
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;
pub(super) use unit::Unit;

use super::layout::{MOST_TABLES, check_pattern};
use super::{Context, OptionError, Piece, Place, ShardFunction};
use crate::{Key, ShardIndex, ShardSet};

/// Options of the functions of the calendar. Periods are written as the function has them: `"2026"`, `"2026-01"`,
/// `"2026-W03"`, `"2026-01-31"` or `"2026-01-31 13"`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// The first period of the window, for example `"2026-01"` for months.
    pub from: String,
    /// The last period of the window, for example `"2027-12"` for months.
    #[serde(default)]
    pub to: Option<String>,
    /// Instead of `to`: the window goes on with the clock, to so many periods after the current one, whose tables are
    /// made ahead.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    pub ahead: Option<u32>,
    /// With `ahead`: so many periods before the current one are kept; what becomes of older ones says `expired`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60_000))]
    pub retain: Option<u32>,
    /// What becomes of the tables of periods that are older than `retain`: `"keep"` (the default) leaves them in the
    /// rule, `"detach"` leaves them where they are, outside of the rule, `"drop"` drops them.
    #[serde(default)]
    pub expired: Option<Expired>,
    /// What becomes of rows from before the window: `"refuse"` (the default), `"first"` puts them into the first
    /// period, `"cycle"` repeats the window.
    #[serde(default)]
    pub before: Option<Before>,
    /// What becomes of rows from after the window: `"refuse"` (the default), `"cycle"` repeats the window.
    #[serde(default)]
    pub after: Option<After>,
    /// Which periods each node holds, for example `{ dn0 = "2026-01 to 2026-06", dn1 = "2026-07, 2026-08" }`. Without
    /// it they go round the nodes.
    #[serde(default)]
    pub periods: Option<IndexMap<String, String>>,
}

/// What becomes of rows from before the window.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Before {
    /// They are refused.
    #[default]
    Refuse,
    /// They belong to the first period.
    First,
    /// The window repeats.
    Cycle,
}

/// What becomes of rows from after the window.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum After {
    /// They are refused.
    #[default]
    Refuse,
    /// The window repeats.
    Cycle,
}

pub(super) fn build(
    name: &'static str,
    unit: Unit,
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let mut errors = Vec::new();
    let first = read("from", unit, &options.from, &mut errors);
    let live = rolling::read(options, context, &mut errors);
    let last = match (&options.to, &live) {
        (Some(to), _) => read("to", unit, to, &mut errors),
        (None, Some(live)) => first.map(|first| first + live.ahead),
        (None, None) => None,
    };
    let (Some(first), Some(last), true) = (first, last, errors.is_empty()) else { return Err(errors) };
    let count = length(unit, first, last, options)?;
    let piece = |number: usize| piece(unit, first, number);
    if let Some(pattern) = context.tables {
        let noun = unit.noun().trim_start_matches("a ").trim_start_matches("an ");
        check_pattern(pattern, noun, unit.placeholder(), (0..count).map(piece))?;
    }
    let homes = match &options.periods {
        None => Homes::Round(context.nodes.len()),
        Some(map) => Homes::read(map, unit, first, count, context.nodes)?,
    };
    Ok(Box::new(Window {
        name,
        unit,
        base: first,
        first,
        count,
        live,
        nodes: context.nodes.len(),
        homes,
        split: context.tables.is_some(),
        before: options.before.unwrap_or_default(),
        after: options.after.unwrap_or_default(),
    }))
}

fn read(key: &'static str, unit: Unit, text: &str, errors: &mut Vec<OptionError>) -> Option<i64> {
    let parsed = unit.parse(text);
    if parsed.is_none() {
        errors.push(OptionError::new(key, format!("`{text}` is not {}", unit.noun()), unit.advice()));
    }
    parsed
}

/// How many periods the window has.
fn length(unit: Unit, first: i64, last: i64, options: &Options) -> Result<usize, Vec<OptionError>> {
    let noun = unit.noun();
    let noun = noun.split_once(' ').map_or(noun, |(_, noun)| noun);
    if last < first {
        let message = format!(
            "the window ends in {} before it begins in {}",
            options.to.as_deref().unwrap_or_default(),
            options.from
        );
        let fix = format!("let `to` be the same {noun} as `from` or a later one");
        return Err(vec![OptionError::new("to", message, fix)]);
    }
    match usize::try_from(last - first + 1) {
        Ok(count) if count <= MOST_TABLES => Ok(count),
        _ => {
            let message = format!("the window has {} periods", last - first + 1);
            let fix = format!("let it have {MOST_TABLES} at most, or use a longer period");
            Err(vec![OptionError::new("to", message, fix)])
        }
    }
}

fn piece(unit: Unit, first: i64, number: usize) -> Piece {
    let since = i64::try_from(number).expect("a window has few periods");
    Piece { number, start: unit.start(first + since) }
}

/// A window of periods.
#[derive(Debug)]
struct Window {
    name: &'static str,
    unit: Unit,
    /// The number of the period that the config names first.
    base: i64,
    /// The number of the first period; the config's, unless older ones have expired.
    first: i64,
    count: usize,
    /// The window goes on with the clock.
    live: Option<rolling::Live>,
    nodes: usize,
    homes: Homes,
    /// Each period has a table of its own, and so a shard; else each node has one table.
    split: bool,
    before: Before,
    after: After,
}

impl ShardFunction for Window {
    fn name(&self) -> &'static str {
        self.name
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        match column_type {
            ColumnType::Date if !self.unit.keeps_days_together() => {
                Err(format!("`{}` needs a time of day: a column of type DATETIME or TIMESTAMP", self.name))
            }
            ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => Ok(()),
            _ => Err(format!("`{}` needs a column of type DATE, DATETIME or TIMESTAMP", self.name)),
        }
    }

    fn shards(&self) -> usize {
        if self.split { self.count } else { self.nodes }
    }

    fn place(&self, shard: ShardIndex) -> Place {
        if self.split {
            self.place_of(self.first + i64::try_from(shard).expect("a window has few periods"))
        } else {
            Place { node: shard, piece: None }
        }
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let Key::Moment(moment) = key else { return Err(format!("`{}` takes dates only", self.name)) };
        let period = self.period_of(self.unit.number(moment) - self.first);
        period.map(|period| self.shard_of_period(period)).ok_or_else(|| match &self.live {
            Some(_) => self.takes(),
            None => format!("the rule covers {}", self.shown()),
        })
    }

    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        let low = match low {
            Bound::Included(Key::Moment(moment)) | Bound::Excluded(Key::Moment(moment)) => {
                self.unit.number(moment) - self.first
            }
            _ => FAR_BEFORE,
        };
        let end = match high {
            // `< '2026-12-01'` ends with November.
            Bound::Excluded(Key::Moment(moment)) if self.unit.begins(moment) => {
                self.unit.number(moment) - self.first
            }
            Bound::Included(Key::Moment(moment)) | Bound::Excluded(Key::Moment(moment)) => {
                self.unit.number(moment) - self.first + 1
            }
            _ => FAR_AFTER,
        };
        self.shards_between(low, end)
    }

    fn keeps_days_together(&self) -> bool {
        self.unit.keeps_days_together()
    }

    fn closed(&self, shard: ShardIndex) -> Option<String> {
        self.live.as_ref()?;
        let period = self.first + i64::try_from(shard).ok()?;
        let open = self.open();
        if open.contains(&period) {
            return None;
        }
        Some(self.takes())
    }

    fn rolled(&self, clock: &Clock) -> Option<Box<dyn ShardFunction>> {
        self.at(clock).map(|window| Box::new(window) as Box<dyn ShardFunction>)
    }

    fn rolling(&self) -> Option<Rolling> {
        self.live.as_ref().map(|live| self.view(live))
    }

    fn describe(&self) -> String {
        if let Some(live) = &self.live {
            let from = self.unit.show(self.base);
            return format!("from {from} on, {} nodes, a table per {}, {live}", self.nodes, self.name);
        }
        let tables =
            if self.split { format!("a table per {}", self.name) } else { "a table per node".to_owned() };
        let outside = match (self.before, self.after) {
            (Before::Refuse, After::Refuse) => String::new(),
            (before, after) => format!(", before {before:?}, after {after:?}").to_lowercase(),
        };
        format!("{}, {} nodes, {tables}{outside}{}", self.shown(), self.nodes, self.homes.describe())
    }
}

/// Further than any window from any date.
const FAR_BEFORE: i64 = -1_000_000_000_000;
const FAR_AFTER: i64 = 1_000_000_000_000;

impl Window {
    /// The period of the window that holds the period `since` its first.
    fn period_of(&self, since: i64) -> Option<usize> {
        match usize::try_from(since) {
            Ok(period) if period < self.count => Some(period),
            Ok(period) => (self.after == After::Cycle).then(|| period % self.count),
            Err(_) => match self.before {
                Before::Refuse => None,
                Before::First => Some(0),
                Before::Cycle => usize::try_from(since.rem_euclid(self.length())).ok(),
            },
        }
    }

    /// The shards of the periods from `low` to before `end`, counted from the window's first.
    fn shards_between(&self, low: i64, end: i64) -> ShardSet {
        let length = self.length();
        let whole = ShardSet::all(self.shards());
        if low >= end {
            return ShardSet::none();
        }
        let inside = |period: i64| usize::try_from(period.clamp(0, length)).unwrap_or(0);
        let mut shards = self.shards_of_run(inside(low), inside(end));
        if low < 0 {
            shards = match self.before {
                Before::Refuse => shards,
                Before::First => shards.union(&ShardSet::one(self.shard_of_period(0))),
                Before::Cycle if end.min(0) - low >= length => whole.clone(),
                Before::Cycle => shards.union(&self.shards_of_each(low, end.min(0))),
            };
        }
        if end > length && self.after == After::Cycle {
            let low = low.max(length);
            shards = if end - low >= length { whole } else { shards.union(&self.shards_of_each(low, end)) };
        }
        shards
    }

    /// Of neighbouring periods inside the window.
    fn shards_of_run(&self, first: usize, end: usize) -> ShardSet {
        match &self.homes {
            _ if self.split => ShardSet::run(first..end.max(first)),
            Homes::Round(nodes) => (first..end).take(*nodes).map(|period| period % nodes).collect(),
            Homes::Listed { .. } => (first..end).map(|period| self.homes.of(period)).collect(),
        }
    }

    fn shards_of_each(&self, low: i64, end: i64) -> ShardSet {
        (low..end)
            .filter_map(|since| self.period_of(since))
            .map(|period| self.shard_of_period(period))
            .collect()
    }

    /// Where the table of a period lies, which is not before the config's first.
    fn place_of(&self, period: i64) -> Place {
        let number = usize::try_from(period - self.base).unwrap_or(0);
        Place { node: self.homes.of(number), piece: Some(piece(self.unit, self.base, number)) }
    }

    fn shard_of_period(&self, period: usize) -> ShardIndex {
        if self.split { period } else { self.homes.of(period) }
    }

    fn length(&self) -> i64 {
        i64::try_from(self.count).expect("a window has few periods")
    }

    /// What new rows may go to.
    fn takes(&self) -> String {
        let open = self.open();
        let (first, last) = (self.unit.show(*open.start()), self.unit.show_last(*open.end()));
        format!("new rows go to {first} to {last}")
    }

    fn shown(&self) -> String {
        let last = self.first + self.length() - 1;
        format!("{} to {}", self.unit.show(self.first), self.unit.show_last(last))
    }
}

/// A function of the calendar that one unit makes.
macro_rules! unit_function {
    ($name:literal, $unit:ident) => {
        pub(crate) use super::calendar::Options;

        pub(crate) fn build(
            options: &Options,
            context: &super::Context<'_>,
        ) -> Result<Box<dyn super::ShardFunction>, Vec<super::OptionError>> {
            super::calendar::build($name, super::calendar::Unit::$unit, options, context)
        }
    };
}

pub(super) use unit_function;

#[cfg(test)]
mod tests;
