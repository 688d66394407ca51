//! `Aggregate`: neighbouring rows with equal keys become one.

use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive::{Combine, SortKey};

use super::combine::{Accumulator, Column, columns, encode};
use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::key::{Order, Parts};
use crate::row::{Cells, Encoding, Layout};
use crate::stream::Input;

/// Combines groups, one at a time.
///
/// Without keys all rows are one group, which is there even where no row came.
#[derive(Debug)]
pub(crate) struct Aggregate {
    input: Operator,
    order: Arc<Order>,
    columns: Vec<Column>,
    encoding: Encoding,
    layout: Layout,
    /// A group of one row is that row.
    passes: bool,
    /// The input has compared rows by the very same keys, so that they need not be read again.
    merged: bool,
    group: Option<Group>,
    /// Without keys there is a row even where nothing came.
    owes: bool,
}

/// The rows of one group so far.
#[derive(Debug)]
struct Group {
    parts: Parts,
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    /// One, as it came.
    One(Bytes),
    Many(Vec<Accumulator>),
}

impl Aggregate {
    pub(super) fn new(
        input: Operator,
        keys: &[SortKey],
        combines: &[Combine],
        shape: &Shape,
    ) -> Result<Self, ExecuteError> {
        let columns = columns(combines, shape, !keys.is_empty())?;
        let order = Order::new(keys, shape)?;
        let passes = columns.iter().all(Column::keeps);
        let (encoding, layout) = (shape.encoding, shape.layout());
        let merged = input.merges_by(keys);
        let owes = keys.is_empty();
        Ok(Self { input, order, columns, encoding, layout, passes, merged, group: None, owes })
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        loop {
            match self.input.next(input)? {
                Step::Row(row) => {
                    self.owes = false;
                    let parts = if self.merged { self.input.key() } else { self.order.parts(&row)? };
                    if let Some(whole) = self.add(&row, parts)? {
                        return Ok(Step::Row(whole));
                    }
                }
                Step::End => {
                    return match self.group.take() {
                        Some(group) => self.finish(group.rows).map(Step::Row),
                        None if std::mem::take(&mut self.owes) => self.nothing().map(Step::Row),
                        None => Ok(Step::End),
                    };
                }
                wait @ Step::Wait(_) => return Ok(wait),
            }
        }
    }

    /// Takes a row of these parts in; the whole of the group before it, if the row begins another.
    fn add(&mut self, row: &Bytes, parts: Parts) -> Result<Option<Bytes>, ExecuteError> {
        let same = self.group.as_ref().is_some_and(|group| self.order.compare(&group.parts, &parts).is_eq());
        if same && let Some(mut group) = self.group.take() {
            let mut accumulators = match group.rows {
                Rows::One(first) => self.start(&first)?,
                Rows::Many(accumulators) => accumulators,
            };
            let mut cells = Cells::new();
            self.layout.read(row, self.columns.len(), &mut cells)?;
            for (column, accumulator) in self.columns.iter().zip(&mut accumulators) {
                column.add(accumulator, row, &cells)?;
            }
            group.rows = Rows::Many(accumulators);
            self.group = Some(group);
            return Ok(None);
        }
        let rows = if self.passes { Rows::One(row.clone()) } else { Rows::Many(self.start(row)?) };
        let whole = self.group.replace(Group { parts, rows });
        whole.map(|group| self.finish(group.rows)).transpose()
    }

    /// The accumulators of a group that begins with this row.
    fn start(&self, row: &Bytes) -> Result<Vec<Accumulator>, ExecuteError> {
        let mut cells = Cells::new();
        self.layout.read(row, self.columns.len(), &mut cells)?;
        self.columns.iter().map(|column| column.start(row, &cells)).collect()
    }

    fn finish(&self, rows: Rows) -> Result<Bytes, ExecuteError> {
        match rows {
            Rows::One(row) => Ok(row),
            Rows::Many(all) => {
                let columns = self.columns.iter().zip(&all);
                let values = columns.map(|(column, own)| column.finish(own, &all));
                encode(&self.columns, self.encoding, values)
            }
        }
    }

    /// What aggregates are of no rows.
    fn nothing(&self) -> Result<Bytes, ExecuteError> {
        encode(&self.columns, self.encoding, self.columns.iter().map(|column| Ok(column.nothing())))
    }
}
