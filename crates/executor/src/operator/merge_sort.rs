//! `MergeSort`: the least of the first rows of all streams, again and again.

use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive::SortKey;

use super::{Shape, Step};
use crate::error::ExecuteError;
use crate::key::{Order, Parts};
use crate::stream::Input;

/// A k-way merge. It holds one row of each stream.
#[derive(Debug)]
pub(crate) struct MergeSort {
    order: Arc<Order>,
    keys: Vec<SortKey>,
    /// What the row given last was compared by.
    given: Parts,
    /// By stream; those of streams that are not in `sorted` mean nothing.
    heads: Vec<Head>,
    /// The streams whose first row is here, the least of them last. Streams are few: to move their numbers costs less
    /// than to move their rows in a heap.
    sorted: Vec<usize>,
    /// Streams whose next row is not here, the next one to ask last.
    wanted: Vec<usize>,
}

/// The first row of a stream.
#[derive(Debug, Default)]
struct Head {
    parts: Parts,
    row: Bytes,
}

impl MergeSort {
    pub(super) fn new(streams: usize, keys: &[SortKey], shape: &Shape) -> Result<Self, ExecuteError> {
        let heads = (0..streams).map(|_| Head::default()).collect();
        let sorted = Vec::with_capacity(streams);
        let (order, wanted) = (Order::new(keys, shape)?, (0..streams).rev().collect());
        Ok(Self { order, keys: keys.to_vec(), given: Parts::new(), heads, sorted, wanted })
    }

    /// Whether rows come in the order of these keys.
    pub(super) fn is_by(&self, keys: &[SortKey]) -> bool {
        self.keys == keys
    }

    /// What the row given last was compared by; once.
    pub(super) fn key(&mut self) -> Parts {
        std::mem::take(&mut self.given)
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        while let Some(&stream) = self.wanted.last() {
            match input.next(stream)? {
                Step::Row(row) => {
                    self.put(stream, row)?;
                }
                Step::End => {}
                wait @ Step::Wait(_) => return Ok(wait),
            }
            self.wanted.pop();
        }
        let Some(least) = self.sorted.pop() else { return Ok(Step::End) };
        let head = match input.next(least)? {
            Step::Row(next) => self.put(least, next)?,
            Step::End => std::mem::take(&mut self.heads[least]),
            Step::Wait(stream) => {
                self.wanted.push(stream);
                std::mem::take(&mut self.heads[least])
            }
        };
        self.given = head.parts;
        Ok(Step::Row(head.row))
    }

    /// Makes `row` the first of its stream, and gives the one that was.
    fn put(&mut self, stream: usize, row: Bytes) -> Result<Head, ExecuteError> {
        let parts = self.order.parts(&row)?;
        let (order, heads) = (&self.order, &self.heads);
        // Equal rows keep the order of their targets.
        let comes_before = |other: usize| {
            order.compare(&parts, &heads[other].parts).then_with(|| stream.cmp(&other)).is_lt()
        };
        let place = self.sorted.partition_point(|&other| comes_before(other));
        self.sorted.insert(place, stream);
        Ok(std::mem::replace(&mut self.heads[stream], Head { parts, row }))
    }
}
