//! The tables that LOCK TABLES of a view has to lock, under the names that statements about the view give them.

use serval_catalog::Catalog;
use serval_sql::LexOptions;

use super::DEEPEST;
use super::query::ViewQuery;
use crate::analysis::Analysis;
use crate::bound::PlanTable;
use crate::error::PlanError;

/// The tables behind a view that a statement calls `exposed`, each with a name: a view of one table alone lends it its own
/// name, and any other keeps those of its text.
///
/// # Errors
/// A view that is not understood, or whose tables are gone.
pub(crate) fn tables_to_lock(
    catalog: &Catalog,
    view: &PlanTable,
    exposed: &str,
) -> Result<Vec<(PlanTable, String)>, PlanError> {
    let mut found = Vec::new();
    collect(catalog, view, exposed, 0, &mut found)?;
    Ok(found)
}

fn collect(
    catalog: &Catalog,
    named: &PlanTable,
    exposed: &str,
    depth: usize,
    found: &mut Vec<(PlanTable, String)>,
) -> Result<(), PlanError> {
    let Some(view) = named.table.view.as_ref() else {
        let is_known = |(table, name): &(PlanTable, String)| {
            table.schema == named.schema && table.table.name == named.table.name && name == exposed
        };
        if !found.iter().any(is_known) {
            found.push((named.clone(), exposed.to_owned()));
        }
        return Ok(());
    };
    if depth > DEEPEST {
        return Err(PlanError::refused("The views to lock stand on too many others; lock their tables"));
    }
    let query = ViewQuery::of(view, &named.table.name)?;
    let scan = serval_sql::scan(query.text.as_bytes(), LexOptions::default())
        .map_err(|_| PlanError::refused("The query of a view cannot be read; lock its tables"))?;
    let parsed = &query.parsed;
    let analysis = Analysis::of(&parsed.ast, catalog, Some(&named.schema), &parsed.locator, &scan)?;
    for table in &analysis.refs {
        collect(catalog, &table.table, &table.exposed, depth + 1, found)?;
        if analysis.refs.len() == 1 {
            collect(catalog, &table.table, exposed, depth + 1, found)?;
        }
    }
    Ok(())
}
