//! Aggregates with DISTINCT: COUNT, SUM and AVG of the values of columns that a group has.
//!
//! Nodes group by these columns, too, so that each row stands for one value, in which COUNT(DISTINCT …) is 1, or 0 for NULL.
//! Equal values of several nodes meet in the merge, and what is left is added up.

use serval_types::ColumnType;
use sqlparser::ast::{DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::draft::Draft;
use super::expression::{is_name, is_named, item_expr, strip};
use super::group_within_shard::sharding_columns;
use super::sort_key::key;
use super::split_aggregate::{average, not_decomposable};
use crate::error::PlanError;
use crate::primitive::{ColumnRef, Combine, SortKey};

/// The columns whose different values the select list wants to know of; empty where no value is on two shards, so that
/// what the nodes count adds up as it is.
///
/// # Errors
/// A refusal where two aggregates are of different columns, or of more than columns.
pub(super) fn arguments(draft: &Draft<'_>, group_keys: &[Expr]) -> Result<Vec<Expr>, PlanError> {
    let mut found: Vec<Vec<Expr>> = Vec::new();
    for (index, item) in draft.source.select.projection.iter().enumerate() {
        let Some((kind, columns)) = item_expr(item).and_then(of_distinct) else { continue };
        // ORDER BY takes a name for an alias first. Sums take texts for numbers, of which other ones are equal.
        let fits = |column: &Expr| {
            let scope = draft.source.analysis.root_scope();
            let declared = scope.declared(column);
            let is_number = matches!(
                declared,
                Some(ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Double { .. })
            );
            draft.aliased(column).is_none() && (kind == Kind::Count || is_number)
        };
        let columns = columns.filter(|columns| columns.iter().all(fits));
        let Some(columns) = columns else {
            return Err(not_decomposable(
                &draft.item_source(index).map(|(_, text)| text).unwrap_or_default(),
            ));
        };
        if !found.iter().any(|known| all_same(draft, known, &columns)) {
            found.push(columns);
        }
    }
    let apart = |columns: &Vec<Expr>| sharding_columns(columns.iter().chain(group_keys), draft).is_some();
    if found.iter().all(apart) {
        return Ok(Vec::new());
    }
    match <[Vec<Expr>; 1]>::try_from(found) {
        Ok([columns]) => Ok(columns),
        Err(_) => Err(PlanError::refused(
            "Aggregates with DISTINCT of different columns cannot be merged over several shards; ask for each by \
             itself, or let a [scratch] server finish the statement",
        )),
    }
}

fn all_same(draft: &Draft<'_>, one: &[Expr], two: &[Expr]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| draft.same(one, two))
}

/// What rows of equal values meet by.
pub(super) fn keys(draft: &mut Draft<'_>, columns: &[Expr]) -> Result<Vec<SortKey>, PlanError> {
    columns.iter().map(|column| key(draft, column, &column.to_string(), None, false)).collect()
}

/// How the `index`-th column is combined, where it is such an aggregate. Rows of equal values all have what one of them has.
pub(super) fn combine(
    draft: &mut Draft<'_>,
    index: usize,
    expr: &Expr,
    text: &str,
) -> Result<Option<Combine>, PlanError> {
    let Some((kind, _)) = of_distinct(expr) else { return Ok(None) };
    draft.once.push(ColumnRef::Visible(index));
    if kind != Kind::Avg {
        return Ok(Some(Combine::Sum));
    }
    let (sum, count) = average(draft, text)?;
    draft.once.extend([sum, count]);
    Ok(Some(Combine::Average { sum, count }))
}

/// Whether an expression is COUNT(DISTINCT …).
pub(super) fn is_count(expr: &Expr) -> bool {
    matches!(of_distinct(expr), Some((Kind::Count, _)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Sum,
    Avg,
}

/// The aggregate that an expression is, and its columns; `None` in place of these where they are no columns.
fn of_distinct(expr: &Expr) -> Option<(Kind, Option<Vec<Expr>>)> {
    let Expr::Function(function) = strip(expr) else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if list.duplicate_treatment != Some(DuplicateTreatment::Distinct) || function.over.is_some() {
        return None;
    }
    let kinds = [("COUNT", Kind::Count), ("SUM", Kind::Sum), ("AVG", Kind::Avg)];
    let (_, kind) = kinds.into_iter().find(|(name, _)| is_named(function, name))?;
    let is_plain = list.clauses.is_empty() && function.filter.is_none();
    let columns = is_plain.then(|| columns(function)).flatten();
    Some((kind, columns.filter(|columns| kind == Kind::Count || columns.len() == 1)))
}

fn columns(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let column = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
            Some(strip(expr)).filter(|expr| is_name(expr)).cloned()
        }
        _ => None,
    };
    list.args.iter().map(column).collect()
}
