//! From a predicate to a reach.

use serval_sql::{Locator, Scan};
use sqlparser::ast::{BinaryOperator, Expr};

use super::columns::{Column, Scope};
use crate::operand::{Operand, is_date, is_moment};
use crate::reach::Reach;

/// Reads predicates for one class of equal columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// How columns are looked up.
    pub(crate) scope: Scope<'a>,
    /// The columns that equal the sharding column, itself included.
    pub(crate) class: &'a [Column],
    /// From the parser's places to bytes.
    pub(crate) locator: &'a Locator,
    /// Where the holes are.
    pub(crate) scan: &'a Scan,
}

impl Reader<'_> {
    /// The shards that rows satisfying `expr` can be in.
    pub(crate) fn reach(&self, expr: &Expr) -> Reach {
        match expr {
            Expr::Nested(inner) => self.reach(inner),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::InList { expr, list, negated: false } => self.in_list(expr, list),
            Expr::Between { expr, negated: false, low, high } if self.is_key(expr) => {
                match (self.operand(low), self.operand(high)) {
                    (Some(low), Some(high)) => {
                        Reach::Range { low: Some((low, true)), high: Some((high, true)) }
                    }
                    (Some(low), None) => Reach::Range { low: Some((low, true)), high: None },
                    (None, Some(high)) => Reach::Range { low: None, high: Some((high, true)) },
                    (None, None) => Reach::All,
                }
            }
            _ => Reach::All,
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Reach {
        match op {
            BinaryOperator::And => self.reach(left).and(self.reach(right)),
            BinaryOperator::Or => self.reach(left).or(self.reach(right)),
            BinaryOperator::Eq => self.equal(left, right),
            BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => {
                self.compare(left, op, right)
            }
            _ => Reach::All,
        }
    }

    fn equal(&self, left: &Expr, right: &Expr) -> Reach {
        if let (Some(ones), Some(twos)) = (row(left), row(right)) {
            return ones.iter().zip(twos).fold(Reach::All, |all, (one, two)| all.and(self.equal(one, two)));
        }
        let value = if self.is_key(left) {
            self.operand(right)
        } else if self.is_key(right) {
            self.operand(left)
        } else {
            None
        };
        value.map_or(Reach::All, |value| Reach::Equal(vec![value]))
    }

    fn compare(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Reach {
        let (key_is_left, value) = if self.is_key(left) {
            (true, self.operand(right))
        } else if self.is_key(right) {
            (false, self.operand(left))
        } else {
            return Reach::All;
        };
        let Some(value) = value else { return Reach::All };
        let included = matches!(op, BinaryOperator::LtEq | BinaryOperator::GtEq);
        let is_less = matches!(op, BinaryOperator::Lt | BinaryOperator::LtEq);
        let limit = Some((value, included));
        if is_less == key_is_left {
            Reach::Range { low: None, high: limit }
        } else {
            Reach::Range { low: limit, high: None }
        }
    }

    fn in_list(&self, expr: &Expr, list: &[Expr]) -> Reach {
        if let Some(columns) = row(expr) {
            let rows = list.iter().map(|values| match row(values) {
                Some(values) => columns
                    .iter()
                    .zip(values)
                    .fold(Reach::All, |all, (one, two)| all.and(self.equal(one, two))),
                None => Reach::All,
            });
            return rows.reduce(Reach::or).unwrap_or(Reach::All);
        }
        if !self.is_key(expr) {
            return Reach::All;
        }
        if let Some(hole) = self.list_hole(list) {
            return Reach::Equal(vec![Operand::List(hole)]);
        }
        list.iter()
            .map(|value| self.operand(value))
            .collect::<Option<Vec<_>>>()
            .map_or(Reach::All, Reach::Equal)
    }

    /// The hole that holds the whole list, where the lexer made one of it.
    fn list_hole(&self, list: &[Expr]) -> Option<usize> {
        let Expr::Value(first) = list.first()? else { return None };
        let (hole, element) = self.scan.hole_at(self.locator.span(first.span).start)?;
        element.map(|_| hole)
    }

    fn is_key(&self, expr: &Expr) -> bool {
        self.scope.column(expr).is_some_and(|column| self.class.contains(&column))
    }

    fn operand(&self, expr: &Expr) -> Option<Operand> {
        // `code = DATE '2026-1-5'` compares dates, not strings.
        let fits = !is_moment(expr) || self.class.first().is_some_and(|key| self.is_civil(key));
        Operand::of(expr, self.locator, self.scan).filter(|_| fits)
    }

    fn is_civil(&self, key: &Column) -> bool {
        self.scope.column_type(key.table, &key.name).is_some_and(is_date)
    }
}

fn row(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(values) => Some(values),
        _ => None,
    }
}
