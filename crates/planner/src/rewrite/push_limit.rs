//! `push_limit`: no node needs to send more than offset + count rows.
//!
//! The first offset + count rows of the whole are among the first offset + count rows of each node, in the order that
//! the nodes sort by, so the nodes stop there and the proxy takes its part of what they send.

use serval_sql::Replacement;

use super::draft::{Draft, LIMIT_SLOT, Stage};
use super::limit_merged::operands;
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Limit || draft.is_combined() {
        return Ok(None);
    }
    let (Some(span), Some((offset, count))) = (draft.source.clauses.limit, operands(draft)) else {
        return Ok(None);
    };
    if draft.source.counts_all {
        draft.edits.push((span, Replacement::Text(String::new())));
        draft.stage(Stage::Limit { offset, count });
        return Ok(Some("SQL_CALC_FOUND_ROWS counts the rows that LIMIT leaves out too".to_owned()));
    }
    draft.edits.push((span, Replacement::Slot(LIMIT_SLOT)));
    draft.stage(Stage::Limit { offset, count });
    Ok(Some("no node needs to send more than offset + count rows".to_owned()))
}
