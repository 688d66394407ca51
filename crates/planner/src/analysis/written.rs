//! What statements that write touch: their targets, and the block that they read.

use sqlparser::ast::{
    AssignmentTarget, Delete, FromTable, Ident, Insert, ObjectName, OnInsert, TableFactor, Update,
};

use super::collector::Collector;
use crate::error::PlanError;

impl Collector<'_> {
    pub(super) fn update(&mut self, update: &Update) -> Result<(), PlanError> {
        for assignment in &update.assignments {
            if let AssignmentTarget::ColumnName(name) = &assignment.target {
                let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                self.prefixes(&parts);
            }
        }
        self.asks(update.selection.as_ref());
        self.asks_for_values(update.assignments.iter().map(|assignment| &assignment.value));
        self.block(std::slice::from_ref(&update.table), update.selection.as_ref())
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<(), PlanError> {
        self.asks(delete.selection.as_ref());
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let using = delete.using.as_deref().unwrap_or_default();
        if delete.tables.is_empty() && using.is_empty() {
            return self.block(from, delete.selection.as_ref());
        }
        let (read, named) = match using {
            [] => (from.as_slice(), delete.tables.clone()),
            using => (using, from.iter().filter_map(|item| table_name(&item.relation)).collect()),
        };
        self.block(read, delete.selection.as_ref())?;
        for name in &named {
            // Behind DELETE a table is named as columns name theirs.
            let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
            self.wildcard_prefixes(&parts);
            let exposed = parts.last().map(|name| name.value.clone()).unwrap_or_default();
            let found = self
                .analysis
                .refs
                .iter()
                .position(|found| found.block == 0 && found.exposed.eq_ignore_ascii_case(&exposed));
            self.analysis.deleted.push(found.ok_or_else(|| {
                PlanError::refused(format!(
                    "DELETE names table {exposed}, which is not among those that it reads; name it as it stands there, with \
                     its alias where it has one"
                ))
            })?);
        }
        Ok(())
    }

    /// The columns of an INSERT that are written with their table.
    pub(super) fn insert(&mut self, insert: &Insert) {
        let on_duplicate = match &insert.on {
            Some(OnInsert::DuplicateKeyUpdate(assignments)) => assignments.as_slice(),
            _ => &[],
        };
        let assigned =
            insert.assignments.iter().chain(on_duplicate).filter_map(|assignment| match &assignment.target {
                AssignmentTarget::ColumnName(name) => Some(name),
                AssignmentTarget::Tuple(_) => None,
            });
        for name in insert.columns.iter().chain(assigned) {
            let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
            self.prefixes(&parts);
        }
    }

    /// The table of an INSERT, which no predicate restricts.
    pub(super) fn target(&mut self, name: &ObjectName) -> Result<(), PlanError> {
        let found = self.names.resolve(name, None, self.analysis.blocks)?;
        self.analysis.refs.push(found);
        self.analysis.blocks += 1;
        Ok(())
    }
}

/// The name of a plain table.
fn table_name(factor: &TableFactor) -> Option<ObjectName> {
    match factor {
        TableFactor::Table { name, .. } => Some(name.clone()),
        _ => None,
    }
}
