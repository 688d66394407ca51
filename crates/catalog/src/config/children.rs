//! Tables of `[schemas.NAME.tables]` that follow a parent.

use std::sync::Arc;

use indexmap::IndexMap;

use super::nodes::parse;
use super::schemas::References;
use super::tables::{Entry, in_step};
use super::{Sink, did_you_mean, raw};
use crate::{Child, ParentKey, Placement, Sharding, ShardingColumn, Table};

/// Whether an entry is of tables that follow a parent, and says nothing else.
pub(super) fn is_child(table: &raw::Table) -> bool {
    table.parent.is_some() && table.rule.is_none() && table.global.is_none() && table.node.is_none()
}

/// Whether the parent of an entry is one of these.
pub(super) fn waits(table: &raw::Table, others: &[(&String, &raw::Table)]) -> bool {
    let parent = table.parent.as_deref().unwrap_or_default();
    others.iter().any(|(key, _)| key.eq_ignore_ascii_case(parent))
}

/// None of these has a parent that is not among them.
pub(super) fn report_circle(schema: &str, tables: &[(&String, &raw::Table)], sink: &mut Sink<'_>) {
    for (key, table) in tables {
        let parent = table.parent.as_deref().unwrap_or_default();
        let message = format!("`{key}` follows `{parent}`, and on the way up no table has a rule");
        sink.error(
            &["schemas", schema, "tables", key, "parent"],
            message,
            "let the uppermost parent have a `rule`",
        );
    }
}

/// Notes in parents which children they have.
pub(super) fn note(tables: &mut IndexMap<String, Arc<Table>>) {
    let children: Vec<Child> = tables.values().filter_map(|table| as_child(table)).collect();
    for child in children {
        let Some(parent) = tables.get_mut(&child.key.table.to_lowercase()) else { continue };
        let Some(sharding) = parent.sharding() else { continue };
        let mut sharding = Sharding::clone(sharding);
        sharding.children.push(child);
        *parent =
            Arc::new(Table { placement: Placement::Sharded(Arc::new(sharding)), ..Table::clone(parent) });
    }
}

fn as_child(table: &Table) -> Option<Child> {
    let sharding = table.sharding()?;
    let (key, column) = (sharding.parent.clone()?, sharding.columns.first()?.name.clone());
    Some(Child { key, table: table.name.clone(), column })
}

/// The placement of a table that follows a parent; `None` where it is wrong, which is reported.
pub(super) fn child(
    entry: &Entry<'_>,
    name: &str,
    raw: &raw::Table,
    parent: &str,
    references: &References<'_>,
    sink: &mut Sink<'_>,
) -> Option<Placement> {
    let path = entry.key("parent");
    let pattern = parse(sink.document.span(&path), parent, sink)?;
    if !in_step(entry, &pattern) {
        let fix = "a range counts in step with the table's name; let both be equally long";
        sink.error(&path, "this makes another number of names than the table's own name", fix);
        return None;
    }
    let parent = parent_of(entry, &pattern.name(entry.index), references, sink)?;
    let sharding = parent.sharding()?;
    let Some(column) = raw.column.as_deref() else {
        let fix = "add `column = \"…\"`";
        sink.error(&entry.path, format!("which column of `{name}` holds the parent's key is not said"), fix);
        return None;
    };
    let own = match &*sharding.columns {
        [only] => Some(only),
        _ => None,
    };
    let key = raw.parent_column.as_deref().or(own.map(|column| column.name.as_str()));
    let Some(key) = key else {
        let message = format!("which column of `{}` `{column}` holds is not said", parent.name);
        sink.error(&entry.path, message, "add `parent_column = \"…\"`");
        return None;
    };
    let rule = Arc::clone(&sharding.rule);
    // What holds the parent's own sharding column is placed by it, without the parent's row.
    if let Some(own) = own.filter(|own| own.name.eq_ignore_ascii_case(key)) {
        let column = own.renamed(column);
        let parent = sharding.parent.clone();
        return Some(Placement::Sharded(Arc::new(Sharding {
            parent,
            ..Sharding::new(rule, name, vec![column])
        })));
    }
    let key =
        ParentKey { schema: entry.schema.to_owned(), table: parent.name.clone(), column: key.to_owned() };
    let mut sharding = Sharding::new(rule, name, vec![ShardingColumn::following(column)]);
    sharding.parent = Some(key);
    Some(Placement::Sharded(Arc::new(sharding)))
}

/// The parent's table, which is sharded.
fn parent_of<'r>(
    entry: &Entry<'_>,
    name: &str,
    references: &References<'r>,
    sink: &mut Sink<'_>,
) -> Option<&'r Arc<Table>> {
    let path = entry.key("parent");
    let Some(parent) = references.parents.get(&name.to_lowercase()) else {
        // One that is wrong itself is reported there.
        if !sink.document.has(&["schemas", entry.schema, "tables", name]) {
            let fix = did_you_mean(name, references.parents.values().map(|table| table.name.as_str()));
            sink.error(&path, format!("there is no table `{name}`"), fix);
        }
        return None;
    };
    if parent.sharding().is_none() {
        let message = format!("`{}` is not sharded, so no row of it has a shard to follow", parent.name);
        sink.error(&path, message, "give the table the parent's `node` or `global` instead");
        return None;
    }
    Some(parent)
}
