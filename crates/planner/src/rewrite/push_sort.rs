//! `push_sort`: every node sorts its rows, and the proxy merges the sorted streams.

use super::draft::{Draft, Stage, order_items};
use super::operator::Operator;
use super::sort_key::order_key;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Sort || draft.is_combined() {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for index in 0..order_items(draft.source.query).len() {
        keys.push(order_key(draft, index)?);
    }
    if keys.is_empty() {
        return Ok(None);
    }
    draft.stage(Stage::MergeSort(keys));
    Ok(Some(
        "each node sorts its rows, and merging sorted streams needs one row of each in memory".to_owned(),
    ))
}
