//! GROUP BY … WITH ROLLUP: what groups of all values of a key come to follows from the groups.
//!
//! Groups arrive in the order of their keys, so that those with their first keys in common stand together, and a row for all
//! of them goes behind the last. The select list may have keys and aggregates only: what else is made of a key that is NULL
//! there, only servers can say.

use serval_sql::Replacement;
use serval_types::ColumnType;
use sqlparser::ast::Expr;

use super::draft::{Draft, Stage, order_items};
use super::expression::{decomposable, item_expr, same, strip};
use super::split_aggregate::{key_named, key_source};
use crate::error::PlanError;
use crate::primitive::{ColumnRef, SortKey};

/// For each key the columns that show it.
///
/// # Errors
/// A refusal where the statement has more than keys and aggregates in it.
pub(super) fn shown(draft: &Draft<'_>, keys: &[Expr]) -> Result<Vec<Vec<ColumnRef>>, PlanError> {
    let source = draft.source;
    let differ = keys.iter().enumerate().all(|(at, key)| keys[..at].iter().all(|other| !same(key, other)));
    if source.select.distinct.is_some() || !order_items(source.query).is_empty() || !differ {
        return Err(refused());
    }
    for (index, key) in keys.iter().enumerate() {
        let (own, _) = key_source(draft, key, index)?;
        if !is_plain(draft, own) {
            return Err(refused());
        }
    }
    let mut shown = vec![Vec::new(); keys.len()];
    for (index, item) in source.select.projection.iter().enumerate() {
        let expr = item_expr(item).ok_or_else(refused)?;
        match key_named(draft, keys, expr)? {
            Some(key) if is_plain(draft, expr) => shown[key].push(ColumnRef::Visible(index)),
            None if decomposable(expr).is_some() => {}
            _ => return Err(refused()),
        }
    }
    Ok(shown)
}

/// Puts the primitive above the groups, which are all that the nodes send.
///
/// MySQL announces keys otherwise under WITH ROLLUP, so its nodes make such rows and leave them out. MariaDB does not, and has
/// no word to tell them by.
pub(super) fn place(
    draft: &mut Draft<'_>,
    keys: &[Expr],
    sort_keys: Vec<SortKey>,
    shown: Vec<Vec<ColumnRef>>,
) -> Result<(), PlanError> {
    let words = draft.source.clauses.group_by.as_ref().and_then(|clause| clause.rollup);
    let (Some(words), Some((last, key))) = (words, keys.iter().enumerate().next_back()) else {
        return Err(refused());
    };
    let totals_nothing = !draft.source.servers.mariadb;
    let text = if totals_nothing {
        let (_, key) = key_source(draft, key, last)?;
        format!("WITH ROLLUP HAVING GROUPING({key}) = 0")
    } else {
        String::new()
    };
    draft.edits.push((words, Replacement::Text(text)));
    draft.stage(Stage::Rollup { keys: sort_keys, shown, columns: Vec::new(), totals_nothing });
    Ok(())
}

/// A column whose type is not another one in a row where it is NULL.
fn is_plain(draft: &Draft<'_>, expr: &Expr) -> bool {
    let scope = draft.source.analysis.root_scope();
    matches!(
        scope.declared(strip(expr)),
        Some(
            ColumnType::Int { .. }
                | ColumnType::Decimal { .. }
                | ColumnType::Text { .. }
                | ColumnType::Date
                | ColumnType::DateTime { .. }
        )
    )
}

fn refused() -> PlanError {
    PlanError::refused(
        "GROUP BY … WITH ROLLUP over several shards takes columns to group by, and these and aggregates to select, without \
         ORDER BY; restrict the query to one value of the sharding column, or let a [scratch] server finish it",
    )
}
