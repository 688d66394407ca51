//! Equalities between columns, and how far each of them holds.
//!
//! A condition of WHERE or of an inner join holds for every row of the result. That of an outer join holds only for
//! rows whose filled-up side is not NULL: `a LEFT JOIN b ON a.id = b.id` says of each row that b.id is a.id *or NULL*,
//! and nothing at all of two columns of its preserved side.

use sqlparser::ast::{BinaryOperator, Expr};

use super::columns::{Column, Scope};

/// `one = two`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Equality {
    one: Column,
    two: Column,
    holds: Holds,
}

/// For which rows an equality holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Always,
    /// Where `two`, of the filled-up side, is not NULL.
    WherePresent,
}

/// Which way equalities of outer joins are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the filled-up side, known not to be NULL, to the preserved one.
    Up,
    /// From the preserved side to the filled-up one, which may be NULL from then on.
    Down,
}

impl Equality {
    /// An equality for every row.
    pub(super) fn always(one: Column, two: Column) -> Self {
        Self { one, two, holds: Holds::Always }
    }

    /// What an outer join that fills up the references `filled` makes of an equality; `None` for nothing.
    pub(super) fn of_outer(one: Column, two: Column, filled: &[usize]) -> Option<Self> {
        match (filled.contains(&one.table), filled.contains(&two.table)) {
            // Both are NULL or neither is.
            (true, true) => Some(Self::always(one, two)),
            (false, true) => Some(Self { one, two, holds: Holds::WherePresent }),
            (true, false) => Some(Self { one: two, two: one, holds: Holds::WherePresent }),
            (false, false) => None,
        }
    }

    /// The other column, seen from `known`.
    fn step(&self, known: &Column, way: Way) -> Option<&Column> {
        let both = self.holds == Holds::Always;
        if self.one == *known && (both || way == Way::Down) {
            Some(&self.two)
        } else if self.two == *known && (both || way == Way::Up) {
            Some(&self.one)
        } else {
            None
        }
    }
}

/// Notes the equalities of `expr`, a condition of WHERE or of a join that fills up the references `filled`.
pub(super) fn equalities(expr: &Expr, scope: Scope<'_>, filled: Option<&[usize]>, found: &mut Vec<Equality>) {
    match expr {
        Expr::Nested(inner) => equalities(inner, scope, filled, found),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            equalities(left, scope, filled, found);
            equalities(right, scope, filled, found);
        }
        // What both say holds, whichever it is.
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            equalities(left, scope, filled, &mut one);
            equalities(right, scope, filled, &mut two);
            found.extend(one.into_iter().filter(|equality| two.contains(equality)));
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            if let (Some(one), Some(two)) = (scope.column(left), scope.column(right)) {
                found.extend(match filled {
                    None => Some(Equality::always(one, two)),
                    Some(filled) => Equality::of_outer(one, two, filled),
                });
            }
        }
        _ => {}
    }
}

/// All columns that equal `start` wherever both are present, `start` included.
///
/// Two columns filled up from the same preserved one need not equal each other once one of them is NULL, so the way is
/// first up, then down, and never up again.
pub(super) fn equal_to(scope: Scope<'_>, start: Column, equalities: &[Equality]) -> Vec<Column> {
    class(scope, start, equalities, &[Way::Up, Way::Down])
}

/// All columns that equal `start` wherever they are present themselves, `start` included: `start` is present then, too.
pub(super) fn following(scope: Scope<'_>, start: Column, equalities: &[Equality]) -> Vec<Column> {
    class(scope, start, equalities, &[Way::Down])
}

fn class(scope: Scope<'_>, start: Column, equalities: &[Equality], ways: &[Way]) -> Vec<Column> {
    let mut class = vec![start];
    for &way in ways {
        let mut next = 0;
        while let Some(known) = class.get(next).cloned() {
            next += 1;
            for other in equalities.iter().filter_map(|equality| equality.step(&known, way)) {
                if !class.contains(other) && scope.comparable(&known, other) {
                    class.push(other.clone());
                }
            }
        }
    }
    class
}
