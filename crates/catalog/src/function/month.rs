//! `month`: one shard per calendar month of a window, or one per node with the months going round the nodes.

use std::ops::Bound;

use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, Period, Place, ShardFunction};
use crate::{Key, Moment, ShardIndex, ShardSet};

/// Options of `month`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// The first month of the window, for example `"2026-01"`.
    pub from: String,
    /// The last month of the window, for example `"2027-12"`. Rows outside the window are refused.
    pub to: String,
    /// The name of each month's table, for example `"{table}_{yyyymm}"`; `{yyyy}` and `{mm}` are known too.
    /// Without it each node has one table that holds all its months.
    #[serde(default)]
    pub tables: Option<String>,
}

impl Options {
    pub(crate) fn tables(&self) -> Option<&str> {
        self.tables.as_deref()
    }
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let mut errors = Vec::new();
    let first = read_month("from", &options.from, &mut errors);
    let last = read_month("to", &options.to, &mut errors);
    if let Some(pattern) = &options.tables {
        check_pattern(pattern, &mut errors);
    }
    let (Some(first), Some(last)) = (first, last) else { return Err(errors) };
    if last < first {
        errors.push(OptionError::new(
            "to",
            format!("the window ends in {} before it begins in {}", options.to, options.from),
            "let `to` be the same month as `from` or a later one",
        ));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let split = options.tables.is_some();
    Ok(Box::new(Month { first, months: last - first + 1, nodes: context.nodes.len(), split }))
}

fn read_month(key: &'static str, text: &str, errors: &mut Vec<OptionError>) -> Option<usize> {
    let parsed = text.split_once('-').and_then(|(year, month)| {
        let digits = year.len() == 4
            && month.len() == 2
            && (year.to_owned() + month).bytes().all(|b| b.is_ascii_digit());
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        (digits && (1..=12).contains(&month) && year > 0).then(|| month_number(year, month))
    });
    if parsed.is_none() {
        errors.push(OptionError::new(
            key,
            format!("`{text}` is not a month"),
            "write the year and the month, for example \"2026-01\"",
        ));
    }
    parsed
}

fn check_pattern(pattern: &str, errors: &mut Vec<OptionError>) {
    let has_month = pattern.contains("{yyyymm}") || (pattern.contains("{yyyy}") && pattern.contains("{mm}"));
    if !pattern.contains("{table}") || !has_month {
        errors.push(OptionError::new(
            "tables",
            format!("the pattern `{pattern}` does not name each month's table differently"),
            "use `{table}` and `{yyyymm}`, for example \"{table}_{yyyymm}\"",
        ));
    }
}

/// Months since year 0.
fn month_number(year: u16, month: u8) -> usize {
    usize::from(year) * 12 + usize::from(month) - 1
}

fn period(month_number: usize) -> Period {
    let year = u16::try_from(month_number / 12).expect("a window ends in the year 9999 at most");
    let month = u8::try_from(month_number % 12 + 1).expect("a month is at most 12");
    Period { year, month }
}

#[derive(Debug)]
struct Month {
    /// [`month_number`] of the window's first month.
    first: usize,
    months: usize,
    nodes: usize,
    /// Each month has a table of its own, and so a shard; else each node has one table.
    split: bool,
}

impl ShardFunction for Month {
    fn name(&self) -> &'static str {
        "month"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        match column_type {
            ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => Ok(()),
            _ => Err("`month` needs a column of type DATE, DATETIME or TIMESTAMP".to_owned()),
        }
    }

    fn shards(&self) -> usize {
        if self.split { self.months } else { self.nodes }
    }

    fn place(&self, shard: ShardIndex) -> Place {
        let period = self.split.then(|| period(self.first + shard));
        Place { node: shard % self.nodes, period }
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let Key::Moment(moment) = key else { return Err("`month` takes dates only".to_owned()) };
        match month_number(moment.year, moment.month).checked_sub(self.first) {
            Some(month) if month < self.months => Ok(self.shard_of_month(month)),
            _ => Err(format!("the rule covers {}", self.window())),
        }
    }

    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        let first = match low {
            Bound::Included(Key::Moment(moment)) | Bound::Excluded(Key::Moment(moment)) => {
                month_number(moment.year, moment.month).saturating_sub(self.first)
            }
            _ => 0,
        };
        let end = match high {
            Bound::Included(Key::Moment(moment)) => self.months_until(moment) + 1,
            // `< '2026-12-01'` ends with November.
            Bound::Excluded(Key::Moment(moment)) if moment.is_start_of_month() => self.months_until(moment),
            Bound::Excluded(Key::Moment(moment)) => self.months_until(moment) + 1,
            _ => isize::MAX,
        };
        let end = usize::try_from(end).unwrap_or(0).min(self.months);
        if self.split { ShardSet::run(first..end.max(first)) } else { self.nodes_of_months(first, end) }
    }

    fn describe(&self) -> String {
        let tables = if self.split { "a table per month" } else { "a table per node" };
        format!("{}, {} nodes, {tables}", self.window(), self.nodes)
    }
}

impl Month {
    fn shard_of_month(&self, month: usize) -> ShardIndex {
        if self.split { month } else { month % self.nodes }
    }

    /// How many months of the window lie before the moment's own; negative before the window.
    fn months_until(&self, moment: &Moment) -> isize {
        month_number(moment.year, moment.month).cast_signed() - self.first.cast_signed()
    }

    fn nodes_of_months(&self, first: usize, end: usize) -> ShardSet {
        (first..end).take(self.nodes).map(|month| month % self.nodes).collect()
    }

    fn window(&self) -> String {
        let (first, last) = (period(self.first), period(self.first + self.months - 1));
        format!("{:04}-{:02} to {:04}-{:02}", first.year, first.month, last.year, last.month)
    }
}
