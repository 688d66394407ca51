//! What follows from an OR for one reference alone.
//!
//! Of `p.brand = 'a' AND l.quantity < 5 OR p.brand = 'b' AND l.quantity > 9` each row of p fulfils `p.brand = 'a' OR p.brand =
//! 'b'`, because every alternative says something of p. Where one says nothing of a reference, nothing follows for it.

use sqlparser::ast::{BinaryOperator, Expr};

use super::columns::{Column, Scope};
use super::early::{Judge, Place, columns, terms};

/// One of these holds for every row of a reference that can count.
#[derive(Debug, Clone)]
pub(crate) struct Alternatives {
    /// The reference.
    pub(crate) table: usize,
    /// Of each alternative the terms that speak of the reference alone, each with the places of its columns.
    pub(crate) branches: Vec<Vec<(Expr, Vec<Place>)>>,
}

impl Judge<'_> {
    /// What its terms with OR say of single references.
    pub(super) fn alternatives(self, scope: Scope<'_>) -> Vec<Alternatives> {
        let mut found = Vec::new();
        for term in terms(self.expr) {
            let branches = branches(term);
            if branches.len() < 2 {
                continue;
            }
            found.extend(self.whole.iter().filter_map(|&table| alternatives(table, &branches, scope)));
        }
        found
    }
}

fn alternatives(table: usize, branches: &[&Expr], scope: Scope<'_>) -> Option<Alternatives> {
    let of_branch = |branch: &&Expr| {
        let own = inside(branch).into_iter().filter_map(|expr| {
            let (columns, places) = columns(expr, scope)?;
            columns.iter().all(|column| column.table == table).then(|| (expr.clone(), places))
        });
        Some(own.collect::<Vec<_>>()).filter(|own| !own.is_empty())
    };
    let branches = branches.iter().map(of_branch).collect::<Option<Vec<_>>>()?;
    Some(Alternatives { table, branches })
}

/// What OR joins; the expression itself where none does.
fn branches(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Nested(inner) => branches(inner),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let mut found = branches(left);
            found.extend(branches(right));
            found
        }
        expr => vec![expr],
    }
}

/// What AND joins, inside of parentheses, too.
fn inside(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Nested(inner) => inside(inner),
        expr => terms(expr),
    }
}

/// The pairs of columns that are equal wherever a condition holds.
pub(super) fn pairs(expr: &Expr, scope: Scope<'_>) -> Vec<(Column, Column)> {
    match expr {
        Expr::Nested(inner) => pairs(inner, scope),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut found = pairs(left, scope);
            found.extend(pairs(right, scope));
            found
        }
        // What both say holds, whichever it is.
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let other = pairs(right, scope);
            pairs(left, scope).into_iter().filter(|pair| other.contains(pair)).collect()
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let pair = scope.column(left).zip(scope.column(right));
            pair.into_iter().collect()
        }
        _ => Vec::new(),
    }
}
