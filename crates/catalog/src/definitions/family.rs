//! Children and their parents: whether the one's column can hold the other's key.

use std::sync::Arc;

use serval_types::ColumnType;

use super::{Finding, TableFindings};
use crate::{Catalog, ParentKey, ShardingColumn, Table, TableDefinition};

/// The type of a column that holds a parent's key.
pub(super) fn check_type(column: &ShardingColumn, column_type: &ColumnType, findings: &mut Vec<Finding>) {
    if column.typed(column_type.clone()).equal_values_share_a_shard() {
        return;
    }
    let message = format!("`{}` is no whole number, decimal, text, binary or date", column.name);
    findings.push(Finding::error("column", message, "choose a column whose values compare exactly"));
}

/// Adds what is wrong between children and their parents, where one of the two has just been defined.
pub(super) fn check(catalog: &Catalog, found: &mut Vec<TableFindings>) {
    let mut children: Vec<(String, String)> = Vec::new();
    for TableFindings { schema, table, .. } in &*found {
        let Some(sharding) = catalog.table(schema, table).and_then(|table| table.sharding()) else {
            continue;
        };
        let own = sharding.parent.iter().map(|_| table.clone());
        for child in own.chain(sharding.children.iter().map(|child| child.table.clone())) {
            if !children.iter().any(|(of, name)| of == schema && *name == child) {
                children.push((schema.clone(), child));
            }
        }
    }
    for (schema, child) in children {
        let wrong = catalog.table(&schema, &child).and_then(|table| of_child(catalog, table));
        let Some(finding) = wrong else { continue };
        match found.iter_mut().find(|known| known.schema == schema && known.table == child) {
            Some(known) => known.findings.push(finding),
            None => found.push(TableFindings { schema, table: child, findings: vec![finding] }),
        }
    }
}

/// What would be wrong between a table of this definition and its parent and children, as far as those are there.
#[must_use]
pub fn check_family(catalog: &Catalog, schema: &str, definition: &TableDefinition) -> Option<String> {
    let known = catalog.table(schema, &definition.name)?;
    let sharding = known.sharding().filter(|sharding| sharding.has_family())?;
    let children: Vec<String> = sharding.children.iter().map(|child| child.table.clone()).collect();
    let own = sharding.parent.iter().map(|_| known.name.clone());
    let (defined, _) = Table::clone(known).defined(definition.clone());
    let mut changed = catalog.clone();
    let tables = &mut changed.schemas.get_mut(&schema.to_lowercase())?.tables;
    tables.insert(definition.name.to_lowercase(), Arc::new(defined));
    let mut members = own.chain(children);
    members.find_map(|name| {
        let child = changed.table(schema, &name).filter(|child| child.definition.is_some())?;
        let finding = of_child(&changed, child)?;
        Some(format!("table `{name}`: {}; {}", finding.message, finding.fix))
    })
}

/// What is wrong with a child, as far as both definitions are known.
fn of_child(catalog: &Catalog, table: &Table) -> Option<Finding> {
    let sharding = table.sharding()?;
    let (key, column) = (sharding.parent.as_ref()?, sharding.columns.first()?);
    let parent = catalog.table(&key.schema, &key.table)?;
    let definition = parent.definition.as_deref()?;
    let Some(known) = definition.column(&key.column) else {
        let names = definition.columns.iter().map(|column| column.name.as_str());
        let fix = crate::config::did_you_mean(&key.column, names);
        let message = format!("the table `{}` has no column `{}`", key.table, key.column);
        return Some(Finding::error("parent_column", message, fix));
    };
    if !is_unique(parent, key) || known.nullable {
        let message =
            format!("`{key}` names no single row: it is no PRIMARY or UNIQUE key by itself, or may be NULL");
        let fix = "choose a column of the parent that is NOT NULL and unique";
        return Some(Finding::error("parent_column", message, fix));
    }
    let comparable = ShardingColumn::following(&key.column).typed(known.column_type.clone());
    if column.is_known() && !column.compares_with(&comparable) {
        let message =
            format!("`{}` and `{key}` are of types or collations that compare otherwise", column.name);
        return Some(Finding::error("column", message, "give both the same type"));
    }
    None
}

fn is_unique(parent: &Table, key: &ParentKey) -> bool {
    let Some(definition) = parent.definition.as_deref() else { return false };
    let unique = definition.unique_keys.iter().map(|key| &key.columns);
    let mut keys = unique.chain([&definition.primary_key]);
    keys.any(|columns| matches!(&**columns, [only] if only.eq_ignore_ascii_case(&key.column)))
}
