//! Temporary tables: each lies in the database of its schema's default node, whatever else is called so.

use std::sync::Arc;

use serval_catalog::{Catalog, Placement};
use serval_sql::{Ddl, Edit, TableName, splice};
use serval_types::NodeId;

use super::ddl::places;
use crate::bound::{Bound, Note, PlanTable};
use crate::error::PlanError;
use crate::physical::quote;
use crate::primitive::{Primitive, Route, Target};

/// Tables of Serval's own, which nothing may hide.
const OWN_TABLES: &str = "serval_";

/// Plans CREATE TEMPORARY TABLE. `query` is the text that takes the place of [`Ddl::query`], with physical names; the
/// caller has planned it and knows that it is for [`temporary_home`]'s node.
///
/// # Errors
/// Refusals: no default node, a name that would hide the physical table of another logical one, a LIKE of a table that
/// is not on that node.
pub fn plan_create_temporary(
    catalog: &Arc<Catalog>,
    schema: Option<&str>,
    ddl: &Ddl,
    sql: &str,
    query: Option<(String, &[PlanTable])>,
) -> Result<Bound, PlanError> {
    let [table, sources @ ..] = &*ddl.tables else {
        return Err(PlanError::refused("The statement names no table"));
    };
    let (home, created) = find(catalog, schema, table)?;
    refuse_hiding(catalog, home, &created)?;
    let mut tables = vec![created];
    let mut edits: Vec<Edit> = edit(catalog, home, table, &table.table.value).into_iter().collect();
    for source in sources {
        let (source_table, physical) = on_node(catalog, schema, source, home)?;
        edits.extend(edit(catalog, home, source, &physical));
        tables.push(source_table);
    }
    if let (Some(span), Some((text, read))) = (ddl.query, query) {
        edits.push(Edit { at: span, text });
        tables.extend(read.iter().cloned());
    }
    Ok(bound(home, splice(sql.as_bytes(), &edits), tables))
}

/// Plans DROP TEMPORARY TABLE.
///
/// # Errors
/// Refusals: no default node, tables of schemas whose default nodes differ.
pub fn plan_drop_temporary(
    catalog: &Arc<Catalog>,
    schema: Option<&str>,
    ddl: &Ddl,
    sql: &str,
) -> Result<Bound, PlanError> {
    let mut tables = Vec::new();
    let mut edits = Vec::new();
    let mut only = None;
    for name in &ddl.tables {
        let (home, table) = find(catalog, schema, name)?;
        if *only.get_or_insert(home) != home {
            return Err(PlanError::refused(
                "These temporary tables lie on different data nodes; drop each with a statement of its own",
            ));
        }
        edits.extend(edit(catalog, home, name, &table.table.name));
        tables.push(table);
    }
    let home = only.ok_or_else(|| PlanError::refused("The statement names no table"))?;
    Ok(bound(home, splice(sql.as_bytes(), &edits), tables))
}

/// The node of a schema's temporary tables.
///
/// # Errors
/// Unknown schemas, and a refusal where there is no default node.
pub fn temporary_home(catalog: &Catalog, schema: &str) -> Result<NodeId, PlanError> {
    let schema = catalog.schema(schema).ok_or_else(|| PlanError::UnknownSchema(schema.to_owned()))?;
    schema.default_node.ok_or_else(|| {
        PlanError::refused(format!(
            "Temporary tables lie on the default node of their schema, and schema {} has none; give it a default_node, \
             or create the table in a schema that has one",
            schema.name
        ))
    })
}

fn find(catalog: &Catalog, schema: Option<&str>, name: &TableName) -> Result<(NodeId, PlanTable), PlanError> {
    let schema = named_schema(schema, name)?;
    let home = temporary_home(catalog, schema)?;
    let schema = catalog.schema(schema).map_or(schema, |schema| &schema.name);
    let table = serval_catalog::Table::on_node(&name.table.value, home);
    Ok((home, PlanTable { schema: schema.to_owned(), table: Arc::new(table) }))
}

fn named_schema<'a>(schema: Option<&'a str>, name: &'a TableName) -> Result<&'a str, PlanError> {
    name.schema.as_ref().map(|schema| &*schema.value).or(schema).ok_or(PlanError::NoSchema)
}

/// A table that exists, and what it or its shard is called on the node.
fn on_node(
    catalog: &Catalog,
    schema: Option<&str>,
    name: &TableName,
    home: NodeId,
) -> Result<(PlanTable, String), PlanError> {
    let wanted = named_schema(schema, name)?;
    let schema = catalog.schema(wanted).ok_or_else(|| PlanError::UnknownSchema(wanted.to_owned()))?;
    let missing = || PlanError::UnknownTable { schema: schema.name.clone(), table: name.table.value.clone() };
    let table = PlanTable {
        schema: schema.name.clone(),
        table: schema.table_or_default(&name.table.value).ok_or_else(missing)?,
    };
    let place = places(&table).into_iter().find(|(node, _)| *node == home);
    let Some((_, shard)) = place else {
        return Err(PlanError::refused(format!(
            "Table {} has no part on data node {}, where the temporary table will be; write its definition out",
            table.table.name,
            catalog.node(home).name
        )));
    };
    let physical = table.physical_name(shard).to_owned();
    Ok((table, physical))
}

/// On its connection the temporary table hides whatever is called so, also a piece of another logical table.
fn refuse_hiding(catalog: &Catalog, home: NodeId, created: &PlanTable) -> Result<(), PlanError> {
    let name = &*created.table.name;
    let place = |node: NodeId| {
        let node = catalog.node(node);
        (node.group, &node.database)
    };
    let hides = |schema: &str, table: &serval_catalog::Table| match &table.placement {
        Placement::Sharded(sharding) => sharding
            .shards
            .iter()
            .any(|shard| place(shard.node) == place(home) && shard.table.eq_ignore_ascii_case(name)),
        Placement::Node(_) | Placement::Global(_) => {
            schema != created.schema
                && table.name.eq_ignore_ascii_case(name)
                && table.placement.nodes().into_iter().any(|node| place(node) == place(home))
        }
    };
    let mut others = catalog
        .schemas
        .values()
        .flat_map(|schema| schema.tables.values().map(move |table| (&*schema.name, &**table)));
    let is_other = |schema: &str, table: &serval_catalog::Table| {
        schema != created.schema || !table.name.eq_ignore_ascii_case(name)
    };
    let hidden = others.find(|(schema, table)| is_other(schema, table) && hides(schema, table));
    if hidden.is_some() || name.to_ascii_lowercase().starts_with(OWN_TABLES) {
        return Err(PlanError::refused(format!(
            "A temporary table {name} would hide a table that Serval needs on the same server; choose another name"
        )));
    }
    Ok(())
}

fn edit(catalog: &Catalog, node: NodeId, name: &TableName, physical: &str) -> Option<Edit> {
    if name.schema.is_none() && physical == name.table.value {
        return None;
    }
    let mut text = Vec::new();
    if name.schema.is_some() {
        quote(&catalog.node(node).database, &mut text);
        text.push(b'.');
    }
    quote(physical, &mut text);
    Some(Edit { at: name.span(), text: String::from_utf8_lossy(&text).into_owned() })
}

fn bound(home: NodeId, sql: Vec<u8>, tables: Vec<PlanTable>) -> Bound {
    let route = Route { targets: vec![Target::new(home, None, sql)], replica_safe: false, hidden: 0 };
    let note = Note { rewrite: "temporary", reason: "temporary tables lie on the default node".to_owned() };
    Bound { root: Primitive::Route(route), tables: tables.into(), notes: Arc::new([note]) }
}
