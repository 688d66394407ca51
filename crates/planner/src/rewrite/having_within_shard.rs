//! `having_within_shard`: HAVING over groups that are whole on their shards.

use super::draft::{Draft, Grouping};
use super::operator::Operator;
use crate::error::PlanError;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Having {
        return Ok(None);
    }
    Ok(match draft.grouping {
        Grouping::WithinShard => Some("groups are whole on their shards, which can filter them".to_owned()),
        Grouping::None => Some("without groups HAVING filters single rows".to_owned()),
        Grouping::Split(_) => None,
    })
}
