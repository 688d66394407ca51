//! What of the running catalog a new one takes over.

use serval_catalog::{Catalog, Placement, Table, TableDefinition};

/// The new catalog, with the definitions that the old one knew: servers told most of them, and a group may be down.
pub fn successor(old: &Catalog, new: &Catalog) -> Catalog {
    let mut known: Vec<(String, TableDefinition)> = Vec::new();
    for schema in old.schemas.values() {
        for table in schema.tables.values().filter(|table| still_there(old, new, &schema.name, table)) {
            known.extend(
                table.definition.as_deref().map(|definition| (schema.name.clone(), definition.clone())),
            );
        }
    }
    let (mut next, diagnostics) = new.with_definitions(known);
    for diagnostic in diagnostics {
        tracing::warn!("{diagnostic}");
    }
    // Windows that go on with the clock begin where they did: what has expired is not there any more.
    if let Some(rolled) = old.clock.as_ref().and_then(|clock| next.rolled(clock)) {
        next = rolled;
    }
    // Statements that began under the old one still hold what they have gathered.
    if let (Some(before), Some(scratch)) = (&old.scratch, &mut next.scratch) {
        scratch.total = scratch.total.counting_with(&before.total);
    }
    next.keep_views(old);
    (next.servers, next.totals_nothing) = (old.servers, old.totals_nothing);
    next.sql_mode.clone_from(&old.sql_mode);
    next.defaults = std::sync::Arc::clone(&old.defaults);
    next.version = old.version + 1;
    next.placed = next.version;
    next.fold_names(old.folds_names());
    next
}

/// Whether the new config has the table, or did not name it before either: then it lies on the default node as it
/// did. One that the config used to place elsewhere and names no more is gone.
fn still_there(old: &Catalog, new: &Catalog, schema: &str, table: &Table) -> bool {
    let node = |catalog: &Catalog, id| catalog.node(id).name.clone();
    let default = |catalog: &Catalog| catalog.schema(schema)?.default_node.map(|id| node(catalog, id));
    match &table.placement {
        _ if new.table(schema, &table.name).is_some() => true,
        Placement::Node(id) => Some(node(old, *id)) == default(new),
        _ => false,
    }
}
