//! The operators: primitives at work on rows that have arrived. No I/O, no waiting.

mod aggregate;
mod append;
mod combine;
mod cut;
mod filter;
mod limit;
mod merge_sort;
mod rollup;
mod sort;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serval_planner::primitive::{Primitive, SortKey};
use serval_wire::packet::ColumnDefinition;

use crate::error::ExecuteError;
use crate::key::Parts;
use crate::row::{Encoding, Layout};
use crate::stream::Input;

use aggregate::Aggregate;
use append::Append;
use cut::Cut;
use filter::Filter;
use limit::Limit;
use merge_sort::MergeSort;
use rollup::Rollup;
use sort::Sort;

/// What asking an operator for a row leads to.
#[derive(Debug)]
pub(crate) enum Step {
    /// The next row.
    Row(Bytes),
    /// Nothing until more of this stream has arrived; ask again then.
    Wait(usize),
    /// There are no more rows.
    End,
}

/// The columns of an operator's rows.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) columns: Vec<ColumnDefinition>,
    /// How many at the end the client did not ask for.
    pub(crate) hidden: usize,
    pub(crate) encoding: Encoding,
}

impl Shape {
    /// Where the cells of its rows are.
    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.encoding, &self.columns)
    }
}

/// A primitive at work.
#[derive(Debug)]
pub(crate) enum Operator {
    Append(Append),
    MergeSort(Box<MergeSort>),
    Aggregate(Box<Aggregate>),
    Rollup(Box<Rollup>),
    Filter(Box<Filter>),
    Sort(Box<Sort>),
    Limit(Box<Limit>),
    Cut(Box<Cut>),
    /// Any of them, with how many rows it has given.
    Counted(Box<Operator>, Arc<AtomicU64>),
}

impl Operator {
    /// The operator of a primitive whose route gives rows of shape `leaf`, and the shape of its own rows. With `counters`,
    /// each primitive's rows are counted: those of the lowest first.
    pub(crate) fn build(
        primitive: &Primitive,
        leaf: Shape,
        counters: &mut Option<Vec<Arc<AtomicU64>>>,
    ) -> Result<(Self, Shape), ExecuteError> {
        let (operator, shape) = Self::build_plain(primitive, leaf, counters)?;
        let Some(counters) = counters else { return Ok((operator, shape)) };
        if matches!(primitive, Primitive::MergeSort(_)) {
            // Its route has no operator of its own.
            counters.push(Arc::default());
        }
        let rows: Arc<AtomicU64> = Arc::default();
        counters.push(Arc::clone(&rows));
        Ok((Self::Counted(Box::new(operator), rows), shape))
    }

    fn build_plain(
        primitive: &Primitive,
        leaf: Shape,
        counters: &mut Option<Vec<Arc<AtomicU64>>>,
    ) -> Result<(Self, Shape), ExecuteError> {
        match primitive {
            Primitive::Route(route) => Ok((Self::Append(Append::new(route.targets.len())), leaf)),
            Primitive::MergeSort(sort) => {
                let merge = MergeSort::new(sort.input.targets.len(), &sort.keys, &leaf)?;
                Ok((Self::MergeSort(Box::new(merge)), leaf))
            }
            Primitive::Aggregate(aggregate) => {
                let (input, shape) = Self::build(&aggregate.input, leaf, counters)?;
                let built = Aggregate::new(input, &aggregate.keys, &aggregate.columns, &shape)?;
                Ok((Self::Aggregate(Box::new(built)), shape))
            }
            Primitive::Rollup(rollup) => {
                let (input, shape) = Self::build(&rollup.input, leaf, counters)?;
                Ok((Self::Rollup(Box::new(Rollup::new(input, rollup, &shape)?)), shape))
            }
            Primitive::Filter(filter) => {
                let (input, shape) = Self::build(&filter.input, leaf, counters)?;
                Ok((Self::Filter(Box::new(Filter::new(input, &filter.condition, &shape)?)), shape))
            }
            Primitive::Sort(sort) => {
                let (input, shape) = Self::build(&sort.input, leaf, counters)?;
                Ok((Self::Sort(Box::new(Sort::new(input, &sort.keys, sort.keep, &shape)?)), shape))
            }
            Primitive::Limit(limit) => {
                let (input, shape) = Self::build(&limit.input, leaf, counters)?;
                Ok((
                    Self::Limit(Box::new(Limit::new(input, limit.offset, limit.count, limit.counts_all))),
                    shape,
                ))
            }
            Primitive::Cut(cut) => {
                let (input, shape) = Self::build(&cut.input, leaf, counters)?;
                let (cut, shape) = Cut::new(input, cut.hidden, shape);
                Ok((Self::Cut(Box::new(cut)), shape))
            }
            Primitive::Spread(_) | Primitive::Returning(_) | Primitive::Gather(_) | Primitive::Held(_) => {
                Err(ExecuteError::refused("The plan reads rows from a write"))
            }
        }
    }

    /// The next row, if what it takes has arrived.
    pub(crate) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        match self {
            Self::Append(append) => append.next(input),
            Self::MergeSort(sort) => sort.next(input),
            Self::Aggregate(aggregate) => aggregate.next(input),
            Self::Rollup(rollup) => rollup.next(input),
            Self::Filter(filter) => filter.next(input),
            Self::Sort(sort) => sort.next(input),
            Self::Limit(limit) => limit.next(input),
            Self::Cut(cut) => cut.next(input),
            Self::Counted(operator, rows) => {
                let step = operator.next(input)?;
                rows.fetch_add(u64::from(matches!(step, Step::Row(_))), Ordering::Relaxed);
                Ok(step)
            }
        }
    }
}

impl Operator {
    /// Whether it merges rows by these keys, and so knows what each is [compared by](Operator::key).
    fn merges_by(&self, keys: &[SortKey]) -> bool {
        match self {
            Self::MergeSort(sort) => sort.is_by(keys),
            Self::Counted(operator, _) => operator.merges_by(keys),
            _ => false,
        }
    }

    /// What the last row of a merge was compared by; nothing of another operator's.
    fn key(&mut self) -> Parts {
        match self {
            Self::MergeSort(sort) => sort.key(),
            Self::Counted(operator, _) => operator.key(),
            _ => Parts::new(),
        }
    }

    /// What FOUND_ROWS() is, where rows were skipped or left out here.
    pub(crate) fn found_rows(&self) -> Option<u64> {
        match self {
            Self::Limit(limit) => Some(limit.seen()),
            Self::Cut(cut) => cut.input().found_rows(),
            Self::Counted(operator, _) => operator.found_rows(),
            Self::Append(_)
            | Self::MergeSort(_)
            | Self::Aggregate(_)
            | Self::Rollup(_)
            | Self::Filter(_)
            | Self::Sort(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
