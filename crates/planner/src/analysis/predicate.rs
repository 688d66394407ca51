//! From a predicate to a reach.

use serval_sql::{Locator, Scan};
use serval_types::{Collation, ColumnType};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::columns::{Column, Scope};
use crate::fold::{Fold, Place};
use crate::operand::{Operand, is_date, is_moment};
use crate::reach::Reach;
use crate::variables::variable;

/// Reads predicates for the sharding columns of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// How columns are looked up.
    pub(crate) scope: Scope<'a>,
    /// Of each sharding column the columns that equal it, itself included.
    pub(crate) classes: &'a [Vec<Column>],
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
            Expr::Between { expr, negated: false, low, high } => self.between(expr, low, high),
            Expr::IsTrue(expr) => self.reach(expr),
            Expr::IsFalse(expr) => self.reach_where_false(expr),
            // In some modes NOT binds closer than what follows, unless that has parentheses.
            Expr::UnaryOp { op: UnaryOperator::Not, expr } if matches!(**expr, Expr::Nested(_)) => {
                self.reach_where_false(expr)
            }
            _ => Reach::All,
        }
    }

    /// The shards that rows can be in for which `expr` is false, and not NULL.
    fn reach_where_false(&self, expr: &Expr) -> Reach {
        match expr {
            Expr::Nested(inner) => self.reach_where_false(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } if matches!(**expr, Expr::Nested(_)) => {
                self.reach(expr)
            }
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::And => self.reach_where_false(left).or(self.reach_where_false(right)),
                BinaryOperator::Or => self.reach_where_false(left).and(self.reach_where_false(right)),
                BinaryOperator::NotEq => self.equal(left, right),
                BinaryOperator::Lt => self.compare(left, &BinaryOperator::GtEq, right),
                BinaryOperator::LtEq => self.compare(left, &BinaryOperator::Gt, right),
                BinaryOperator::Gt => self.compare(left, &BinaryOperator::LtEq, right),
                BinaryOperator::GtEq => self.compare(left, &BinaryOperator::Lt, right),
                _ => Reach::All,
            },
            Expr::InList { expr, list, negated: true } => self.in_list(expr, list),
            Expr::Between { expr, negated: true, low, high } => self.between(expr, low, high),
            Expr::IsNotTrue(expr) => self.reach(expr),
            Expr::IsNotFalse(expr) => self.reach_where_false(expr),
            _ => Reach::All,
        }
    }

    fn between(&self, expr: &Expr, low: &Expr, high: &Expr) -> Reach {
        self.all_keys(expr, |column| {
            let low = self.limit(low, column).map(|low| (low, true));
            let high = self.limit(high, column).map(|high| (high, true));
            match (low, high) {
                (None, None) => Reach::All,
                (low, high) => Reach::Range { column, low, high },
            }
        })
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Reach {
        match op {
            BinaryOperator::And => self.reach(left).and(self.reach(right)),
            BinaryOperator::Or => self.reach(left).or(self.reach(right)),
            BinaryOperator::Eq => self.equal(left, right),
            BinaryOperator::Spaceship => self.same(left, right),
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
        let equal = |key: &Expr, value: &Expr| {
            self.all_keys(key, |column| match self.operand(value, column) {
                Some(value) => Reach::Equal(column, vec![value]),
                None => Reach::All,
            })
        };
        equal(left, right).and(equal(right, left))
    }

    /// `<=>`, which is `=` for all but NULL.
    fn same(&self, left: &Expr, right: &Expr) -> Reach {
        let same = |key: &Expr, value: &Expr| {
            self.all_keys(key, |column| match self.operand(value, column) {
                Some(value) => {
                    let present = Operand::Computed(Box::new(Fold::Present(Box::new(value))));
                    Reach::Equal(column, vec![present])
                }
                None => Reach::All,
            })
        };
        same(left, right).and(same(right, left))
    }

    fn compare(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Reach {
        let included = matches!(op, BinaryOperator::LtEq | BinaryOperator::GtEq);
        let is_less = matches!(op, BinaryOperator::Lt | BinaryOperator::LtEq);
        let limit = |key: &Expr, value: &Expr, is_less: bool| {
            self.all_keys(key, |column| match self.limit(value, column) {
                None => Reach::All,
                Some(value) if is_less => Reach::Range { column, low: None, high: Some((value, included)) },
                Some(value) => Reach::Range { column, low: Some((value, included)), high: None },
            })
        };
        limit(left, right, is_less).and(limit(right, left, !is_less))
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
        self.all_keys(expr, |column| {
            if let Some(hole) = self.list_hole(list) {
                return Reach::Equal(column, vec![Operand::List(hole)]);
            }
            if serval_sql::is_shortened(list) {
                return Reach::All;
            }
            list.iter()
                .map(|value| self.operand(value, column))
                .collect::<Option<Vec<_>>>()
                .map_or(Reach::All, |values| Reach::Equal(column, values))
        })
    }

    /// The hole that holds the whole list, where the lexer made one of it.
    fn list_hole(&self, list: &[Expr]) -> Option<usize> {
        let Expr::Value(first) = list.first()? else { return None };
        let (hole, element) = self.scan.hole_at(self.locator.span(first.span).start)?;
        element.map(|_| hole)
    }

    /// What an expression says of each sharding column that it equals: mostly of none or one.
    fn all_keys(&self, expr: &Expr, reach: impl Fn(usize) -> Reach) -> Reach {
        let Some(found) = self.scope.column(expr) else { return Reach::All };
        let keys = self.classes.iter().enumerate().filter(|(_, class)| class.contains(&found));
        keys.fold(Reach::All, |all, (column, _)| all.and(reach(column)))
    }

    /// An operand of an order. Which collation text has beside a variable depends on the variable.
    fn limit(&self, expr: &Expr, column: usize) -> Option<Operand> {
        let key = self.classes.get(column).and_then(|class| class.first());
        let declared = key.and_then(|key| self.scope.column_type(key.table, &key.name));
        let is_text =
            !declared.is_some_and(|declared| is_date(declared) || matches!(declared, ColumnType::Int { .. }));
        self.operand(expr, column).filter(|operand| !is_text || !matches!(operand, Operand::Variable(_)))
    }

    fn operand(&self, expr: &Expr, column: usize) -> Option<Operand> {
        // `code = DATE '2026-1-5'` compares dates, not strings.
        let key = self.classes.get(column).and_then(|class| class.first());
        let declared = key.and_then(|key| self.scope.column_type(key.table, &key.name));
        if let Some(variable) = variable(expr) {
            // Beside a text of another character set its own collation decides.
            let other = |collation: &Collation| !collation.name().starts_with("utf8mb4_");
            return match declared {
                Some(ColumnType::Text { collation, .. }) if collation.as_ref().is_none_or(other) => None,
                _ => Some(variable),
            };
        }
        let Some(plain) = Operand::of(expr, self.locator, self.scan) else {
            let place = Place { locator: self.locator, scan: self.scan };
            return Fold::of(expr, declared?, place).map(|fold| Operand::Computed(Box::new(fold)));
        };
        Some(plain).filter(|_| !is_moment(expr) || declared.is_some_and(is_date))
    }
}

fn row(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(values) => Some(values),
        _ => None,
    }
}
