//! The logical operators of one SELECT, above its FROM and WHERE.

use std::ops::ControlFlow;

use sqlparser::ast::{Distinct, Expr, GroupByExpr, Query, Select, SelectItem, visit_expressions};

use super::expression::is_aggregate;

/// What a SELECT does to the rows of its FROM and WHERE, innermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// GROUP BY and aggregate functions.
    Aggregate,
    /// HAVING.
    Having,
    /// Window functions.
    Window,
    /// DISTINCT.
    Distinct,
    /// ORDER BY.
    Sort,
    /// LIMIT.
    Limit,
}

impl Operator {
    /// What a client is told where no rewrite places the operator.
    pub(crate) fn refusal(self) -> &'static str {
        match self {
            Self::Aggregate => {
                "This GROUP BY cannot be merged over several shards; group by the sharding column, or let a [scratch] server \
                 finish it"
            }
            Self::Having => {
                "HAVING over several shards compares COUNT, and SUM, MIN and MAX of integers and DECIMAL, with numbers; filter \
                 by anything else in the application, add the sharding column to GROUP BY, or let a [scratch] server finish it"
            }
            Self::Window => {
                "Window functions need the rows of all shards in one place; restrict the query to one value of the sharding \
                 column, or let a [scratch] server finish it"
            }
            Self::Distinct => {
                "This SELECT DISTINCT cannot be merged over several shards; name the columns instead of *, order \
                 by selected columns only, and do not combine it with GROUP BY"
            }
            Self::Sort => {
                "This ORDER BY cannot be merged over several shards; order by selected columns, or let a [scratch] server \
                 finish it"
            }
            Self::Limit => "LIMIT over several shards takes numbers or parameters only",
        }
    }
}

/// The operators that a SELECT has, innermost first.
pub(crate) fn operators(query: &Query, select: &Select) -> Vec<Operator> {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let aggregates = any(query, select, is_aggregate);
    let windows =
        any(query, select, |expr| matches!(expr, Expr::Function(function) if function.over.is_some()));
    let present = [
        (grouped || aggregates, Operator::Aggregate),
        (select.having.is_some(), Operator::Having),
        (windows || !select.named_window.is_empty(), Operator::Window),
        (matches!(select.distinct, Some(Distinct::Distinct)), Operator::Distinct),
        (query.order_by.is_some(), Operator::Sort),
        (query.limit_clause.is_some(), Operator::Limit),
    ];
    present.into_iter().filter_map(|(present, operator)| present.then_some(operator)).collect()
}

/// Whether an expression of the select list, HAVING or ORDER BY, at any depth, is what `test` asks.
fn any(query: &Query, select: &Select, test: fn(&Expr) -> bool) -> bool {
    let found = |expr: &Expr| contains(expr, test);
    let items = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => found(expr),
        _ => false,
    });
    items
        || select.having.as_ref().is_some_and(found)
        || super::draft::order_items(query).iter().any(|item| found(&item.expr))
}

/// Whether `expr`, or anything in it, is what `test` asks.
pub(crate) fn contains(expr: &Expr, test: impl Fn(&Expr) -> bool) -> bool {
    visit_expressions(
        expr,
        |inner| if test(inner) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
    )
    .is_break()
}
