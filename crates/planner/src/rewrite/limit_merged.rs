//! `limit_merged`: LIMIT over rows that only the proxy has in full.

use sqlparser::ast::{Expr, LimitClause};

use super::draft::{Draft, Stage};
use super::operator::Operator;
use crate::error::PlanError;
use crate::operand::Operand;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Limit {
        return Ok(None);
    }
    // The nodes' own LIMIT was taken out when the groups were split.
    let Some((offset, count)) = operands(draft) else { return Ok(None) };
    draft.stage(Stage::Limit { offset, count });
    Ok(Some("rows are complete only in the proxy, so it counts them".to_owned()))
}

/// Offset and count, where they are numbers or parameters.
pub(super) fn operands(draft: &Draft<'_>) -> Option<(Option<Operand>, Operand)> {
    let operand = |expr: &Expr| Operand::of(expr, draft.source.locator, draft.source.scan);
    match draft.source.query.limit_clause.as_ref()? {
        LimitClause::LimitOffset { limit: Some(limit), offset: None, .. } => Some((None, operand(limit)?)),
        LimitClause::LimitOffset { limit: Some(limit), offset: Some(offset), .. } => {
            Some((Some(operand(&offset.value)?), operand(limit)?))
        }
        LimitClause::LimitOffset { limit: None, .. } => None,
        LimitClause::OffsetCommaLimit { offset, limit } => Some((Some(operand(offset)?), operand(limit)?)),
    }
}
