//! `MergeSort`: the least of the first rows of all streams, again and again.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive::SortKey;

use super::{Shape, Step};
use crate::error::ExecuteError;
use crate::key::{Key, Order};
use crate::stream::Input;

/// A k-way merge. It holds one row of each stream.
#[derive(Debug)]
pub(crate) struct MergeSort {
    order: Arc<Order>,
    heads: BinaryHeap<Head>,
    /// Streams whose next row is not in `heads`, the next one to ask last.
    wanted: Vec<usize>,
}

/// The first row of a stream. The least row is the greatest head, since the heap gives its greatest first.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    key: Key,
    stream: usize,
    row: Bytes,
}

impl MergeSort {
    pub(super) fn new(streams: usize, keys: &[SortKey], shape: &Shape) -> Result<Self, ExecuteError> {
        let order = Order::new(keys, shape)?;
        Ok(Self { order, heads: BinaryHeap::with_capacity(streams), wanted: (0..streams).rev().collect() })
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        while let Some(&stream) = self.wanted.last() {
            match input.next(stream)? {
                Step::Row(row) => self.heads.push(Head { key: self.order.key(&row)?, stream, row }),
                Step::End => {}
                wait @ Step::Wait(_) => return Ok(wait),
            }
            self.wanted.pop();
        }
        let Some(mut least) = self.heads.peek_mut() else { return Ok(Step::End) };
        match input.next(least.stream)? {
            // Exchanged in place, which costs half of taking one out and putting another in.
            Step::Row(next) => {
                least.key = self.order.key(&next)?;
                Ok(Step::Row(std::mem::replace(&mut least.row, next)))
            }
            Step::End => Ok(Step::Row(PeekMut::pop(least).row)),
            Step::Wait(stream) => {
                self.wanted.push(stream);
                Ok(Step::Row(PeekMut::pop(least).row))
            }
        }
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal rows keep the order of their targets.
        self.key.cmp(&other.key).then(self.stream.cmp(&other.stream)).reverse()
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
