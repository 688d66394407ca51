//! SELECT: one node where its predicates say so, else a route with its operators placed by rewrites.

use std::sync::Arc;

use serval_sql::{Modifier, Replacement, Span, Template, is_call, may_call_stored, tokens};
use sqlparser::ast::{NonBlock, Query, Select, SetExpr};

use super::Planning;
use super::copies::drawn_apart;
use super::routed::{RoutedPlan, Several};
use super::{searches, seeded};
use crate::analysis::Analysis;
use crate::bound::Note;
use crate::clauses::Clauses;
use crate::destination::Destination;
use crate::error::PlanError;
use crate::gather::lock;
use crate::gather::shown::names_of_template;
use crate::physical::{Renaming, name_slots};
use crate::plan::{Kind, Plan, guards};
use crate::rewrite::{Source, place_all};

/// Functions whose value belongs to one server's session, so that several nodes cannot answer them as one.
const SESSION_FUNCTIONS: [&str; 7] =
    ["FOUND_ROWS", "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "IS_FREE_LOCK", "IS_USED_LOCK", "ROWNUM"];

/// Plans a SELECT, a UNION, or a query with WITH.
pub(crate) fn plan(planning: Planning<'_>, query: &Query) -> Result<Plan, PlanError> {
    let analysis = planning.analyse()?;
    if analysis.refs.iter().any(|found| found.table.table.held.is_some()) {
        return Err(PlanError::refused(
            "Rows of an engine beside other tables are joined on a scratch server only ([scratch] in the config); use two \
             statements",
        ));
    }
    if analysis.refs.iter().any(|found| found.table.table.derived.is_some()) {
        return Err(PlanError::refused(
            "Tables of information_schema beside others are read on a scratch server only ([scratch] in the config); \
             use two statements",
        ));
    }
    let destination = Destination::of(&analysis.refs, planning.home())?;
    let (mut name_edits, names) = name_slots(planning.sql, &analysis, Renaming::Alias);
    let sql = planning.sql;
    let clauses = Clauses::find(sql, planning.options);
    // Where the select list is not found the plan serves all literals.
    let shown = names_of_template(sql, (planning.scan, planning.options), &name_edits, clauses.is_some());
    let may_be_several = destination.sharding().is_some() && destination.apart().is_none();
    let released = released(may_be_several || !shown.is_empty(), clauses.as_ref(), planning);
    name_edits.splice(..0, shown);
    let single = Template::build(sql, planning.scan, &name_edits);
    let several = match (destination.sharding(), destination.apart()) {
        (None, _) => Several::Refused("No table is sharded".to_owned()),
        (Some(_), Some(reason)) => Several::Refused(reason.to_owned()),
        (Some(_), None) => several(planning, query, &analysis, clauses.as_ref(), &name_edits)?,
    };
    // What a stored function does is its server's secret.
    let only_reads = !locks_rows(planning) && !may_call_stored(sql, planning.options);
    let kind = Kind::Routed(RoutedPlan {
        destination,
        single,
        names,
        several,
        counts_all: counted(planning).is_some(),
        replica_safe: only_reads,
        single_notes: single_note(),
    });
    Ok(planning.planned(&analysis, guards(sql, planning.scan, &released), kind))
}

/// Whether rows are locked, be it in a subquery or in one arm of a UNION.
fn locks_rows(planning: Planning<'_>) -> bool {
    let mut tokens = tokens(planning.sql, planning.options).unwrap_or_default();
    tokens.retain(|token| !token.kind.is_comment());
    lock::is_said(planning.sql, &tokens)
}

fn single_note() -> Arc<[Note]> {
    Arc::new([Note { rewrite: "whole_statement", reason: "one node holds all the rows it needs".to_owned() }])
}

/// What becomes of the SELECT on several shards.
fn several(
    planning: Planning<'_>,
    query: &Query,
    analysis: &Analysis,
    clauses: Option<&Clauses>,
    name_edits: &[(Span, serval_sql::Replacement)],
) -> Result<Several, PlanError> {
    let (Some(select), Some(clauses)) = (plain_select(query), clauses) else {
        return Ok(Several::Refused(
            "This form of SELECT cannot be merged over several shards; restrict it to one value of the sharding column, split \
             it, or let a [scratch] server finish it"
                .to_owned(),
        ));
    };
    let apart = drawn_apart(planning, analysis);
    if let Some(reason) = apart.or_else(|| unfit(planning, query, select, clauses)) {
        return Ok(Several::Refused(reason.to_owned()));
    }
    let source = Source {
        sql: planning.readable,
        scan: planning.scan,
        query,
        select,
        clauses,
        analysis,
        locator: &planning.parsed.locator,
        catalog: planning.catalog,
        counts_all: counted(planning).is_some(),
    };
    match place_all(source) {
        Ok(mut finished) => {
            let replaced: Vec<Span> =
                finished.edits.iter().map(|(at, _)| *at).filter(|at| at.start < at.end).collect();
            let stays = |at: Span| !replaced.iter().any(|gone| gone.covers(at));
            // Aliases stand before the columns that are added behind them.
            finished.edits.splice(..0, name_edits.iter().filter(|(at, _)| stays(*at)).cloned());
            // The nodes return all rows, and counting them is the proxy's.
            finished.edits.extend(counted(planning).map(|word| (word, Replacement::Text(String::new()))));
            let template = Template::build(planning.sql, planning.scan, &finished.edits);
            if let Some(found) = analysis.refs.iter().find(|found| found.within) {
                let reason =
                    format!("of {} only rows on the shard of the row around them can count", found.exposed);
                finished.notes.insert(0, Note { rewrite: "subquery_within_shard", reason });
            }
            Ok(Several::read(template, finished))
        }
        // On one shard the statement may still be fine: the refusal waits until several are reached.
        Err(PlanError::Refused(reason)) => Ok(Several::Refused(reason)),
        Err(error) => Err(error),
    }
}

/// The word SQL_CALC_FOUND_ROWS.
fn counted(planning: Planning<'_>) -> Option<Span> {
    let mut modifiers = planning.parsed.modifiers.iter();
    modifiers.find(|(modifier, _)| *modifier == Modifier::CalcFoundRows).map(|(_, word)| *word)
}

/// The SELECT of a query that is nothing but one.
fn plain_select(query: &Query) -> Option<&Select> {
    match (&query.with, &*query.body) {
        (None, SetExpr::Select(select)) => Some(select),
        _ => None,
    }
}

/// Why a plain SELECT cannot be one over several shards.
fn unfit(planning: Planning<'_>, query: &Query, select: &Select, clauses: &Clauses) -> Option<&'static str> {
    if clauses.items.len() != select.projection.len()
        || clauses.order_by.as_ref().map_or(0, |clause| clause.items.len()) != order_count(query)
    {
        return Some(
            "This SELECT over several shards is not understood well enough; simplify its select list",
        );
    }
    if planning.parsed.modifiers.iter().any(|(modifier, _)| *modifier == Modifier::GroupDirection) {
        return Some("GROUP BY … ASC or DESC over several shards is not supported; write ORDER BY");
    }
    if let Some(reason) = searches::obstacle(planning, query, select.selection.as_ref()) {
        return Some(reason);
    }
    let skips = query.locks.iter().any(|lock| lock.nonblock == Some(NonBlock::SkipLocked));
    if skips && query.limit_clause.is_some() {
        return Some(
            "SKIP LOCKED with LIMIT over several shards would lock rows of each of them that are not returned; restrict the \
             query to one value of the sharding column",
        );
    }
    if query.fetch.is_some() {
        return Some("FETCH FIRST over several shards is not supported; write LIMIT");
    }
    let sql = planning.sql;
    let mut tokens = tokens(sql, planning.options).ok()?;
    tokens.retain(|token| !token.kind.is_comment());
    if seeded::is_called(sql, &tokens) {
        return Some(seeded::REFUSAL);
    }
    let called = |name: &&str| (0..tokens.len()).any(|at| is_call(sql, &tokens, at, name));
    SESSION_FUNCTIONS
        .iter()
        .any(called)
        .then_some("This function belongs to one server's session and cannot be asked of several shards")
}

fn order_count(query: &Query) -> usize {
    use sqlparser::ast::OrderByKind;
    match query.order_by.as_ref().map(|order| &order.kind) {
        Some(OrderByKind::Expressions(items)) => items.len(),
        _ => 0,
    }
}

/// Where literals may change without changing the plan: everywhere for a statement that is never more than routed and
/// whose columns keep their names, else in FROM, WHERE and LIMIT. A text whose clauses are not found is never more.
fn released(may_be_several: bool, clauses: Option<&Clauses>, planning: Planning<'_>) -> Vec<Span> {
    match clauses {
        // A refusal, too, may be due to a literal: `ORDER BY 2` of one column.
        Some(clauses) if may_be_several => {
            [clauses.from, clauses.selection, clauses.limit].into_iter().flatten().collect()
        }
        _ => vec![Span::new(0, u32::try_from(planning.sql.len()).unwrap_or(u32::MAX))],
    }
}
