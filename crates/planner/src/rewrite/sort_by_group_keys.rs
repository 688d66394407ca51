//! `sort_by_group_keys`: the merge of the groups already has the order that is asked for.

use super::draft::{Draft, Grouping, is_descending, order_items};
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    let Grouping::Split(groups) = &draft.grouping else { return Ok(None) };
    if operator != Operator::Sort {
        return Ok(None);
    }
    let items = order_items(draft.source.query);
    if items.len() > groups.len() {
        return Ok(None);
    }
    for (item, group) in items.iter().zip(groups) {
        let own = draft.item(&item.expr)?.and_then(|index| draft.item_source(index)).map(|(own, _)| own);
        let matches =
            draft.same(&group.expr, own.unwrap_or(&item.expr)) && group.key.descending == is_descending(item);
        if !matches {
            return Ok(None);
        }
    }
    Ok(Some("groups are merged in this order already".to_owned()))
}
