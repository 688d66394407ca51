//! Derived tables, queries of WITH and subqueries, before a statement is gathered: its text is rewritten so that fewer of
//! their rows have to come.

mod candidate;
mod inline;
mod inner;
mod output;
mod push;
mod result;
mod text;
mod tree;

use std::sync::Arc;

use super::{Gathering, Result};
use crate::bound::Bound;
use crate::plan::BindRequest;
pub(super) use result::{Outcome, Results};
pub(super) use text::{Asked, Text, restricted, with};

/// More rewrites than these are not tried.
const MOST: usize = 32;

/// The statement with its queries of WITH in their places and its predicates in its derived tables.
///
/// # Errors
/// Those of analysing it.
pub(super) fn pushed(asked: Asked<'_>) -> Result<Text> {
    let mut text = Text::of(asked.values);
    for _ in 0..MOST {
        if !text.has_several_selects(asked) {
            break;
        }
        let next = with(asked, &text, &asked.plan.catalog, |gathering| {
            if gathering.leaves_traces() {
                return Ok(None);
            }
            let found = gathering.inline().or_else(|| gathering.push());
            Ok(found.map(|(mut edits, note)| {
                edits.extend(gathering.names_behind(&edits));
                (edits, note)
            }))
        })?;
        let Some((edits, note)) = next else { break };
        let notes = if text.notes.contains(&note) { Vec::new() } else { vec![note] };
        match text.edited(asked, &edits, notes) {
            Some(next) => text = next,
            None => break,
        }
    }
    Ok(text)
}

/// The statement with results in the place of queries, as far as some of them are results.
///
/// # Errors
/// Those of analysing it.
pub(super) fn results(asked: Asked<'_>, text: Text) -> Result<Results> {
    let found = if text.has_several_selects(asked) { result::results(asked, &text)? } else { None };
    Ok(found.unwrap_or_else(|| Results {
        text,
        catalog: Arc::clone(&asked.plan.catalog),
        outcomes: Vec::new(),
    }))
}

/// The plan of a statement that has been rewritten, where it needs no gathering any more.
pub(super) fn routed(asked: Asked<'_>, text: &Text) -> Option<Bound> {
    if text.notes.is_empty() {
        return None;
    }
    let values = asked.values;
    let plan = with(asked, text, &asked.plan.catalog, |gathering| gathering.planning.plan()).ok()?;
    let request = BindRequest {
        sql: &text.sql,
        scan: &text.scan,
        parameters: &text.parameters,
        sequence_start: None,
        now: values.now,
        text: values.text,
        shards: None,
        zone: values.zone,
        variables: values.variables,
    };
    let mut bound = plan.bind(&request).ok()?;
    for target in bound.root.route_mut().into_iter().flat_map(|route| &mut route.targets) {
        // Which of the client's parameters each one is.
        let known = target.parameters.iter().filter_map(|at| text.numbers.get(usize::from(*at)).copied());
        target.parameters = known.collect();
    }
    bound.notes = text.notes.iter().chain(&*bound.notes).cloned().collect();
    Some(bound)
}

impl Gathering<'_> {
    /// Whether which rows are read shows in more than the result.
    fn leaves_traces(&self) -> bool {
        self.has_locks() || self.sets_variables()
    }

    /// An alias for each column of the answer whose text these edits change.
    fn names_behind(&self, edits: &[serval_sql::Edit]) -> Vec<serval_sql::Edit> {
        super::shown::names(self.planning.sql, &self.tokens, &self.segments, edits)
    }
}

impl Outcome {
    /// The result of this name.
    pub(super) fn named<'o>(outcomes: &'o [Self], name: &str) -> Option<&'o Self> {
        outcomes.iter().find(|outcome| outcome.name == name)
    }
}

/// The tables of a text as the executor sees them.
pub(super) type Tables = Arc<[crate::bound::PlanTable]>;
