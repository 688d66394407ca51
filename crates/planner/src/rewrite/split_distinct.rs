//! `split_distinct`: nodes drop their own duplicates, and the proxy drops those between them.
//!
//! DISTINCT is a GROUP BY of all selected columns without aggregates, so it takes the same path: the nodes return
//! their rows in the order of all columns, and neighbours that are equal become one.

use serval_sql::{Replacement, Span};
use serval_types::ColumnType;
use sqlparser::ast::Expr;

use super::draft::{Draft, GroupKey, Grouping, Stage, is_descending, order_items};
use super::expression::item_expr;
use super::operator::Operator;
use super::sort_key;
use crate::error::PlanError;
use crate::primitive::Combine;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Distinct || draft.grouping != Grouping::None {
        return Ok(None);
    }
    let items = &draft.source.select.projection;
    if items.iter().any(|item| item_expr(item).is_none()) {
        return Ok(None);
    }
    let Some(order) = order(draft)? else { return Ok(None) };
    let mut groups = Vec::with_capacity(order.len());
    for &(index, descending) in &order {
        let Some((expr, text)) = draft.item_source(index) else { return Ok(None) };
        refuse_bits(draft, expr)?;
        let key = sort_key::group_key(draft, expr, &text, Some(index), descending)?;
        groups.push(GroupKey { expr: expr.clone(), key });
    }
    draft.visible = vec![Combine::First; items.len()];
    nodes_sql(draft, &order);
    let keys: Vec<_> = groups.iter().map(|group| group.key.clone()).collect();
    draft.stage(Stage::MergeSort(keys.clone()));
    draft.stage(Stage::Aggregate { keys, columns: Vec::new() });
    draft.grouping = Grouping::Split(groups);
    Ok(Some(
        "each node drops its own duplicates, and equal rows of several nodes meet in the merge".to_owned(),
    ))
}

/// Servers differ in whether DISTINCT leaves BIT a BIT or makes a number of it, by how they find the duplicates.
fn refuse_bits(draft: &Draft<'_>, expr: &Expr) -> Result<(), PlanError> {
    match draft.source.analysis.root_scope().declared(expr) {
        Some(ColumnType::Bit { .. }) => Err(PlanError::refused(
            "SELECT DISTINCT of a BIT column cannot be merged over several shards; select the column + 0",
        )),
        _ => Ok(()),
    }
}

/// The select items in merge order: those of ORDER BY first. `None` where ORDER BY names anything else.
fn order(draft: &Draft<'_>) -> Result<Option<Vec<(usize, bool)>>, PlanError> {
    let mut order: Vec<(usize, bool)> = Vec::new();
    for item in order_items(draft.source.query) {
        let Some(index) = draft.item(&item.expr)? else { return Ok(None) };
        if order.iter().all(|(known, _)| *known != index) {
            order.push((index, is_descending(item)));
        }
    }
    for index in 0..draft.source.select.projection.len() {
        if order.iter().all(|(known, _)| *known != index) {
            order.push((index, false));
        }
    }
    Ok(Some(order))
}

/// The nodes sort by ordinals, which servers allow with DISTINCT, and return all of their rows.
fn nodes_sql(draft: &mut Draft<'_>, order: &[(usize, bool)]) {
    let clauses = draft.source.clauses;
    let keys = order
        .iter()
        .map(|(index, descending)| format!("{}{}", index + 1, if *descending { " DESC" } else { "" }));
    let order_by = format!("ORDER BY {}", keys.collect::<Vec<_>>().join(", "));
    match &clauses.order_by {
        Some(clause) => draft.edits.push((clause.span, Replacement::Text(order_by))),
        None => draft.edits.push((Span::at(clauses.order_place), Replacement::Text(format!(" {order_by}")))),
    }
    if let Some(limit) = clauses.limit {
        draft.edits.push((limit, Replacement::Text(String::new())));
    }
}
