//! MATCH … AGAINST over several shards: whether a row is found is the row's own matter, how relevant it is counts all rows
//! of the server.
//!
//! [Natural Language Full-Text Searches](https://dev.mysql.com/doc/refman/8.4/en/fulltext-natural-language.html): the
//! relevance falls with the number of rows that have a word. WITH QUERY EXPANSION searches again for words of the most
//! relevant rows, so that it cannot even tell a row's matter by the row.

use std::ops::ControlFlow;

use serval_sql::tokens;
use sqlparser::ast::{BinaryOperator, Expr, Query, SetExpr, UnaryOperator, Visit, visit_expressions};

use super::Planning;
use crate::rewrite::expression::is_named;

/// Why the searches of a statement, whose WHERE is `selection`, cannot be done by several shards; `None` where they can.
pub(super) fn obstacle(
    planning: Planning<'_>,
    statement: &impl Visit,
    selection: Option<&Expr>,
) -> Option<&'static str> {
    let everywhere = searches(statement);
    if everywhere == 0 {
        return None;
    }
    if everywhere > selection.map_or(0, conditions) {
        return Some(
            "The relevance that MATCH computes counts the rows of one server, so that over several shards MATCH may stand \
             in WHERE only, and there as a condition",
        );
    }
    let tokens = tokens(planning.sql, planning.options).ok()?;
    let expands = tokens.iter().any(|token| token.is_word(planning.sql, "EXPANSION"));
    expands.then_some(
        "WITH QUERY EXPANSION looks at all rows of one server; over several shards search without it",
    )
}

/// Whether it is a MATCH.
pub(crate) fn is_search(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if is_named(function, "MATCH"))
}

fn searches(part: &impl Visit) -> usize {
    let mut count = 0;
    let _ = visit_expressions(part, |expr| {
        count += usize::from(is_search(expr));
        ControlFlow::<()>::Continue(())
    });
    count
}

/// How many searches of a condition only ask whether a row is found.
fn conditions(expr: &Expr) -> usize {
    match expr {
        expr if is_search(expr) => 1,
        Expr::Nested(inner) | Expr::IsTrue(inner) | Expr::IsNotTrue(inner) => conditions(inner),
        Expr::IsFalse(inner) | Expr::IsNotFalse(inner) => conditions(inner),
        Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, expr } => conditions(expr),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor,
            right,
        } => conditions(left) + conditions(right),
        Expr::Exists { subquery, .. } | Expr::InSubquery { subquery, .. } => of_query(subquery),
        _ => 0,
    }
}

fn of_query(query: &Query) -> usize {
    match &*query.body {
        SetExpr::Select(select) => select.selection.as_ref().map_or(0, conditions),
        _ => 0,
    }
}
