//! `sort_in_memory`: an order by what is known only after groups are combined.

use serval_types::ColumnType;
use sqlparser::ast::Expr;

use super::computed::Computed;
use super::draft::{Draft, Grouping, Stage, is_descending, order_items};
use super::expression::strip;
use super::operator::Operator;
use super::split_aggregate::{combine, not_decomposable};
use crate::error::PlanError;
use crate::primitive::{ColumnRef, Combine, Padding, SortKey};

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Sort || !matches!(draft.grouping, Grouping::Split(_)) {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for index in 0..order_items(draft.source.query).len() {
        keys.push(sort_key(draft, index)?);
    }
    draft.stage(Stage::Sort(keys));
    Ok(Some("the key is known only after groups are combined; the groups are sorted in memory".to_owned()))
}

fn sort_key(draft: &mut Draft<'_>, index: usize) -> Result<SortKey, PlanError> {
    let item = &order_items(draft.source.query)[index];
    let descending = is_descending(item);
    if let Some(key) = group_key(draft, index)? {
        return Ok(SortKey { descending, ..key });
    }
    if let Some(visible) = draft.item(&item.expr)? {
        let weight = match draft.visible.get(visible) {
            Some(Combine::Min { .. } | Combine::Max { .. }) if !is_item_printed(draft, visible) => {
                return Err(not_decomposable(&draft.order_text(index).unwrap_or_default()));
            }
            Some(Combine::Min { weight } | Combine::Max { weight }) => *weight,
            Some(Combine::First) if !is_plain(draft, visible) => {
                return Err(not_decomposable(&draft.order_text(index).unwrap_or_default()));
            }
            _ => None,
        };
        return Ok(SortKey {
            value: ColumnRef::Visible(visible),
            weight,
            padding: Padding::None,
            descending,
        });
    }
    let text = draft.order_text(index).unwrap_or_default();
    match combine(draft, &item.expr, &text)? {
        Some(Combine::Sum) => {
            let value = draft.hide(text.into_owned(), Combine::Sum)?;
            Ok(SortKey { value, weight: None, padding: Padding::None, descending })
        }
        Some(combine @ Combine::Average { .. }) => {
            let value = draft.hide(text.into_owned(), combine)?;
            Ok(SortKey { value, weight: None, padding: Padding::None, descending })
        }
        Some(combine @ (Combine::Min { weight } | Combine::Max { weight })) => {
            if !is_printed(draft, &item.expr) {
                return Err(not_decomposable(&text));
            }
            let value = draft.hide(text.into_owned(), combine)?;
            Ok(SortKey { value, weight, padding: Padding::None, descending })
        }
        Some(Combine::First) | None => Err(not_decomposable(&text)),
    }
}

/// Whether the least or greatest value is printed with all that it is compared by.
fn is_printed(draft: &Draft<'_>, extreme: &Expr) -> bool {
    let computed = Computed::of(draft.source.analysis.root_scope(), extreme);
    !matches!(computed, Some(Computed::Float | Computed::Short))
}

fn is_item_printed(draft: &Draft<'_>, item: usize) -> bool {
    draft.item_source(item).is_some_and(|(own, _)| is_printed(draft, own))
}

/// Whether a column that stands for its group sorts by its value, without a weight.
fn is_plain(draft: &Draft<'_>, item: usize) -> bool {
    let scope = draft.source.analysis.root_scope();
    let declared = draft.item_source(item).and_then(|(own, _)| scope.declared(strip(own)));
    matches!(
        declared,
        Some(
            ColumnType::Int { .. }
                | ColumnType::Decimal { .. }
                | ColumnType::Double { .. }
                | ColumnType::Date
                | ColumnType::DateTime { .. }
                | ColumnType::Time { .. }
                | ColumnType::Year
        )
    )
}

/// The key of the group that an ORDER BY item names, whose weight is there already.
fn group_key(draft: &Draft<'_>, index: usize) -> Result<Option<SortKey>, PlanError> {
    let Grouping::Split(groups) = &draft.grouping else { return Ok(None) };
    let expr = &order_items(draft.source.query)[index].expr;
    let item = draft.item(expr)?.and_then(|item| draft.item_source(item)).map(|(own, _)| own);
    let found = groups.iter().find(|group| draft.same(&group.expr, item.unwrap_or(expr)));
    Ok(found.map(|group| group.key.clone()))
}
