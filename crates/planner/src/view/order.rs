//! The ORDER BY of a view, which a server takes over into a statement that reads nothing but the view and says no order of
//! its own. In a derived table it would be lost.

use std::ops::ControlFlow;

use serval_sql::{Edit, Span};
use sqlparser::ast::{
    Expr, GroupByExpr, OrderByKind, OrderBySort, Query, Select, SelectItem, SetExpr, visit_expressions,
};

use super::Mentions;
use super::query::{ViewQuery, quoted};
use crate::analysis::TableRef;
use crate::clauses::Clauses;
use crate::error::PlanError;
use crate::rewrite::expression::is_aggregate;

/// A view's order.
pub(super) enum Keys {
    /// It has none, or one that only cuts its rows.
    None,
    /// By these of its columns; true for those that descend.
    By(Vec<(String, bool)>),
    /// By something that it does not show.
    Unknown,
}

/// The edit that says the order of a view which stands as a derived table.
pub(super) fn edit(
    mentions: &Mentions<'_>,
    query: &Query,
    found: &TableRef,
) -> Result<Option<Edit>, PlanError> {
    let SetExpr::Select(select) = &*query.body else { return Ok(None) };
    let Some(view) = &found.table.table.view else { return Ok(None) };
    if found.block != 0 || query.with.is_some() || !takes_over(query, select) {
        return Ok(None);
    }
    let Keys::By(keys) = keys(&ViewQuery::of(view, &found.table.table.name)?) else { return Ok(None) };
    let Some(clauses) = Clauses::find(mentions.request.sql, mentions.request.options) else {
        return Ok(None);
    };
    let key = |(name, descends): &(String, bool)| {
        let direction = if *descends { " DESC" } else { "" };
        format!("{}.{}{direction}", quoted(&found.exposed), quoted(name))
    };
    let text = format!(" ORDER BY {}", keys.iter().map(key).collect::<Vec<_>>().join(", "));
    Ok(Some(Edit { at: Span::at(clauses.order_place), text }))
}

/// Whether a SELECT has one table's rows as they are, in no order of its own.
pub(super) fn takes_over(query: &Query, select: &Select) -> bool {
    let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let alone = matches!(&*select.from, [only] if only.joins.is_empty());
    let plain = select.distinct.is_none() && select.having.is_none() && query.order_by.is_none();
    ungrouped && alone && plain && !select.projection.iter().any(aggregates)
}

/// Whether an item may make one row of many.
pub(super) fn aggregates(item: &SelectItem) -> bool {
    visit_expressions(item, |expr| {
        let over = matches!(expr, Expr::Function(function) if function.over.is_some());
        if over || is_aggregate(expr) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .is_break()
}

/// The keys of the view's ORDER BY in the view's own columns.
pub(super) fn keys(view: &ViewQuery) -> Keys {
    let Some(query) = view.query() else { return Keys::None };
    let Some(order) = query.order_by.as_ref().filter(|_| query.limit_clause.is_none()) else {
        return Keys::None;
    };
    let (OrderByKind::Expressions(order), Some(select)) = (&order.kind, view.select()) else {
        return Keys::Unknown;
    };
    let key = |expr: &Expr| {
        select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr: own, alias } if is_same(own, expr, &alias.value) => {
                Some(alias.value.clone())
            }
            _ => None,
        })
    };
    let keys = order
        .iter()
        .map(|item| Some((key(&item.expr)?, matches!(item.options.sort, Some(OrderBySort::Desc)))));
    keys.collect::<Option<_>>().map_or(Keys::Unknown, Keys::By)
}

/// Whether a key means a column of the select list: by its expression, or by its name.
fn is_same(own: &Expr, key: &Expr, alias: &str) -> bool {
    match key {
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case(alias),
        key => own == key,
    }
}
