//! Writes through a view of several tables: what servers refuse, and what Serval does.

use sqlparser::ast::{Expr, Ident, Select, SelectItem, Statement};

use super::write::server;
use crate::analysis::TableRef;
use crate::error::PlanError;
use crate::statement::targets;

/// Why a statement cannot write through a view that joins tables.
pub(super) fn joined(view: &TableRef, select: &Select, statement: &Statement) -> PlanError {
    let name = format!("{}.{}", view.table.schema, view.table.table.name);
    let (verb, written) = match statement {
        // ER_VIEW_DELETE_MERGE_VIEW.
        Statement::Delete(_) => {
            return server(1395, *b"HY000", format!("Can not delete from join view '{name}'"));
        }
        Statement::Insert(insert) if insert.columns.is_empty() && insert.assignments.is_empty() => {
            // ER_VIEW_NO_INSERT_FIELD_LIST.
            let message = format!("Can not insert into join view '{name}' without fields list");
            return server(1394, *b"HY000", message);
        }
        Statement::Insert(insert) => {
            let assigned = insert.assignments.iter().flat_map(targets);
            ("INSERT", insert.columns.iter().chain(assigned).collect::<Vec<_>>())
        }
        Statement::Update(update) => ("UPDATE", update.assignments.iter().flat_map(targets).collect()),
        _ => ("This write", Vec::new()),
    };
    let names = written.into_iter().filter_map(|name| name.0.last()?.as_ident());
    let mut owners: Vec<&[Ident]> = names.filter_map(|name| owner(select, &name.value)).collect();
    owners.dedup_by(|one, other| one.iter().map(|part| &part.value).eq(other.iter().map(|part| &part.value)));
    if owners.len() > 1 {
        // ER_VIEW_MULTIUPDATE.
        let message = format!("Can not modify more than one base table through a join view '{name}'");
        return server(1393, *b"HY000", message);
    }
    PlanError::refused(format!(
        "{verb} through view {} is not supported, because it joins several tables; {verb} the table whose rows are meant",
        view.exposed
    ))
}

/// What a column of the view is qualified with in its query.
fn owner<'a>(select: &'a Select, column: &str) -> Option<&'a [Ident]> {
    select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts), alias }
            if alias.value.eq_ignore_ascii_case(column) =>
        {
            parts.split_last().map(|(_, owner)| owner)
        }
        _ => None,
    })
}
