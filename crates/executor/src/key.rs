//! What rows are compared by.

mod column;
mod part;
mod weight;

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive::{ColumnRef, SortKey};
use serval_wire::packet::ColumnDefinition;
use smallvec::SmallVec;

pub(crate) use column::KeyColumn;
pub(crate) use part::Part;

use crate::error::ExecuteError;
use crate::operator::Shape;
use crate::row::{Cells, Layout};

/// An order of rows: which cells count, and how they compare.
#[derive(Debug)]
pub(crate) struct Order {
    columns: Vec<OrderColumn>,
    /// Cells behind this many are not looked at.
    cells: usize,
    layout: Layout,
}

#[derive(Debug)]
struct OrderColumn {
    column: KeyColumn,
    descending: bool,
}

impl Order {
    /// The order of `keys` over rows of `shape`.
    pub(crate) fn new(keys: &[SortKey], shape: &Shape) -> Result<Arc<Self>, ExecuteError> {
        let columns = keys.iter().map(|key| OrderColumn::new(key, shape)).collect::<Result<Vec<_>, _>>()?;
        let cells = columns.iter().map(|column| column.column.last_cell() + 1).max().unwrap_or(0);
        Ok(Arc::new(Self { columns, cells, layout: shape.layout() }))
    }

    /// What a row is compared by: only its own cells are decoded.
    pub(crate) fn parts(&self, row: &Bytes) -> Result<Parts, ExecuteError> {
        let mut cells = Cells::new();
        self.layout.read(row, self.cells, &mut cells)?;
        let mut parts = Parts::new();
        for column in &self.columns {
            parts.push(column.column.part(row, &cells)?);
        }
        Ok(parts)
    }

    /// The first column in which two rows of these parts differ; their number where they do not.
    pub(crate) fn first_difference(&self, one: &Parts, other: &Parts) -> usize {
        let differs =
            |index: &usize| self.columns[*index].column.compare(&one[*index], &other[*index]).is_ne();
        (0..self.columns.len()).find(differs).unwrap_or(self.columns.len())
    }

    /// How two rows of these parts compare.
    pub(crate) fn compare(&self, one: &Parts, other: &Parts) -> Ordering {
        for (index, column) in self.columns.iter().enumerate() {
            let (Some(one), Some(other)) = (one.get(index), other.get(index)) else { break };
            let ordering = column.column.compare(one, other);
            if ordering.is_ne() {
                return if column.descending { ordering.reverse() } else { ordering };
            }
        }
        Ordering::Equal
    }
}

impl OrderColumn {
    fn new(key: &SortKey, shape: &Shape) -> Result<Self, ExecuteError> {
        let column = KeyColumn::new(key.value, key.weight, &key.padding, shape)?;
        Ok(Self { column, descending: key.descending })
    }
}

/// The index of a column in a row, and its definition.
pub(crate) fn resolve(column: ColumnRef, shape: &Shape) -> Result<(usize, &ColumnDefinition), ExecuteError> {
    let visible = shape.columns.len().saturating_sub(shape.hidden);
    let index = match column {
        ColumnRef::Visible(index) if index < visible => index,
        ColumnRef::Hidden(index) => visible + index,
        ColumnRef::Visible(_) => shape.columns.len(),
    };
    let definition = shape.columns.get(index).ok_or_else(|| {
        ExecuteError::malformed("a node", "result set: fewer columns than the plan counts on")
    })?;
    Ok((index, definition))
}

/// What one row is compared by, one part for each column of an [`Order`].
pub(crate) type Parts = SmallVec<[Part; 2]>;

/// One row's parts with their order, for collections that compare by themselves.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    parts: Parts,
    order: Arc<Order>,
}

impl Key {
    /// The key of a row with these parts.
    pub(crate) fn new(order: &Arc<Order>, parts: Parts) -> Self {
        Self { parts, order: Arc::clone(order) }
    }

    /// What the row is compared by.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What the key itself takes, beside the row whose bytes it shares.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + if self.parts.spilled() { self.parts.len() * size_of::<Part>() } else { 0 }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.parts, &other.parts)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests;
