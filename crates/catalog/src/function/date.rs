//! `date`: every so many days of a date, as Mycat's PartitionByDate.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::calendar::{self, After, Before, Expired, Unit};
use super::{Context, OptionError, ShardFunction};
use crate::Moment;

/// Options of `date`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// The first day of the window, for example `"2026-01-01"`; spans are counted from it.
    pub from: String,
    /// The last day of the window, or any day of its last span.
    #[serde(default)]
    pub to: Option<String>,
    /// Instead of `to`: the window goes on with the clock, to so many spans after the current one, whose tables are made
    /// ahead.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    pub ahead: Option<u32>,
    /// With `ahead`: so many spans before the current one are kept; what becomes of older ones says `expired`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60_000))]
    pub retain: Option<u32>,
    /// What becomes of the tables of spans that are older than `retain`: `"keep"` (the default) leaves them in the rule,
    /// `"detach"` leaves them where they are, outside of the rule, `"drop"` drops them.
    #[serde(default)]
    pub expired: Option<Expired>,
    /// How many days a span has.
    #[schemars(range(min = 1, max = 36_500))]
    pub days: u32,
    /// What becomes of rows from before the window: `"refuse"` (the default), `"first"` puts them into the first
    /// span, `"cycle"` repeats the window.
    #[serde(default)]
    pub before: Option<Before>,
    /// What becomes of rows from after the window: `"refuse"` (the default), `"cycle"` repeats the window.
    #[serde(default)]
    pub after: Option<After>,
    /// Which days each node holds, in whole spans, for example `{ dn0 = "2026-01-01 to 2026-01-20" }`. Without it the
    /// spans go round the nodes.
    #[serde(default)]
    pub periods: Option<IndexMap<String, String>>,
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    if !(1..=36_500).contains(&options.days) {
        let message = format!("`days` is {}", options.days);
        return Err(vec![OptionError::new("days", message, "write a number from 1 to 36500")]);
    }
    // A day that is none is reported when it is read as the window's first.
    let base = Moment::parse_text(&options.from).map_or(0, |(moment, _)| moment.day_number());
    let unit = Unit::Days { every: options.days.into(), base };
    let Options { from, to, ahead, retain, expired, before, after, periods, days: _ } = options.clone();
    let options = calendar::Options { from, to, ahead, retain, expired, before, after, periods };
    calendar::build("date", unit, &options, context)
}
