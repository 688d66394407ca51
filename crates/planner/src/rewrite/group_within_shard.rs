//! `group_within_shard`: GROUP BY that contains the sharding columns.
//!
//! All rows of a group have the same sharding values, so they lie on one shard, and that shard's groups are whole.

use sqlparser::ast::{Expr, GroupByExpr};

use super::draft::{Draft, Grouping};
use super::names::without_plus;
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    let GroupByExpr::Expressions(keys, modifiers) = &draft.source.select.group_by else { return Ok(None) };
    if operator != Operator::Aggregate || !modifiers.is_empty() {
        return Ok(None);
    }
    let mut exprs = Vec::with_capacity(keys.len());
    for key in keys {
        // An ordinal or alias names the select item; a plain name is first a column, as MySQL resolves GROUP BY.
        let item = draft.item(key)?.and_then(|index| draft.item_source(index)).map(|(expr, _)| expr);
        let plain = without_plus(key);
        exprs.push(if matches!(plain, Expr::Identifier(_)) { plain } else { item.unwrap_or(key) });
    }
    let Some(columns) = sharding_columns(exprs.into_iter(), draft) else { return Ok(None) };
    draft.grouping = Grouping::WithinShard;
    let noun = if columns.contains(',') { "columns" } else { "column" };
    Ok(Some(format!("groups contain the sharding {noun} {columns}, so each lies on one shard")))
}

/// The sharding columns of a table, where the expressions contain all of them and rows that they call equal lie
/// together.
pub(super) fn sharding_columns<'e>(
    exprs: impl Iterator<Item = &'e Expr>,
    draft: &Draft<'_>,
) -> Option<String> {
    let scope = draft.source.analysis.root_scope();
    let columns: Vec<_> = exprs.filter_map(|expr| scope.column(expr)).collect();
    columns.iter().find_map(|column| {
        let found = &scope.refs[column.table];
        let sharding = found.table.table.sharding().filter(|_| !found.nullable)?;
        let contained = |name: &str| {
            columns.iter().any(|other| other.table == column.table && other.name.eq_ignore_ascii_case(name))
        };
        let all = sharding.columns.iter().all(|known| contained(&known.name));
        (all && sharding.equal_values_share_a_shard()).then(|| sharding.names())
    })
}
