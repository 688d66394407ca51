//! Chains of AND and OR as balanced trees.
//!
//! ORMs write conditions of tens of thousands of terms. sqlparser makes a tree as deep as such a chain is long, and the
//! first recursive walk, a clone or only a drop would overflow the stack. AND and OR are associative, so the
//! same terms in the same order under a balanced tree mean the same.

use std::ops::ControlFlow;

use sqlparser::ast::{self, BinaryOperator, Expr, VisitMut, VisitorMut};

/// Chains up to this length stay as they are.
const SHORT: usize = 32;

pub(super) fn balance(statement: &mut ast::Statement) {
    // The visitor comes to the top of each chain before its parts, so it never walks down a long one.
    let _ = statement.visit(&mut Balancer);
}

struct Balancer;

impl VisitorMut for Balancer {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        for op in [BinaryOperator::And, BinaryOperator::Or] {
            if chain_length(expr, &op) > SHORT {
                let terms = take_chain(expr, &op);
                *expr = rebuild(terms, &op);
            }
        }
        ControlFlow::Continue(())
    }
}

fn chain_length(expr: &Expr, op: &BinaryOperator) -> usize {
    let mut length = 0;
    let mut at = expr;
    while let Expr::BinaryOp { left, op: found, .. } = at {
        if found != op {
            break;
        }
        length += 1;
        at = left;
    }
    length
}

/// The terms of a chain in order.
fn take_chain(expr: &mut Expr, op: &BinaryOperator) -> Vec<Expr> {
    let mut terms = Vec::new();
    let mut rest = std::mem::replace(expr, nothing());
    loop {
        match rest {
            Expr::BinaryOp { left, op: found, right } if found == *op => {
                terms.push(*right);
                rest = *left;
            }
            first => {
                terms.push(first);
                terms.reverse();
                return terms;
            }
        }
    }
}

fn rebuild(mut terms: Vec<Expr>, op: &BinaryOperator) -> Expr {
    let right = terms.split_off(terms.len().div_ceil(2));
    match (terms.len(), right.is_empty()) {
        (_, false) => Expr::BinaryOp {
            left: Box::new(rebuild(terms, op)),
            op: op.clone(),
            right: Box::new(rebuild(right, op)),
        },
        _ => terms.pop().unwrap_or_else(nothing),
    }
}

fn nothing() -> Expr {
    Expr::Value(ast::Value::Null.into())
}
