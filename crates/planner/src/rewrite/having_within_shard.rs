//! `having_within_shard`: HAVING over groups that are whole on their shards.

use super::draft::{Draft, Grouping};
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    let whole = operator == Operator::Having && draft.grouping == Grouping::WithinShard;
    Ok(whole.then(|| "groups are whole on their shards, which can filter them".to_owned()))
}
