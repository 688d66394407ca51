//! Plans as the executor sees them: a tree of primitives, bound to nodes and with the SQL of each.
//!
//! A primitive says what is done to rows and nothing of how connections are had. One file holds one primitive.
//! Columns are counted in two parts: those the client asked for, and hidden ones that the planner added behind them
//! to sort or combine by. [`Cut`] takes the hidden ones off again.

mod aggregate;
mod cut;
mod filter;
mod gather;
mod held;
mod limit;
mod merge_sort;
mod returning;
mod rollup;
mod route;
mod sort;
mod sort_key;
mod spread;

pub use aggregate::{Aggregate, Combine};
pub use cut::Cut;
pub use filter::{Comparison, Condition, Filter};
pub use gather::{Announced, Gather, GatherSource, GatheredResult, Loading, Reduction};
pub use held::Held;
pub use limit::Limit;
pub use merge_sort::MergeSort;
pub use returning::Returning;
pub use rollup::Rollup;
pub use route::{Route, Target};
pub use sort::Sort;
pub use sort_key::{ColumnRef, Padding, SortKey};
pub use spread::{GivenNumbers, Spread, Tally};

/// One node of a bound plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Primitive {
    /// Sends SQL to targets and passes on what they answer: rows in no order across targets.
    Route(Route),
    /// Merges the sorted streams of its input's targets into one sorted stream.
    MergeSort(MergeSort),
    /// Combines neighbouring rows with equal keys.
    Aggregate(Aggregate),
    /// Adds rows for several groups.
    Rollup(Rollup),
    /// Leaves out groups.
    Filter(Filter),
    /// Sorts all rows in memory.
    Sort(Sort),
    /// Skips and counts rows.
    Limit(Limit),
    /// Drops the hidden columns.
    Cut(Cut),
    /// Writes on several targets as one statement, and adds up what they say.
    Spread(Spread),
    /// Writes on several targets, and passes on the rows that they give.
    Returning(Returning),
    /// Passes on rows that Serval has.
    Held(Held),
    /// Brings rows of several nodes to one server, and finishes the statement there.
    Gather(Gather),
}

impl Primitive {
    /// What this one takes its rows from, where that is a primitive too.
    #[must_use]
    pub fn input(&self) -> Option<&Self> {
        match self {
            Self::Aggregate(above) => Some(&above.input),
            Self::Rollup(above) => Some(&above.input),
            Self::Filter(above) => Some(&above.input),
            Self::Sort(above) => Some(&above.input),
            Self::Limit(above) => Some(&above.input),
            Self::Cut(above) => Some(&above.input),
            Self::Route(_)
            | Self::MergeSort(_)
            | Self::Spread(_)
            | Self::Returning(_)
            | Self::Held(_)
            | Self::Gather(_) => None,
        }
    }

    /// This one and what stands under it, down to what has no [`Primitive::input`].
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |above| above.input())
    }

    /// The one at the bottom, which asks servers, or has rows.
    #[must_use]
    pub fn bottom(&self) -> &Self {
        self.input().map_or(self, Self::bottom)
    }

    /// The route that a tree of merged rows reads from; `None` for what writes, gathers or holds rows.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        match self.bottom() {
            Self::Route(route) => Some(route),
            Self::MergeSort(merge) => Some(&merge.input),
            _ => None,
        }
    }

    /// [`Primitive::route`], to be changed.
    pub fn route_mut(&mut self) -> Option<&mut Route> {
        match self {
            Self::Route(route) => Some(route),
            Self::MergeSort(merge) => Some(&mut merge.input),
            Self::Aggregate(above) => above.input.route_mut(),
            Self::Rollup(above) => above.input.route_mut(),
            Self::Filter(above) => above.input.route_mut(),
            Self::Sort(above) => above.input.route_mut(),
            Self::Limit(above) => above.input.route_mut(),
            Self::Cut(above) => above.input.route_mut(),
            Self::Spread(_) | Self::Returning(_) | Self::Held(_) | Self::Gather(_) => None,
        }
    }
}
