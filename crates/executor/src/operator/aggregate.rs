//! `Aggregate`: neighbouring rows with equal keys become one.

use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive::{Combine, SortKey};

use super::combine::{Accumulator, Column, columns};
use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::key::{Key, Order};
use crate::row::{Encoding, Layout, Writer};
use crate::stream::Input;

/// Combines groups, one at a time.
///
/// Without keys all rows are one group. A query without GROUP BY gives one row on each node even where there is
/// nothing to count, so there is always a row to combine.
#[derive(Debug)]
pub(crate) struct Aggregate {
    input: Operator,
    order: Arc<Order>,
    columns: Vec<Column>,
    encoding: Encoding,
    layout: Layout,
    group: Option<Group>,
}

/// The rows of one group so far.
#[derive(Debug)]
struct Group {
    key: Key,
    accumulators: Vec<Accumulator>,
}

impl Aggregate {
    pub(super) fn new(
        input: Operator,
        keys: &[SortKey],
        combines: &[Combine],
        shape: &Shape,
    ) -> Result<Self, ExecuteError> {
        let columns = columns(combines, shape)?;
        let order = Order::new(keys, shape)?;
        Ok(Self { input, order, columns, encoding: shape.encoding, layout: shape.layout(), group: None })
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        loop {
            match self.input.next(input)? {
                Step::Row(row) => {
                    if let Some(whole) = self.add(&row)? {
                        return Ok(Step::Row(whole));
                    }
                }
                Step::End => {
                    return match self.group.take() {
                        Some(group) => self.finish(&group).map(Step::Row),
                        None => Ok(Step::End),
                    };
                }
                wait @ Step::Wait(_) => return Ok(wait),
            }
        }
    }

    /// Takes a row in; the whole of the group before it, if the row begins another.
    fn add(&mut self, row: &Bytes) -> Result<Option<Bytes>, ExecuteError> {
        let key = self.order.key(row)?;
        let cells = self.layout.cells(row, self.columns.len())?;
        let whole = match &mut self.group {
            Some(group) if group.key == key => {
                for (column, accumulator) in self.columns.iter().zip(&mut group.accumulators) {
                    column.add(accumulator, row, &cells)?;
                }
                return Ok(None);
            }
            Some(group) => Some(std::mem::take(&mut group.accumulators)),
            None => None,
        };
        let accumulators = self.columns.iter().map(|column| column.start(row, &cells));
        self.group = Some(Group { key, accumulators: accumulators.collect::<Result<_, _>>()? });
        whole.map(|accumulators| self.encode(&accumulators)).transpose()
    }

    fn finish(&self, group: &Group) -> Result<Bytes, ExecuteError> {
        self.encode(&group.accumulators)
    }

    fn encode(&self, accumulators: &[Accumulator]) -> Result<Bytes, ExecuteError> {
        let mut row = Writer::new(self.encoding, self.columns.len());
        for (column, accumulator) in self.columns.iter().zip(accumulators) {
            row.push(column.definition(), &column.finish(accumulator, accumulators)?)?;
        }
        row.finish()
    }
}
