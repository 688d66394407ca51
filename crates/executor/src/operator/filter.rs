//! `Filter`: the groups for which HAVING is true.

use std::cmp::Ordering;

use bytes::Bytes;
use serval_planner::primitive::{ColumnRef, Comparison, Condition, Padding};

use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::key::{KeyColumn, Part};
use crate::number::compare_decimals;
use crate::row::{Cells, Layout};
use crate::stream::Input;

/// Passes on rows, or not, one at a time.
#[derive(Debug)]
pub(crate) struct Filter {
    input: Operator,
    test: Test,
    layout: Layout,
    /// Cells behind this many are not looked at.
    cells: usize,
}

/// A condition with the places of its columns.
#[derive(Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare { column: KeyColumn, comparison: Comparison, number: Number },
    IsNull(KeyColumn),
}

/// What is compared with.
#[derive(Debug)]
struct Number {
    digits: String,
    /// Where it is one that 128 bits hold.
    integer: Option<i128>,
}

impl Filter {
    pub(super) fn new(input: Operator, condition: &Condition, shape: &Shape) -> Result<Self, ExecuteError> {
        let mut cells = 0;
        let test = Test::new(condition, shape, &mut cells)?;
        Ok(Self { input, test, layout: shape.layout(), cells })
    }

    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, ExecuteError> {
        loop {
            match self.input.next(input)? {
                Step::Row(row) if !self.passes(&row)? => {}
                step => return Ok(step),
            }
        }
    }

    fn passes(&self, row: &Bytes) -> Result<bool, ExecuteError> {
        let mut cells = Cells::new();
        self.layout.read(row, self.cells, &mut cells)?;
        Ok(self.test.truth(row, &cells)? == Some(true))
    }
}

impl Test {
    /// `cells` grows to the number of cells that are looked at.
    fn new(condition: &Condition, shape: &Shape, cells: &mut usize) -> Result<Self, ExecuteError> {
        let mut column = |column: ColumnRef| {
            let column = KeyColumn::new(column, None, &Padding::None, shape)?;
            *cells = (*cells).max(column.last_cell() + 1);
            Ok::<_, ExecuteError>(column)
        };
        Ok(match condition {
            Condition::Compare { column: at, comparison, number } => {
                let number = Number { integer: number.parse().ok(), digits: number.clone() };
                Self::Compare { column: column(*at)?, comparison: *comparison, number }
            }
            Condition::IsNull(at) => Self::IsNull(column(*at)?),
            Condition::Not(inner) => Self::Not(Box::new(Self::new(inner, shape, cells)?)),
            Condition::All(all) => Self::All(Self::each(all, shape, cells)?),
            Condition::Any(any) => Self::Any(Self::each(any, shape, cells)?),
        })
    }

    fn each(all: &[Condition], shape: &Shape, cells: &mut usize) -> Result<Vec<Self>, ExecuteError> {
        all.iter().map(|condition| Self::new(condition, shape, cells)).collect()
    }

    /// Whether it is true of a row; `None` where it is NULL.
    fn truth(&self, row: &Bytes, cells: &[Option<&[u8]>]) -> Result<Option<bool>, ExecuteError> {
        // One that decides does so whatever the others are; else one that is NULL makes all of it NULL.
        let decided = |all: &[Self], by: bool| -> Result<Option<bool>, ExecuteError> {
            let mut whole = Some(!by);
            for test in all {
                match test.truth(row, cells)? {
                    Some(truth) if truth == by => return Ok(Some(by)),
                    Some(_) => {}
                    None => whole = None,
                }
            }
            Ok(whole)
        };
        match self {
            Self::All(all) => decided(all, false),
            Self::Any(any) => decided(any, true),
            Self::Not(inner) => Ok(inner.truth(row, cells)?.map(|truth| !truth)),
            Self::IsNull(column) => Ok(Some(column.part(row, cells)? == Part::Null)),
            Self::Compare { column, comparison, number } => {
                let ordering = match column.part(row, cells)? {
                    Part::Null => return Ok(None),
                    Part::Integer(value) => number.compare_integer(value),
                    Part::Decimal(digits) => compare_decimals(&digits, number.digits.as_bytes()),
                    Part::Float(_) | Part::Bytes(_) => {
                        return Err(ExecuteError::refused(
                            "HAVING over several shards compares integers and DECIMAL only; let a [scratch] server \
                             finish the statement",
                        ));
                    }
                };
                Ok(Some(holds(*comparison, ordering)))
            }
        }
    }
}

impl Number {
    /// How the value compares to this number.
    fn compare_integer(&self, value: i128) -> Ordering {
        match self.integer {
            Some(integer) => value.cmp(&integer),
            None => compare_decimals(value.to_string().as_bytes(), self.digits.as_bytes()),
        }
    }
}

fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}
