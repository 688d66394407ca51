//! UPDATE and DELETE: to the shards that the WHERE clause leaves.

use std::sync::Arc;

use serval_catalog::Child;
use serval_sql::Template;
use sqlparser::ast::{Assignment, Delete, ObjectName, OrderByExpr, Update};

use super::copies::{
    drawn_apart, refuse_joined_copy, refuse_unequal_defaults, refuse_unequal_rows, refuse_unequal_values,
};
use super::routed::{RoutedPlan, Several, copies};
use super::{Planning, clock_key, clock_key_changes, searches, targets};
use crate::analysis::{Analysis, TableRef};
use crate::bound::Note;
use crate::destination::Destination;
use crate::error::PlanError;
use crate::physical::{Renaming, name_slots};
use crate::plan::{Kind, Plan};

/// Which of the rows that a statement finds it changes, and in which order.
#[derive(Debug, Clone, Copy)]
struct Rows<'a> {
    limited: bool,
    order: &'a [OrderByExpr],
    /// The references whose rows change.
    written: &'a [usize],
    /// RETURNING.
    returns: bool,
    /// Why its searches cannot be done by several shards.
    ranked: Option<&'static str>,
}

/// Plans an UPDATE.
pub(crate) fn plan_update(planning: Planning<'_>, update: &Update) -> Result<Plan, PlanError> {
    let analysis = planning.analyse()?;
    for assignment in update.assignments.iter().filter(|_| !planning.moves) {
        refuse_sharding_column(&analysis, assignment)?;
    }
    for assignment in &update.assignments {
        refuse_led_column(&analysis, assignment)?;
    }
    refuse_clock_key(&analysis, update)?;
    refuse_joined_copy(&analysis, update)?;
    let written = written(&analysis, update);
    let (limited, order) = (update.limit.is_some(), &*update.order_by);
    let rows = Rows { limited, order, written: &written, returns: false, ranked: None };
    let ranked = searches::obstacle(planning, update, update.selection.as_ref());
    plan(planning, &analysis, Renaming::Alias, Rows { ranked, ..rows })
}

/// Plans a DELETE from one table.
pub(crate) fn plan_delete(planning: Planning<'_>, delete: &Delete) -> Result<Plan, PlanError> {
    let analysis = planning.analyse()?;
    if !analysis.deleted.is_empty() {
        refuse_deleted_copies(&analysis)?;
    }
    let rows = Rows {
        limited: delete.limit.is_some(),
        order: &delete.order_by,
        written: if analysis.deleted.is_empty() { &[0] } else { &analysis.deleted },
        returns: delete.returning.is_some(),
        ranked: None,
    };
    // MariaDB 10.11 takes no alias in a DELETE from one table.
    let ranked = searches::obstacle(planning, delete, delete.selection.as_ref());
    plan(planning, &analysis, Renaming::Qualifiers, Rows { ranked, ..rows })
}

fn plan(
    planning: Planning<'_>,
    analysis: &Analysis,
    renaming: Renaming,
    rows: Rows<'_>,
) -> Result<Plan, PlanError> {
    let destination = Destination::of(&analysis.refs, planning.home())?;
    let (edits, names) = name_slots(planning.sql, analysis, renaming);
    let several = several(planning, analysis, &destination, rows)?;
    let kind = Kind::Routed(RoutedPlan {
        destination,
        single: Template::build(planning.sql, planning.scan, &edits),
        names,
        several,
        counts_all: false,
        replica_safe: false,
        single_notes: Arc::new([Note {
            rewrite: "write_where_rows_are",
            reason: "each shard changes its own rows; all of them or none".to_owned(),
        }]),
    });
    Ok(planning.planned(analysis, Vec::new(), kind))
}

fn several(
    planning: Planning<'_>,
    analysis: &Analysis,
    destination: &Destination,
    rows: Rows<'_>,
) -> Result<Several, PlanError> {
    let Some(target) = analysis.refs.first() else {
        return Ok(Several::Refused("No table is named".to_owned()));
    };
    if let Some(nodes) = copies(&target.table.table.placement) {
        let only_global = |found: &crate::analysis::TableRef| {
            copies(&found.table.table.placement)
                .is_some_and(|others| nodes.iter().all(|node| others.contains(node)))
        };
        if !analysis.refs.iter().all(only_global) {
            return Err(PlanError::refused(format!(
                "The global table {} cannot be changed by rows of a table that is not on all of its nodes; read these \
                 rows first and change it by their values",
                target.exposed
            )));
        }
        let elsewhere = |at: &&usize| {
            let placement = analysis.refs.get(**at).and_then(|found| copies(&found.table.table.placement));
            placement.is_none_or(|others| others.len() != nodes.len())
        };
        if let Some(other) = rows.written.iter().find(elsewhere).and_then(|at| analysis.refs.get(*at)) {
            return Err(PlanError::refused(format!(
                "{} and {} have copies on different nodes, so that a statement that changes either of both would not reach all of \
                 them; read the rows first and change them by their values",
                target.exposed, other.exposed
            )));
        }
        refuse_unequal_values(planning)?;
        for found in &analysis.refs {
            refuse_unequal_defaults(planning, found, |_| true)?;
        }
        refuse_unequal_rows(target, rows.limited, rows.order)?;
        let nodes = nodes.to_vec();
        return Ok(if rows.returns { Several::CopiesReturning(nodes) } else { Several::Copies(nodes) });
    }
    if let Some(reason) = destination.apart() {
        return Ok(Several::Refused(reason.to_owned()));
    }
    if let Some(reason) = drawn_apart(planning, analysis) {
        return Ok(Several::Refused(reason.to_owned()));
    }
    if let Some(reason) = rows.ranked {
        return Ok(Several::Refused(reason.to_owned()));
    }
    if rows.limited {
        return Ok(Several::Refused(
            "UPDATE and DELETE with LIMIT over several shards cannot be sent to each of them; restrict them to one value \
             of the sharding column"
                .to_owned(),
        ));
    }
    // In whatever order a shard changes its rows, those of others are not in their way: keys that are unique over
    // shards contain the sharding column.
    if rows.returns { Ok(Several::WriteReturning) } else { Ok(Several::Write) }
}

/// DELETE from several tables changes only one copy of a global table, unless all are global.
fn refuse_deleted_copies(analysis: &Analysis) -> Result<(), PlanError> {
    let is_copied = |found: &crate::analysis::TableRef| {
        copies(&found.table.table.placement).is_some_and(|nodes| nodes.len() > 1)
    };
    let deleted = analysis.deleted.iter().filter_map(|at| analysis.refs.get(*at));
    let Some(global) = deleted.into_iter().find(|found| is_copied(found)) else { return Ok(()) };
    if analysis.refs.iter().all(is_copied) {
        return Ok(());
    }
    Err(PlanError::refused(format!(
        "DELETE from the global table {} joined with others would change only one of its copies; read the rows first and \
         delete them by their values",
        global.exposed
    )))
}

/// A key that other tables' rows follow stays: they would be another's, or nobody's, on the shard where they are.
fn refuse_led_column(analysis: &Analysis, assignment: &Assignment) -> Result<(), PlanError> {
    for name in targets(assignment) {
        let Some(column) = name.0.last().and_then(|part| part.as_ident()) else { continue };
        for found in &analysis.refs {
            let Some(sharding) = found.table.table.sharding() else { continue };
            if !may_mean(name, found) {
                continue;
            }
            let led = |child: &&Child| child.key.column.eq_ignore_ascii_case(&column.value);
            if let Some(child) = sharding.children.iter().find(led) {
                return Err(PlanError::refused(format!(
                    "Rows of {} follow {} of {}, so it cannot be changed; INSERT a row with the new value, let the \
                     children follow it with UPDATE … SET {} = …, and DELETE the old row, in one transaction",
                    child.table, column.value, found.table.table.name, child.column
                )));
            }
        }
    }
    Ok(())
}

/// A sharding column that ON UPDATE CURRENT_TIMESTAMP changes in rows which stay where they are, unless it is assigned.
fn refuse_clock_key(analysis: &Analysis, update: &Update) -> Result<(), PlanError> {
    let assigned = || update.assignments.iter().flat_map(targets);
    for found in &analysis.refs {
        let Some(column) = clock_key(&found.table) else { continue };
        let may_mean = || assigned().filter(|name| may_mean(name, found));
        let is_column = |name: &ObjectName| {
            let last = name.0.last().and_then(|part| part.as_ident());
            last.is_some_and(|last| last.value.eq_ignore_ascii_case(column))
        };
        if may_mean().next().is_some() && !may_mean().any(is_column) {
            return Err(PlanError::refused(clock_key_changes(column, &found.exposed)));
        }
    }
    Ok(())
}

/// The references of the outermost block that an UPDATE can change.
fn written(analysis: &Analysis, update: &Update) -> Vec<usize> {
    let names: Vec<&ObjectName> = update.assignments.iter().flat_map(targets).collect();
    let has = |found: &TableRef, name: &ObjectName| {
        let column = name.0.last().and_then(|part| part.as_ident());
        let definition = found.table.table.definition.as_deref();
        let known =
            definition.zip(column).map(|(definition, column)| definition.column(&column.value).is_some());
        may_mean(name, found) && known.unwrap_or(true)
    };
    let changes = |found: &TableRef| found.block == 0 && names.iter().any(|name| has(found, name));
    (0..analysis.refs.len()).filter(|at| changes(&analysis.refs[*at])).collect()
}

/// Whether a column's name can be one of this reference's.
fn may_mean(name: &ObjectName, found: &TableRef) -> bool {
    let table = name.0.len().checked_sub(2).and_then(|at| name.0[at].as_ident());
    table.is_none_or(|table| table.value.eq_ignore_ascii_case(&found.exposed))
}

/// A row whose sharding value changes would have to move to another shard.
fn refuse_sharding_column(analysis: &Analysis, assignment: &Assignment) -> Result<(), PlanError> {
    for name in targets(assignment) {
        let Some(column) = name.0.last().and_then(|part| part.as_ident()) else { continue };
        let shards_by = |found: &&crate::analysis::TableRef| {
            found.table.table.sharding().is_some_and(|sharding| sharding.position(&column.value).is_some())
        };
        if let Some(found) = analysis.refs.iter().find(shards_by) {
            return Err(PlanError::refused(format!(
                "{} is the sharding column of {}; changing it moves the row to another shard, which is no single \
                 step; DELETE the row and INSERT it with the new value in one transaction",
                column.value, found.table.table.name
            )));
        }
    }
    Ok(())
}
