//! `distinct_within_shard`: DISTINCT over rows that contain the sharding columns.
//!
//! Rows of different shards differ in one of these columns, so no duplicate spans shards.

use sqlparser::ast::SelectItem;

use super::draft::{Draft, Grouping};
use super::expression::item_expr;
use super::group_within_shard::sharding_columns;
use super::operator::Operator;
use crate::analysis::TableRef;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    // Groups that are combined in the proxy are not the nodes' rows.
    if operator != Operator::Distinct || matches!(draft.grouping, Grouping::Split(_)) {
        return Ok(None);
    }
    let items = &draft.source.select.projection;
    let selected = sharding_columns(items.iter().filter_map(item_expr), draft);
    let everything = items.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
    if selected.is_none() && !(everything && draft.source.analysis.refs.iter().all(shows_its_shard)) {
        return Ok(None);
    }
    draft.distinct = true;
    Ok(Some("rows contain the sharding column, so equal rows lie on one shard".to_owned()))
}

/// Whether equal rows of `*` lie on one shard: a column that is INVISIBLE is not among them.
fn shows_its_shard(found: &TableRef) -> bool {
    let Some(sharding) = found.table.table.sharding() else { return true };
    let definition = found.table.table.definition.as_ref();
    let is_shown = |name: &str| {
        definition.and_then(|definition| definition.column(name)).is_none_or(|column| !column.invisible)
    };
    sharding.equal_values_share_a_shard() && sharding.columns.iter().all(|column| is_shown(&column.name))
}
