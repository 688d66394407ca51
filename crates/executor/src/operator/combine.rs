//! How the cells of one column within a group become one.

mod sum;

use bytes::Bytes;
use serval_planner::primitive::{ColumnRef, Combine, Padding};
use serval_wire::packet::ColumnDefinition;

use super::Shape;
use crate::error::ExecuteError;
use crate::key::{KeyColumn, Part, resolve};
use crate::row::{Encoding, Reader, Value, Writer};

use sum::{Kind, Sum};

/// One column of an aggregate.
#[derive(Debug)]
pub(super) struct Column {
    index: usize,
    definition: ColumnDefinition,
    reader: Reader,
    rule: Rule,
    /// There is a GROUP BY.
    grouped: bool,
}

#[derive(Debug)]
enum Rule {
    First,
    Sum(Kind),
    Extreme {
        key: KeyColumn,
        greatest: bool,
    },
    /// The weight of another column's extreme, by that column's index.
    WeightOf(usize),
    /// Of two other columns, by their index.
    Average {
        sum: usize,
        count: usize,
    },
}

/// What a column of one group has come to so far.
#[derive(Debug)]
pub(super) enum Accumulator {
    Cell(Option<Bytes>),
    Sum(Sum),
    Extreme {
        best: Part,
        cell: Option<Bytes>,
    },
    /// Known at the end.
    Later,
}

/// A row of one value a column.
pub(super) fn encode(
    columns: &[Column],
    encoding: Encoding,
    values: impl Iterator<Item = Result<Value, ExecuteError>>,
) -> Result<Bytes, ExecuteError> {
    let mut row = Writer::new(encoding, columns.len());
    for (column, value) in columns.iter().zip(values) {
        row.push(&column.definition, &value?)?;
    }
    row.finish()
}

/// The columns of an aggregate; those without a rule take the first row's value.
pub(super) fn columns(
    combines: &[Combine],
    shape: &Shape,
    grouped: bool,
) -> Result<Vec<Column>, ExecuteError> {
    let combines = combines.iter().chain(std::iter::repeat(&Combine::First)).take(shape.columns.len());
    let columns = combines.enumerate().map(|(index, combine)| Column::new(index, combine, shape, grouped));
    let mut columns: Vec<Column> = columns.collect::<Result<_, _>>()?;
    for index in 0..columns.len() {
        let Rule::Extreme { key, .. } = &columns[index].rule else { continue };
        let Some(weight) = key.weight_cell() else { continue };
        // What sorts by MIN(text) afterwards sorts by this weight, so it must be the chosen text's.
        columns[weight].rule = Rule::WeightOf(index);
    }
    Ok(columns)
}

impl Column {
    fn new(index: usize, combine: &Combine, shape: &Shape, grouped: bool) -> Result<Self, ExecuteError> {
        let definition = shape.columns[index].clone();
        let rule = match combine {
            Combine::First => Rule::First,
            Combine::Sum => Rule::Sum(Kind::of(&definition)?),
            Combine::Min { weight } => Rule::extreme(index, *weight, false, shape)?,
            Combine::Max { weight } => Rule::extreme(index, *weight, true, shape)?,
            Combine::Average { sum, count } => {
                Rule::Average { sum: resolve(*sum, shape)?.0, count: resolve(*count, shape)?.0 }
            }
        };
        let reader = Reader::new(shape.encoding, &definition);
        Ok(Self { index, reader, definition, rule, grouped })
    }

    /// Whether a group of one row has what that row has. An average stands in no row, and a DECIMAL may have more digits
    /// than one.
    pub(super) fn keeps(&self) -> bool {
        !matches!(self.rule, Rule::Average { .. } | Rule::Sum(Kind::Decimal))
    }

    /// The accumulator of a group that begins with this row.
    pub(super) fn start(&self, row: &Bytes, cells: &[Option<&[u8]>]) -> Result<Accumulator, ExecuteError> {
        let cell = || cells[self.index].map(Bytes::copy_from_slice);
        Ok(match &self.rule {
            Rule::First | Rule::WeightOf(_) => Accumulator::Cell(cell()),
            Rule::Sum(kind) => Accumulator::Sum(kind.start(self.reader, cells[self.index])?),
            // Copied, so that a long group does not hold on to the burst that its first row came in.
            Rule::Extreme { key, .. } => {
                Accumulator::Extreme { best: copied(key.part(row, cells)?), cell: cell() }
            }
            Rule::Average { .. } => Accumulator::Later,
        })
    }

    /// Takes in another row of the group.
    pub(super) fn add(
        &self,
        accumulator: &mut Accumulator,
        row: &Bytes,
        cells: &[Option<&[u8]>],
    ) -> Result<(), ExecuteError> {
        match (&self.rule, accumulator) {
            (Rule::Sum(kind), Accumulator::Sum(sum)) => sum.add(kind.start(self.reader, cells[self.index])?),
            (Rule::Extreme { key, greatest }, Accumulator::Extreme { best, cell }) => {
                let part = key.part(row, cells)?;
                let ordering = key.compare(&part, best);
                let better = if *greatest { ordering.is_gt() } else { ordering.is_lt() };
                // NULL is least in an order, but no value at all to MIN.
                if part != Part::Null && (better || *best == Part::Null) {
                    *best = copied(part);
                    *cell = cells[self.index].map(Bytes::copy_from_slice);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The value where there are no rows: 0 of COUNT, the only sum that is an integer, and NULL of everything else.
    pub(super) fn nothing(&self) -> Value {
        match self.rule {
            Rule::Sum(Kind::Integer) => Value::Integer(0),
            _ => Value::Null,
        }
    }

    /// The value of the whole group.
    pub(super) fn finish(&self, own: &Accumulator, all: &[Accumulator]) -> Result<Value, ExecuteError> {
        match (&self.rule, own) {
            (Rule::Average { sum, count }, _) => match (&all[*sum], &all[*count]) {
                (Accumulator::Sum(sum), Accumulator::Sum(count)) => {
                    sum.divided_by(count, &self.definition, self.grouped)
                }
                _ => Err(ExecuteError::refused("The plan averages columns that it does not sum")),
            },
            (Rule::WeightOf(value), _) => match &all[*value] {
                Accumulator::Extreme { best: Part::Bytes(weight), .. } => Ok(Value::Raw(weight.clone())),
                _ => Ok(Value::Null),
            },
            (_, Accumulator::Sum(sum)) => sum.finish(&self.definition, self.grouped),
            (_, Accumulator::Cell(cell) | Accumulator::Extreme { cell, .. }) => {
                Ok(cell.clone().map_or(Value::Null, Value::Raw))
            }
            (_, Accumulator::Later) => Ok(Value::Null),
        }
    }
}

impl Rule {
    fn extreme(
        index: usize,
        weight: Option<ColumnRef>,
        greatest: bool,
        shape: &Shape,
    ) -> Result<Self, ExecuteError> {
        let visible = shape.columns.len() - shape.hidden;
        let value = match index.checked_sub(visible) {
            None => ColumnRef::Visible(index),
            Some(hidden) => ColumnRef::Hidden(hidden),
        };
        Ok(Self::Extreme { key: KeyColumn::new(value, weight, &Padding::None, shape)?, greatest })
    }
}

fn copied(part: Part) -> Part {
    match part {
        Part::Decimal(text) => Part::Decimal(Bytes::copy_from_slice(&text)),
        Part::Bytes(bytes) => Part::Bytes(Bytes::copy_from_slice(&bytes)),
        part => part,
    }
}
