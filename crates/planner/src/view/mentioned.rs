//! The tables of a view that is being made.

use serval_catalog::Catalog;
use serval_sql::{Edit, splice};

use super::query::quoted;
use crate::analysis::Analysis;
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::planner::{PlanRequest, dml, readable};

/// A query for a view.
#[derive(Debug)]
pub struct Mentioned {
    /// The tables and views that it names, each once.
    pub tables: Vec<PlanTable>,
    /// Its text without schemas, for a server on which all of them are in one database.
    pub text: Vec<u8>,
}

/// What the query of a view names.
///
/// # Errors
/// Unknown schemas, and what cannot be read.
pub fn view_tables(catalog: &Catalog, request: &PlanRequest<'_>) -> Result<Mentioned, PlanError> {
    let sql = readable(request.sql, request.scan, request.options.pairs)?;
    let parsed = dml(&sql, request.options)?;
    let analysis = Analysis::of(&parsed.ast, catalog, request.schema, &parsed.locator, request.scan)?;
    let mut tables: Vec<PlanTable> = Vec::new();
    let mut edits: Vec<Edit> = Vec::new();
    for found in &analysis.refs {
        let is_known = |table: &PlanTable| {
            table.schema == found.table.schema
                && table.table.name.eq_ignore_ascii_case(&found.table.table.name)
        };
        if !tables.iter().any(is_known) {
            tables.push(found.table.clone());
        }
        if found.qualified {
            edits.push(Edit { at: found.name, text: quoted(&found.table.table.name) });
        }
    }
    edits.extend(analysis.schema_prefixes.iter().map(|span| Edit { at: *span, text: String::new() }));
    Ok(Mentioned { tables, text: splice(request.sql, &edits) })
}
