//! GROUP BY … WITH ROLLUP: what groups of all values of a key come to follows from the groups.
//!
//! Groups arrive in the order of their keys, so that those with their first keys in common stand together, and a row for all
//! of them goes behind the last. The select list may have keys and aggregates only: what else is made of a key that is NULL
//! there, only servers can say.

use serval_sql::Replacement;
use serval_types::ColumnType;
use sqlparser::ast::{Expr, SelectItem};

use super::draft::{Draft, Stage, order_items};
use super::expression::{decomposable, item_expr, strip};
use super::split_aggregate::{key_source, selected_key};
use crate::analysis::Column;
use crate::error::PlanError;
use crate::primitive::{ColumnRef, SortKey};

/// For each key the column that shows it.
///
/// # Errors
/// A refusal where the statement has more than keys, each once, and aggregates in it.
pub(super) fn shown(draft: &Draft<'_>, keys: &[Expr]) -> Result<Vec<Option<ColumnRef>>, PlanError> {
    let source = draft.source;
    let scope = source.analysis.root_scope();
    if source.select.distinct.is_some() || !order_items(source.query).is_empty() {
        return Err(refused());
    }
    let mut columns = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let (own, _) = key_source(draft, key, index)?;
        let column =
            scope.column(strip(own)).filter(|column| is_plain(draft, own) && !columns.contains(column));
        columns.push(column.ok_or_else(refused)?);
    }
    let mut shown = vec![None; keys.len()];
    for (index, item) in source.select.projection.iter().enumerate() {
        let expr = item_expr(item).ok_or_else(refused)?;
        // What is asked of a key by its name would be asked of this.
        let hides = |column: &Column| {
            matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value.eq_ignore_ascii_case(&column.name))
                && scope.column(strip(expr)).as_ref() != Some(column)
        };
        if columns.iter().any(hides) {
            return Err(refused());
        }
        match selected_key(draft, keys, expr)? {
            Some(key) if shown[key].is_none() => shown[key] = Some(ColumnRef::Visible(index)),
            None if decomposable(expr).is_some() => {}
            _ => return Err(refused()),
        }
    }
    Ok(shown)
}

/// Puts the primitive above the groups, which are all that the nodes send.
///
/// MySQL announces keys otherwise under WITH ROLLUP, so its nodes make such rows and leave them out (where it has seen beforehand that
/// there are no rows it says of the one that it makes that it is a group). MariaDB does not, and has no word to tell them by.
pub(super) fn place(
    draft: &mut Draft<'_>,
    keys: &[Expr],
    sort_keys: Vec<SortKey>,
    shown: Vec<Option<ColumnRef>>,
) -> Result<(), PlanError> {
    let words = draft.source.clauses.group_by.as_ref().and_then(|clause| clause.rollup);
    let (Some(words), Some((last, key))) = (words, keys.iter().enumerate().next_back()) else {
        return Err(refused());
    };
    let totals_nothing = draft.source.catalog.totals_nothing.ok_or_else(refused)?;
    let text = if draft.source.catalog.servers.mariadb {
        String::new()
    } else {
        let (_, key) = key_source(draft, key, last)?;
        format!("WITH ROLLUP HAVING GROUPING({key}) = 0 AND COUNT(*) > 0")
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
