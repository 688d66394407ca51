//! `distinct_within_shard`: DISTINCT over rows that contain the sharding column.
//!
//! Rows of different shards differ in that column, so no duplicate spans shards.

use sqlparser::ast::SelectItem;

use super::draft::Draft;
use super::expression::item_expr;
use super::group_within_shard::sharding_column;
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Distinct {
        return Ok(None);
    }
    let items = &draft.source.select.projection;
    let selected = items.iter().filter_map(item_expr).find_map(|expr| sharding_column(expr, draft));
    let everything = items.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
    if selected.is_none() && !everything {
        return Ok(None);
    }
    draft.distinct = true;
    Ok(Some("rows contain the sharding column, so equal rows lie on one shard".to_owned()))
}
