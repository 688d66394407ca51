//! `Sort`: all rows in memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use serval_planner::primitive::SortKey;

use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::key::{Key, Order, Parts};
use crate::memory::Memory;
use crate::stream::Input;

/// Reads all rows, keeps the first `keep` of them in order, and passes those on.
#[derive(Debug)]
pub(crate) struct Sort {
    input: Operator,
    order: Arc<Order>,
    keep: usize,
    /// Rows read so far.
    arrived: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The greatest row first, which is the one to go when there are too many.
    Reading(BinaryHeap<Kept>),
    Sorted(vec::IntoIter<Kept>),
}

/// A row with its place among those that came.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    key: Key,
    arrival: u64,
    row: Bytes,
}

impl Sort {
    pub(super) fn new(
        input: Operator,
        keys: &[SortKey],
        keep: Option<u64>,
        shape: &Shape,
    ) -> Result<Self, ExecuteError> {
        let keep = keep.map_or(usize::MAX, |keep| usize::try_from(keep).unwrap_or(usize::MAX));
        let order = Order::new(keys, shape)?;
        Ok(Self { input, order, keep, arrived: 0, stage: Stage::Reading(BinaryHeap::new()) })
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        loop {
            match &mut self.stage {
                Stage::Sorted(rows) => return Ok(rows.next().map_or(Step::End, |kept| Step::Row(kept.row))),
                Stage::Reading(rows) => match self.input.next(input)? {
                    Step::Row(row) => {
                        self.arrived += 1;
                        let parts = self.order.parts(&row)?;
                        if !is_too_late(rows, &parts, self.keep, &self.order) {
                            let kept = Kept::new(&self.order, &row, self.arrived)?;
                            keep(rows, kept, self.keep, &mut input.memory)?;
                        }
                    }
                    Step::End => {
                        let rows = std::mem::take(rows).into_sorted_vec();
                        self.stage = Stage::Sorted(rows.into_iter());
                    }
                    wait @ Step::Wait(_) => return Ok(wait),
                },
            }
        }
    }
}

/// Whether as many rows as are wanted come before one with these parts. What came first goes first among equals.
fn is_too_late(rows: &BinaryHeap<Kept>, parts: &Parts, most: usize, order: &Order) -> bool {
    rows.len() >= most
        && rows.peek().is_none_or(|greatest| order.compare(parts, greatest.key.parts()).is_ge())
}

fn keep(
    rows: &mut BinaryHeap<Kept>,
    row: Kept,
    most: usize,
    memory: &mut Memory,
) -> Result<(), ExecuteError> {
    memory.reserve(row.size())?;
    rows.push(row);
    if rows.len() > most
        && let Some(greatest) = rows.pop()
    {
        memory.release(greatest.size());
    }
    Ok(())
}

impl Kept {
    fn new(order: &Arc<Order>, row: &Bytes, arrival: u64) -> Result<Self, ExecuteError> {
        // A copy, since a slice would keep all of the burst it came in.
        let row = Bytes::copy_from_slice(row);
        Ok(Self { key: Key::new(order, order.parts(&row)?), arrival, row })
    }

    fn size(&self) -> usize {
        self.row.len() + self.key.size() + size_of::<Self>()
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then(self.arrival.cmp(&other.arrival))
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
