//! Writes to global tables: every copy must end with the same rows.

use serval_catalog::Placement;
use serval_sql::{TokenKind, tokens};
use sqlparser::ast::{AssignmentTarget, Expr, Ident, ObjectName, OrderByExpr, Update};

use super::Planning;
use crate::analysis::{Analysis, TableRef};
use crate::error::PlanError;

/// Functions that give every server another value.
pub(crate) const NOT_DETERMINISTIC: [&str; 11] = [
    "CONNECTION_ID",
    "LASTVAL",
    "LOAD_FILE",
    "NEXTVAL",
    "RAND",
    "RANDOM_BYTES",
    "SYSDATE",
    "SYS_GUID",
    "UUID",
    "UUID_SHORT",
    "VERSION",
];

/// Refuses what would give every copy another value.
pub(super) fn refuse_unequal_values(planning: Planning<'_>) -> Result<(), PlanError> {
    if let Some(name) = draws(planning) {
        return Err(PlanError::refused(format!(
            "{name}() would give every copy of a global table another value; compute it in the application"
        )));
    }
    let tokens = tokens(planning.sql, planning.options).unwrap_or_default();
    if tokens.iter().any(|token| token.kind == TokenKind::SystemVariable) {
        return Err(PlanError::refused(
            "A server's variable may differ for every copy of a global table; write its value",
        ));
    }
    Ok(())
}

/// Why several shards cannot be one statement's where a query in it draws values: one server draws them once for all rows.
pub(super) fn drawn_apart(planning: Planning<'_>, analysis: &Analysis) -> Option<&'static str> {
    let nested = analysis.opaque || analysis.blocks > 1;
    (nested && draws(planning).is_some()).then_some(
        "RAND(), UUID() and their like in a query that is part of a statement over several shards would have other values on \
         each of them; read the query's rows first",
    )
}

/// The function that gives every server another value, where one is called.
fn draws(planning: Planning<'_>) -> Option<&'static str> {
    let sql = planning.sql;
    let tokens = tokens(sql, planning.options).unwrap_or_default();
    let called =
        |name: &&&str| tokens.windows(2).any(|pair| pair[0].is_word(sql, name) && pair[1].is_symbol(b'('));
    NOT_DETERMINISTIC.iter().find(called).copied()
}

/// Refuses a LIMIT under which every copy could choose other rows: all but those in the order of the primary key.
pub(super) fn refuse_unequal_rows(
    target: &TableRef,
    limited: bool,
    order: &[OrderByExpr],
) -> Result<(), PlanError> {
    let key = target.table.table.definition.as_ref().map_or(&[][..], |definition| &definition.primary_key);
    let names = |expr: &Expr, column: &str| match expr {
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case(column),
        Expr::CompoundIdentifier(parts) => {
            parts.last().is_some_and(|last| last.value.eq_ignore_ascii_case(column))
        }
        _ => false,
    };
    let ordered = |column: &String| order.iter().any(|item| names(&item.expr, column));
    if !limited || (!key.is_empty() && key.iter().all(ordered)) {
        return Ok(());
    }
    Err(PlanError::refused(format!(
        "LIMIT could choose other rows of each copy of the global table {}; add ORDER BY its primary key",
        target.exposed
    )))
}

/// Refuses an UPDATE that changes a global table beside others, which would change only the copy of one node.
pub(super) fn refuse_joined_copy(analysis: &Analysis, update: &Update) -> Result<(), PlanError> {
    let scope = analysis.root_scope();
    let Some(global) = scope.refs.iter().find(|found| is_global(found)) else { return Ok(()) };
    if scope.refs.iter().all(is_global) {
        return Ok(());
    }
    let changes_copy = |name: &ObjectName| {
        scope.column(&expr(name)).is_none_or(|column| is_global(&scope.refs[column.table]))
    };
    let found = update.assignments.iter().any(|assignment| match &assignment.target {
        AssignmentTarget::ColumnName(name) => changes_copy(name),
        AssignmentTarget::Tuple(names) => names.iter().any(changes_copy),
    });
    if found {
        return Err(PlanError::refused(format!(
            "UPDATE of the global table {} joined with others would change only one of its copies; read the rows first \
             and change it by their values",
            global.exposed
        )));
    }
    Ok(())
}

fn is_global(found: &TableRef) -> bool {
    matches!(&found.table.table.placement, Placement::Global(nodes) if nodes.len() > 1)
}

fn expr(name: &ObjectName) -> Expr {
    let mut parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => Expr::Identifier(only),
        (_, last) => {
            parts.extend(last);
            Expr::CompoundIdentifier(parts)
        }
    }
}
