//! What an INSERT must not do to shards and copies.

use serval_catalog::{Placement, Sharding, ShardingColumn, Table};
use sqlparser::ast::{Assignment, AssignmentTarget, Expr, Insert, ObjectName, OnInsert, Value};

use super::{columns, rows_of};
use crate::analysis::Analysis;
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::rewrite::expression::{argument, is_named};
use crate::statement::copies::{refuse_unequal_defaults, refuse_unequal_values};
use crate::statement::routed::copies;
use crate::statement::{Planning, clock_key, clock_key_changes, targets};

/// Without its definition no row of a sharded table can be placed.
pub(super) fn refuse_undefined(table: &PlanTable) -> Result<(), PlanError> {
    match &table.table.placement {
        Placement::Sharded(_) if table.table.definition.is_none() => {
            Err(PlanError::Undefined { schema: table.schema.clone(), table: table.table.name.clone() })
        }
        _ => Ok(()),
    }
}

/// Every copy of a global table must get the same rows.
pub(super) fn refuse_unequal_copies(
    planning: Planning<'_>,
    insert: &Insert,
    analysis: &Analysis,
) -> Result<(), PlanError> {
    refuse_unequal_values(planning)?;
    let target = &analysis.refs[0];
    let global = |found: &crate::analysis::TableRef| copies(&found.table.table.placement).is_some();
    if !analysis.refs.iter().all(global) {
        return Err(PlanError::refused(format!(
            "Rows of other tables cannot be inserted into the global table {} directly; read them first",
            target.exposed
        )));
    }
    if insert.source.is_some()
        && rows_of(insert).is_empty()
        && copies(&target.table.table.placement).is_some_and(|nodes| nodes.len() > 1)
    {
        return Err(PlanError::refused(format!(
            "Each copy of the global table {} could read other rows, or number them otherwise; SELECT the rows and insert \
             them with VALUES",
            target.exposed
        )));
    }
    let listed = |column: &str| {
        let is = |name: &ObjectName| columns::is_named(name, column);
        let assigned = |assignment: &Assignment| match &assignment.target {
            AssignmentTarget::ColumnName(name) => is(name),
            AssignmentTarget::Tuple(_) => false,
        };
        insert.columns.iter().any(is) || insert.assignments.iter().any(assigned)
    };
    let definition = target.table.table.definition.as_ref();
    let unlisted = insert.columns.is_empty() && insert.assignments.is_empty();
    // VALUES () has no column list, and means one that is empty.
    let all = unlisted && !rows_of(insert).iter().any(|row| row.is_empty());
    let shown = |column: &str| {
        let column = definition.and_then(|definition| definition.column(column));
        all && column.is_none_or(|column| !column.invisible)
    };
    refuse_unequal_defaults(planning, target, |column| listed(column) || shown(column))?;
    let generated = definition.and_then(|definition| definition.auto_increment());
    let Some(column) = generated.filter(|_| target.table.table.sequence.is_none()) else { return Ok(()) };
    if (all || listed(&column.name)) && !asks_for_a_number(insert, &target.table.table, &column.name) {
        return Ok(());
    }
    Err(PlanError::refused(format!(
        "Column {} of the global table {} is AUTO_INCREMENT, and its copies could number rows differently; give the \
         value in the statement",
        column.name, target.exposed
    )))
}

/// Whether a row has NULL, DEFAULT or 0 written for the column.
fn asks_for_a_number(insert: &Insert, table: &Table, column: &str) -> bool {
    let asks = |value: &Expr| match value {
        Expr::Value(value) => match &value.value {
            Value::Null => true,
            Value::Number(digits, _) => digits.bytes().all(|digit| digit == b'0'),
            _ => false,
        },
        Expr::Identifier(word) => word.value.eq_ignore_ascii_case("DEFAULT"),
        _ => false,
    };
    let Some(at) = columns::position(insert, table, column) else { return false };
    let assigned = insert.assignments.get(at).is_some_and(|assignment| asks(&assignment.value));
    assigned || rows_of(insert).iter().any(|row| row.get(at).is_some_and(&asks))
}

/// Whether the expression is the column itself, or `LAST_INSERT_ID(column)`, the usual way to learn the number of the
/// row that was there.
fn keeps(value: &Expr, name: &str) -> bool {
    match value {
        Expr::Identifier(ident) => ident.value.eq_ignore_ascii_case(name),
        Expr::Function(function) if is_named(function, "LAST_INSERT_ID") => {
            argument(function).is_some_and(|inner| keeps(inner, name))
        }
        _ => false,
    }
}

/// A duplicate key must not move the row to another shard.
pub(super) fn refuse_key_update(
    insert: &Insert,
    table: &PlanTable,
    sharding: &Sharding,
) -> Result<(), PlanError> {
    let Some(OnInsert::DuplicateKeyUpdate(assignments)) = &insert.on else { return Ok(()) };
    if let Some(column) = clock_key(table) {
        return Err(PlanError::refused(clock_key_changes(column, &table.table.name)));
    }
    let sets = |assignment: &Assignment, column: &str| {
        targets(assignment).iter().any(|target| columns::is_named(target, column))
    };
    let changes =
        |column: &&ShardingColumn| assignments.iter().any(|assignment| sets(assignment, &column.name));
    let moves = |column: &&str| {
        assignments.iter().any(|assignment| sets(assignment, column) && !keeps(&assignment.value, column))
    };
    if let Some(column) = sharding.led_columns().find(moves) {
        return Err(PlanError::refused(format!(
            "ON DUPLICATE KEY UPDATE cannot change {column}, which rows of other tables follow; leave it out of the \
             assignments"
        )));
    }
    match sharding.columns.iter().find(changes) {
        Some(column) => Err(PlanError::refused(format!(
            "ON DUPLICATE KEY UPDATE cannot change the sharding column {}; leave it out of the assignments",
            column.name
        ))),
        None => Ok(()),
    }
}
