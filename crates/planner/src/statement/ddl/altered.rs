//! ALTER TABLE and CREATE UNIQUE INDEX: rows stay where they are, and must be found there, be unique, and be equal on
//! every copy.

use serval_catalog::{Alteration, Catalog, Placement, Table, check_alteration};
use serval_sql::{Ddl, DdlKind, LexOptions};

use super::super::copies::unequal;
use crate::bound::PlanTable;
use crate::error::PlanError;

/// What a statement changes in a table's definition; `None` for other statements.
///
/// # Errors
/// A refusal of what is not understood.
pub(super) fn alteration(ddl: &Ddl, sql: &str, options: LexOptions) -> Result<Option<Alteration>, PlanError> {
    if !matches!(ddl.kind, DdlKind::AlterTable { .. } | DdlKind::CreateIndex { unique: true, .. }) {
        return Ok(None);
    }
    Alteration::parse(sql, options).map(Some).map_err(|error| {
        PlanError::refused(format!(
            "This change of a table is not understood: {error}; make one change at a time"
        ))
    })
}

/// Refuses changes behind which rows would not be found, and copies not be equal.
pub(super) fn refuse_altered(
    catalog: &Catalog,
    table: &PlanTable,
    alteration: &Alteration,
    options: LexOptions,
) -> Result<(), PlanError> {
    let zero_stays = options.no_auto_value_on_zero;
    let problem = match &table.table.placement {
        Placement::Sharded(_) => {
            check_alteration(catalog, &table.schema, &table.table, alteration, zero_stays)
        }
        Placement::Global(nodes) if nodes.len() > 1 => unequal_copies(&table.table, alteration, options),
        Placement::Global(_) | Placement::Node(_) => None,
    };
    problem.map_or(Ok(()), |problem| Err(PlanError::refused(problem)))
}

/// Why copies would get other values in a new column.
fn unequal_copies(table: &Table, alteration: &Alteration, options: LexOptions) -> Option<String> {
    let before = table.definition.as_deref()?;
    let after = alteration.applied(before);
    let new = after.columns.iter().find(|column| {
        let default = column.default.as_deref().unwrap_or_default();
        alteration.former(&column.name).is_none_or(|name| before.column(name).is_none())
            && unequal(default.as_bytes(), options).is_some()
    });
    if let Some(column) = new {
        return Some(format!(
            "The default of {} would give every copy of the global table {} another value; add the column without it, \
             UPDATE the rows, and SET DEFAULT then",
            column.name, table.name
        ));
    }
    let numbers = after.auto_increment().is_some() && before.auto_increment().is_none();
    (numbers && before.primary_key.is_empty()).then(|| {
        format!(
            "AUTO_INCREMENT could number the copies of the global table {} differently, as it has no primary key; make a \
             new table, and insert the rows with their numbers",
            table.name
        )
    })
}
