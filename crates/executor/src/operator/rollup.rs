//! `Rollup`: rows for all groups that have their first keys in common.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive;

use super::combine::{Accumulator, Column, columns, encode};
use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::key::{Order, Parts, resolve};
use crate::row::{Cells, Encoding, Layout, Value};
use crate::stream::Input;

/// Passes groups on, and puts rows of many behind them.
#[derive(Debug)]
pub(crate) struct Rollup {
    input: Operator,
    order: Arc<Order>,
    columns: Vec<Column>,
    encoding: Encoding,
    layout: Layout,
    /// For each column the key that it shows.
    key_of: Vec<Option<usize>>,
    /// The last group, and what it was compared by.
    last: Option<(Parts, Bytes)>,
    /// What the groups so far have come to whose first keys, as many as the index says, are those of the last one.
    levels: Vec<Option<Vec<Accumulator>>>,
    /// Rows that go out before the input is asked for another.
    ready: VecDeque<Bytes>,
    /// A row for all groups is owed although none came.
    owes: bool,
}

impl Rollup {
    pub(super) fn new(
        input: Operator,
        plan: &primitive::Rollup,
        shape: &Shape,
    ) -> Result<Self, ExecuteError> {
        let mut key_of = vec![None; shape.columns.len()];
        for (key, shown) in plan.shown.iter().enumerate() {
            if let Some(column) = shown {
                key_of[resolve(*column, shape)?.0] = Some(key);
            }
        }
        Ok(Self {
            input,
            order: Order::new(&plan.keys, shape)?,
            columns: columns(&plan.columns, shape, true)?,
            encoding: shape.encoding,
            layout: shape.layout(),
            key_of,
            last: None,
            levels: plan.keys.iter().map(|_| None).collect(),
            ready: VecDeque::new(),
            owes: plan.totals_nothing,
        })
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        if let Some(row) = self.ready.pop_front() {
            return Ok(Step::Row(row));
        }
        match self.input.next(input)? {
            Step::Row(row) => {
                self.owes = false;
                let parts = self.order.parts(&row)?;
                if let Some((last, group)) = self.last.take() {
                    self.close(self.order.first_difference(&last, &parts) + 1, &group)?;
                }
                self.add(&row)?;
                self.last = Some((parts, row.clone()));
                self.ready.push_back(row);
            }
            Step::End => match self.last.take() {
                Some((_, group)) => self.close(0, &group)?,
                None if std::mem::take(&mut self.owes) => self.ready.push_back(self.nothing()?),
                None => return Ok(Step::End),
            },
            wait @ Step::Wait(_) => return Ok(wait),
        }
        Ok(self.ready.pop_front().map_or(Step::End, Step::Row))
    }

    /// Ends the levels from this one on, the finest first. `last` is their last group.
    fn close(&mut self, from: usize, last: &Bytes) -> Result<(), ExecuteError> {
        let mut cells = Cells::new();
        self.layout.read(last, self.columns.len(), &mut cells)?;
        for level in (from..self.levels.len()).rev() {
            let Some(all) = self.levels[level].take() else { continue };
            let columns = self.columns.iter().zip(&all).zip(self.key_of.iter().zip(&cells));
            let values = columns.map(|((column, own), (key, cell))| match (key, cell) {
                (None, _) => column.finish(own, &all),
                (Some(key), Some(cell)) if *key < level => Ok(Value::Raw(Bytes::copy_from_slice(cell))),
                (Some(_), _) => Ok(Value::Null),
            });
            self.ready.push_back(encode(&self.columns, self.encoding, values)?);
        }
        Ok(())
    }

    /// Takes a group into each level.
    fn add(&mut self, row: &Bytes) -> Result<(), ExecuteError> {
        let mut cells = Cells::new();
        self.layout.read(row, self.columns.len(), &mut cells)?;
        for level in &mut self.levels {
            match level {
                Some(accumulators) => {
                    for (column, accumulator) in self.columns.iter().zip(accumulators) {
                        column.add(accumulator, row, &cells)?;
                    }
                }
                None => {
                    let begun = self.columns.iter().map(|column| column.start(row, &cells));
                    *level = Some(begun.collect::<Result<_, _>>()?);
                }
            }
        }
        Ok(())
    }

    /// What aggregates are of no rows, and no value of any key.
    fn nothing(&self) -> Result<Bytes, ExecuteError> {
        let columns = self.columns.iter().zip(&self.key_of);
        let values = columns.map(|(column, key)| Ok(key.map_or_else(|| column.nothing(), |_| Value::Null)));
        encode(&self.columns, self.encoding, values)
    }
}
