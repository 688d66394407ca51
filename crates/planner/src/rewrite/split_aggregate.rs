//! `split_aggregate`: nodes aggregate their rows, and the proxy combines the parts.
//!
//! COUNT, SUM, MIN, MAX and AVG of the whole follow from those of its parts. The nodes return their groups in the
//! order of the keys, so that equal groups meet and one row is all the memory that combining needs.

use std::borrow::Cow;

use serval_sql::{Replacement, Span};
use serval_types::ColumnType;
use sqlparser::ast::{Expr, GroupByExpr, GroupByWithModifier};

use super::computed::Computed;
use super::distinct_argument;
use super::draft::{Draft, GroupKey, Grouping, Stage, is_descending, order_items};
use super::expression::{Decomposable, argument, decomposable, is_aggregate, is_named, item_expr, strip};
use super::names::without_plus;
use super::operator::{Operator, contains};
use super::rollup;
use super::sort_key::{self, is_column};
use crate::error::PlanError;
use crate::operand::Operand;
use crate::primitive::{ColumnRef, Combine};

/// The longest text of which a weight is asked for that is padded in full.
const WEIGHED_CHARACTERS: u32 = 1024;

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Aggregate {
        return Ok(None);
    }
    let GroupByExpr::Expressions(keys, modifiers) = &draft.source.select.group_by else { return Ok(None) };
    // MySQL's other way to say WITH ROLLUP.
    let rolls_up = |key: &Expr| matches!(key, Expr::Function(function) if is_named(function, "ROLLUP"));
    if keys.iter().any(rolls_up) {
        return Ok(None);
    }
    let rollup = match &**modifiers {
        [] => None,
        [GroupByWithModifier::Rollup] => Some(rollup::shown(draft, keys)?),
        _ => return Ok(None),
    };
    draft.grouping = Grouping::Split(Vec::new());
    let order = group_order(draft, keys)?;
    let mut group_keys = Vec::with_capacity(keys.len());
    for &(index, descending) in &order {
        group_keys.push(group_key(draft, &keys[index], index, descending)?);
    }
    let distinct = distinct_argument::arguments(draft, keys)?;
    visible_columns(draft, keys, !distinct.is_empty())?;
    nodes_sql(draft, &order, &distinct)?;
    let sort_keys: Vec<_> = group_keys.iter().map(|group| group.key.clone()).collect();
    let mut finer = sort_keys.clone();
    finer.extend(distinct_argument::keys(draft, &distinct)?);
    if !finer.is_empty() {
        draft.stage(Stage::MergeSort(finer.clone()));
    }
    if !distinct.is_empty() {
        draft.stage(Stage::Aggregate { keys: finer, columns: Vec::new() });
    }
    draft.stage(Stage::Aggregate { keys: sort_keys.clone(), columns: Vec::new() });
    if let Some(shown) = rollup {
        rollup::place(draft, keys, sort_keys, shown)?;
    }
    draft.grouping = Grouping::Split(group_keys);
    Ok(Some(if distinct.is_empty() {
        "each node aggregates its rows, and the parts combine to the whole".to_owned()
    } else {
        "each node aggregates its rows by the values that DISTINCT wants once, which meet in the merge"
            .to_owned()
    }))
}

/// In which order, and direction, groups are merged: that of ORDER BY where it names group keys only, so that no
/// other sort is needed.
fn group_order(draft: &Draft<'_>, keys: &[Expr]) -> Result<Vec<(usize, bool)>, PlanError> {
    let mut order = Vec::new();
    for item in order_items(draft.source.query) {
        let named =
            key_named(draft, keys, &item.expr)?.filter(|index| order.iter().all(|(known, _)| known != index));
        let Some(index) = named else {
            order.clear();
            break;
        };
        order.push((index, is_descending(item)));
    }
    for index in 0..keys.len() {
        if order.iter().all(|(known, _)| *known != index) {
            order.push((index, false));
        }
    }
    Ok(order)
}

/// The group key that an ORDER BY expression is. Names are aliases first.
fn key_named(draft: &Draft<'_>, keys: &[Expr], expr: &Expr) -> Result<Option<usize>, PlanError> {
    if let Some(index) = keys.iter().position(|key| draft.same(key, expr)) {
        return Ok(Some(index));
    }
    let Some(item) = draft.item(expr)? else { return Ok(None) };
    for (index, key) in keys.iter().enumerate() {
        let same_item = draft.item(key)? == Some(item);
        let same_expr = draft.item_source(item).is_some_and(|(expr, _)| draft.same(key, expr));
        if same_item || same_expr {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// The group key that an expression of the select list is. Names are columns there.
pub(super) fn selected_key(
    draft: &Draft<'_>,
    keys: &[Expr],
    expr: &Expr,
) -> Result<Option<usize>, PlanError> {
    let scope = draft.source.analysis.root_scope();
    let column = scope.column(strip(expr));
    for (index, key) in keys.iter().enumerate() {
        let (own, _) = key_source(draft, key, index)?;
        if draft.same(own, expr) || column.is_some() && scope.column(strip(own)) == column {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn group_key(
    draft: &mut Draft<'_>,
    expr: &Expr,
    index: usize,
    descending: bool,
) -> Result<GroupKey, PlanError> {
    let (own, text) = key_source(draft, expr, index)?;
    let (own, item) = (own.clone(), draft.item(expr)?);
    let key = sort_key::group_key(draft, &own, &text, item, descending)?;
    Ok(GroupKey { expr: own, key })
}

/// The expression and text that a group key stands for: its own, or that of the select item that it names.
pub(super) fn key_source<'a, 'b>(
    draft: &Draft<'a>,
    expr: &'b Expr,
    index: usize,
) -> Result<(&'b Expr, Cow<'a, str>), PlanError>
where
    'a: 'b,
{
    let span = draft.source.clauses.group_by.as_ref().and_then(|clause| clause.items.get(index).copied());
    let text = draft.text(span.ok_or_else(unresolved)?);
    Ok(match draft.item(expr)?.and_then(|item| draft.item_source(item)) {
        Some((own, item_text)) if !draft.same(own, expr) => {
            refuse_ambiguous(draft, expr)?;
            (own, item_text)
        }
        _ => (expr, text),
    })
}

/// GROUP BY takes a name for a column first, ORDER BY for an alias: where both exist, they mean different things.
fn refuse_ambiguous(draft: &Draft<'_>, expr: &Expr) -> Result<(), PlanError> {
    let plain = without_plus(expr);
    let names_column =
        matches!(plain, Expr::Identifier(_)) && draft.source.analysis.root_scope().is_owned(plain);
    if names_column {
        return Err(PlanError::refused(format!(
            "{expr} in GROUP BY is both a column and an alias; rename the alias to group rows of several shards"
        )));
    }
    Ok(())
}

/// How each column that the client asked for is combined.
fn visible_columns(draft: &mut Draft<'_>, keys: &[Expr], distinct: bool) -> Result<(), PlanError> {
    for index in 0..draft.source.select.projection.len() {
        let item = item_expr(&draft.source.select.projection[index]);
        let (Some(expr), Some((_, text))) = (item, draft.item_source(index)) else {
            return Err(PlanError::refused(
                "SELECT * with GROUP BY over several shards is not supported; name the columns",
            ));
        };
        let combined = match distinct_argument::combine(draft, index, expr, &text)? {
            None => combine(draft, expr, &text)?,
            some => some,
        };
        let combine = match combined {
            Some(combine) => combine,
            None if contains(expr, is_aggregate) => return Err(not_decomposable(&text)),
            None if keys.is_empty()
                && Operand::of(expr, draft.source.locator, draft.source.scan).is_none() =>
            {
                return Err(PlanError::refused(format!(
                    "{text} is not aggregated, and the statement has no GROUP BY; wrap it in MIN() or MAX()"
                )));
            }
            // Where no node has a row, there is none to take a literal of; and to the nodes, which group by more, a column
            // may seem to follow from the group that does not.
            None if distinct && selected_key(draft, keys, expr)?.is_none() => {
                return Err(not_decomposable(&text));
            }
            None => Combine::First,
        };
        draft.visible.push(combine);
    }
    Ok(())
}

/// How an aggregate is combined; `None` for what is none, or does not decompose.
pub(super) fn combine(draft: &mut Draft<'_>, expr: &Expr, text: &str) -> Result<Option<Combine>, PlanError> {
    let Some((kind, function)) = decomposable(expr) else { return Ok(None) };
    if argument(function).is_some_and(|argument| contains(argument, is_aggregate)) {
        return Ok(None);
    }
    Ok(Some(match kind {
        Decomposable::Sum | Decomposable::Avg if !adds_up(draft, function_argument(function)?) => {
            return Ok(None);
        }
        Decomposable::Count | Decomposable::Sum => Combine::Sum,
        Decomposable::Min => {
            let own = Combine::Min { weight: None };
            Combine::Min { weight: extreme_weight(draft, function_argument(function)?, text, own)? }
        }
        Decomposable::Max => {
            let own = Combine::Max { weight: None };
            Combine::Max { weight: extreme_weight(draft, function_argument(function)?, text, own)? }
        }
        Decomposable::Avg => {
            let (sum, count) = average(draft, text)?;
            Combine::Average { sum, count }
        }
    }))
}

/// The hidden SUM and COUNT of what an AVG with this text is of.
pub(super) fn average(draft: &mut Draft<'_>, text: &str) -> Result<(ColumnRef, ColumnRef), PlanError> {
    if text.starts_with('(') {
        return Err(not_decomposable(text));
    }
    let inner = text.find('(').and_then(|open| text.get(open..)).ok_or_else(unresolved)?;
    let sum = draft.hide(format!("SUM{inner}"), Combine::Sum)?;
    let count = draft.hide(format!("COUNT{inner}"), Combine::Sum)?;
    Ok((sum, count))
}

/// What the least or greatest value compares by, where that is not itself: the weight of a text, of which there is one per group, so that
/// it may be padded in full; and the seconds of a TIMESTAMP, which MariaDB compares, and which combine as the value does, by `own`.
fn extreme_weight(
    draft: &mut Draft<'_>,
    argument: &Expr,
    text: &str,
    own: Combine,
) -> Result<Option<ColumnRef>, PlanError> {
    let scope = draft.source.analysis.root_scope();
    let characters = match scope.declared(strip(argument)) {
        Some(ColumnType::Text { length: Some(length), .. }) => *length,
        Some(ColumnType::Text { .. } | ColumnType::Json | ColumnType::Other(_)) => {
            return Err(not_decomposable(text));
        }
        Some(ColumnType::Enum { .. } | ColumnType::Set { .. }) => {
            return Err(PlanError::refused(format!(
                "{text} of an ENUM or SET cannot be merged over several shards, which order it by text; use {text} of the column + 0"
            )));
        }
        Some(ColumnType::Timestamp { .. }) if draft.source.catalog.servers.mariadb => {
            return draft.hide(format!("UNIX_TIMESTAMP({text})"), own).map(Some);
        }
        Some(_) => return Ok(None),
        None => match Computed::of(scope, argument) {
            Some(Computed::Text(of)) => of.characters,
            Some(_) => return Ok(None),
            None => return Err(not_decomposable(text)),
        },
    };
    if characters > WEIGHED_CHARACTERS {
        return Err(not_decomposable(text));
    }
    draft.hide(format!("WEIGHT_STRING({text} AS CHAR({characters}))"), Combine::First).map(Some)
}

/// Whether what the nodes print of sums and averages of this adds up to one server's.
fn adds_up(draft: &Draft<'_>, argument: &Expr) -> bool {
    let scope = draft.source.analysis.root_scope();
    if is_column(scope, strip(argument)) {
        return !matches!(scope.declared(strip(argument)), Some(ColumnType::Float { decimals: Some(_) }));
    }
    Computed::of(scope, argument).is_some_and(|computed| computed.adds_up())
}

/// The nodes group in merge order, and keep no ORDER BY or LIMIT of their own: their groups are only parts.
fn nodes_sql(draft: &mut Draft<'_>, order: &[(usize, bool)], distinct: &[Expr]) -> Result<(), PlanError> {
    let clauses = draft.source.clauses;
    let values: Vec<String> = distinct.iter().map(ToString::to_string).collect();
    let texts: Vec<_> = clauses
        .group_by
        .iter()
        .flat_map(|clause| clause.items.iter().map(|span| draft.text(*span)))
        .collect();
    let keys = order.iter().map(|&(index, descending)| {
        texts.get(index).map(|text| format!("{text}{}", if descending { " DESC" } else { "" }))
    });
    let mut keys = keys.collect::<Option<Vec<_>>>().ok_or_else(unresolved)?;
    keys.extend(values.iter().cloned());
    let keys = keys.join(", ");
    if !values.is_empty() {
        let (place, before) = match (&clauses.group_by, clauses.selection.or(clauses.from)) {
            (Some(group_by), _) => (group_by.span.end, ","),
            (None, Some(rows)) => (rows.end, " GROUP BY"),
            (None, None) => return Err(unresolved()),
        };
        draft.edits.push((Span::at(place), Replacement::Text(format!("{before} {}", values.join(", ")))));
    }
    let order_by = if keys.is_empty() { String::new() } else { format!("ORDER BY {keys}") };
    match &clauses.order_by {
        Some(clause) => draft.edits.push((clause.span, Replacement::Text(order_by))),
        None if !order_by.is_empty() => {
            let place = Span::at(clauses.order_place);
            draft.edits.push((place, Replacement::Text(format!(" {order_by}"))));
        }
        None => {}
    }
    if let Some(limit) = clauses.limit {
        draft.edits.push((limit, Replacement::Text(String::new())));
    }
    Ok(())
}

fn function_argument(function: &sqlparser::ast::Function) -> Result<&Expr, PlanError> {
    argument(function).ok_or_else(unresolved)
}

pub(super) fn not_decomposable(text: &str) -> PlanError {
    PlanError::refused(format!(
        "{text} cannot be merged over several shards; COUNT, SUM, MIN, MAX and AVG of an expression are. Select \
         these and compute the rest in the application, restrict the query to one value of the sharding column, or let a \
         [scratch] server finish it"
    ))
}

fn unresolved() -> PlanError {
    PlanError::refused("This GROUP BY cannot be resolved over several shards; name the columns")
}
