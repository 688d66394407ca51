//! `group_within_shard`: GROUP BY that contains the sharding column.
//!
//! All rows of a group have the same sharding value, so they lie on one shard, and that shard's groups are whole.

use sqlparser::ast::{Expr, GroupByExpr};

use super::draft::{Draft, Grouping};
use super::expression::strip;
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    let GroupByExpr::Expressions(keys, modifiers) = &draft.source.select.group_by else { return Ok(None) };
    if operator != Operator::Aggregate || !modifiers.is_empty() {
        return Ok(None);
    }
    for key in keys {
        // An ordinal or alias names the select item; a plain name is first a column, as MySQL resolves GROUP BY.
        let item = draft.item(key)?.and_then(|index| draft.item_source(index)).map(|(expr, _)| expr);
        let expr = if matches!(strip(key), Expr::Identifier(_)) { Some(key) } else { item.or(Some(key)) };
        if let Some(column) = expr.and_then(|expr| sharding_column(expr, draft)) {
            draft.grouping = Grouping::WithinShard;
            return Ok(Some(format!(
                "groups contain the sharding column {column}, so each lies on one shard"
            )));
        }
    }
    Ok(None)
}

/// The sharding column that an expression is, where it is one.
pub(super) fn sharding_column(expr: &Expr, draft: &Draft<'_>) -> Option<String> {
    let scope = draft.source.analysis.root_scope();
    let column = scope.column(expr)?;
    let found = &scope.refs[column.table];
    let sharding = found.table.table.sharding()?;
    let decides = !found.nullable && sharding.column.eq_ignore_ascii_case(&column.name);
    decides.then(|| sharding.column.clone())
}
