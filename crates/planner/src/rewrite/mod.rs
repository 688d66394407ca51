//! Rewrites: how the operators of a SELECT get under, or above, a route over several shards.
//!
//! A SELECT over several shards starts as a route with its operators stacked on top (see [`Operator`]). The operator
//! next to the route is offered to each rewrite of [`REWRITES`] in turn; the first that fires either pushes it into
//! the nodes' SQL, or puts a primitive above the route that does the rest, or both. If none fires, the statement is
//! refused with the operator's own reason. One file holds one rewrite, and each says why its result is the same.

mod computed;
mod distinct_argument;
mod distinct_within_shard;
mod draft;
pub(crate) mod expression;
mod filter_groups;
mod group_within_shard;
mod having_within_shard;
mod limit_merged;
mod names;
mod operator;
mod push_limit;
mod push_sort;
mod rollup;
mod sort_by_group_keys;
mod sort_in_memory;
mod sort_key;
mod split_aggregate;
mod split_distinct;
mod unsorted;
mod weight;

pub(crate) use draft::{Draft, Finished, LIMIT_SLOT, Source, Stage};
pub(crate) use operator::{Operator, contains, operators};

use crate::bound::Note;
use crate::error::PlanError;

/// A named step: tries to place `operator` on a draft. Returns why it was right to, or `None` where it does not apply.
pub(crate) struct Rewrite {
    name: &'static str,
    apply: fn(Operator, &mut Draft<'_>) -> Result<Option<String>, PlanError>,
}

/// All rewrites, in the order they are tried.
const REWRITES: [Rewrite; 11] = [
    Rewrite { name: "group_within_shard", apply: group_within_shard::apply },
    Rewrite { name: "split_aggregate", apply: split_aggregate::apply },
    Rewrite { name: "having_within_shard", apply: having_within_shard::apply },
    Rewrite { name: "filter_groups", apply: filter_groups::apply },
    Rewrite { name: "distinct_within_shard", apply: distinct_within_shard::apply },
    Rewrite { name: "split_distinct", apply: split_distinct::apply },
    Rewrite { name: "sort_by_group_keys", apply: sort_by_group_keys::apply },
    Rewrite { name: "sort_in_memory", apply: sort_in_memory::apply },
    Rewrite { name: "push_sort", apply: push_sort::apply },
    Rewrite { name: "push_limit", apply: push_limit::apply },
    Rewrite { name: "limit_merged", apply: limit_merged::apply },
];

/// Places all operators of a SELECT.
///
/// # Errors
/// A refusal, where one of them has no place.
pub(crate) fn place_all(source: Source<'_>) -> Result<Finished, PlanError> {
    let mut draft = Draft::new(source);
    for operator in operators(draft.source.query, draft.source.select) {
        place(operator, &mut draft)?;
    }
    draft.finish()
}

fn place(operator: Operator, draft: &mut Draft<'_>) -> Result<(), PlanError> {
    for rewrite in &REWRITES {
        if let Some(reason) = (rewrite.apply)(operator, draft)? {
            draft.notes.push(Note { rewrite: rewrite.name, reason });
            return Ok(());
        }
    }
    Err(PlanError::refused(operator.refusal()))
}
