//! Definitions: the same statement for every physical table behind a logical one.

mod altered;
mod references;

use std::collections::BTreeMap;
use std::sync::Arc;

use serval_catalog::{Catalog, Placement, ShardingColumn, Table, TextMatch, check_family, check_unique};
use serval_sql::{Ddl, DdlKind, Edit, LexOptions, Span, TableName, create_table, splice};
use serval_types::NodeId;

use crate::bound::{Bound, Note, PlanTable};
use crate::error::PlanError;
use crate::physical::quote;
use crate::primitive::{Primitive, Route, Spread, Tally, Target};

/// Plans CREATE, DROP, ALTER, TRUNCATE TABLE and CREATE, DROP INDEX on all nodes of a table.
///
/// # Errors
/// Refusals of forms that are not supported, of unique keys that nobody would enforce, and unknown schemas.
pub fn plan_ddl(
    catalog: &Arc<Catalog>,
    schema: Option<&str>,
    ddl: &Ddl,
    sql: &str,
    options: LexOptions,
) -> Result<Bound, PlanError> {
    refuse(ddl)?;
    refuse_pieces(catalog, schema, ddl)?;
    let names: Vec<&TableName> = ddl.tables.iter().chain(&ddl.references).collect();
    let mut tables = names.iter().map(|name| find(catalog, schema, name)).collect::<Result<Vec<_>, _>>()?;
    if matches!(ddl.kind, DdlKind::RenameTable) {
        follow_views(&mut tables);
    }
    let Some(first) = tables.first() else {
        return Err(PlanError::refused("This statement names no table; run it on the servers directly"));
    };
    refuse_rename(ddl, &tables)?;
    // Those that a DROP names all go: none may have copies on nodes where the first has nothing.
    let together = match ddl.kind {
        DdlKind::DropTable { .. } => same_nodes,
        _ => same_places,
    };
    if let Some(other) = tables.iter().find(|other| !together(first, other)) {
        // Where one is missing some servers drop none and others the rest, so the nodes must not find that out alone.
        let all_known = tables.iter().all(|table| table.table.definition.is_some());
        if let DdlKind::DropTable { if_exists, .. } = ddl.kind
            && (if_exists || all_known)
        {
            return Ok(several_drops(catalog, &names, tables, sql));
        }
        return Err(PlanError::refused(format!(
            "Tables {} and {} do not lie on the same nodes, so one statement cannot define both; use one statement \
             for each",
            first.table.name, other.table.name
        )));
    }
    if matches!(ddl.kind, DdlKind::CreateTable { .. }) {
        refuse_unenforced(first, sql, options)?;
        refuse_family(catalog, first, sql, options)?;
    }
    let alteration = altered::alteration(ddl, sql, options)?;
    if let Some(alteration) = &alteration {
        altered::refuse_altered(catalog, first, alteration, options)?;
    }
    references::refuse_apart(catalog, (ddl, alteration.as_ref()), first, sql, options)?;
    let mut targets: Vec<Target> = places(first)
        .into_iter()
        .map(|(node, shard)| Target::new(node, shard, text(catalog, &names, &tables, sql, node, shard)))
        .collect();
    targets.sort_by_key(|target| catalog.node(target.node).group);
    let root = if targets.len() == 1 {
        Primitive::Route(Route { targets, replica_safe: false, hidden: 0 })
    } else {
        Primitive::Spread(Spread::new(targets, Tally::Definition))
    };
    let note =
        Note { rewrite: "every_node", reason: "each node of the table gets the definition".to_owned() };
    Ok(Bound { root, tables: tables.into(), notes: Arc::new([note]) })
}

/// Plans CREATE TABLE … SELECT of a table on one node, where `query` reads the rows on that node too. It takes the place
/// of [`Ddl::query`], and `read` are its tables.
///
/// # Errors
/// Refusals of a table that lies on several nodes, of foreign keys to tables elsewhere, and unknown schemas.
pub fn plan_create_select(
    catalog: &Arc<Catalog>,
    schema: Option<&str>,
    ddl: &Ddl,
    sql: &str,
    (query, read): (String, &[PlanTable]),
) -> Result<Bound, PlanError> {
    refuse_pieces(catalog, schema, ddl)?;
    let names: Vec<&TableName> = ddl.tables.iter().chain(&ddl.references).collect();
    let mut tables = names.iter().map(|name| find(catalog, schema, name)).collect::<Result<Vec<_>, _>>()?;
    let on_one = tables.first().and_then(|table| match table.table.placement {
        Placement::Node(node) => Some(node),
        Placement::Global(_) | Placement::Sharded(_) => None,
    });
    let (Some(node), Some(at)) = (on_one, ddl.query) else {
        return Err(PlanError::refused("The new table does not lie on one data node"));
    };
    if tables.iter().any(|other| !same_places(&tables[0], other)) {
        return Err(PlanError::refused(
            "A foreign key can only refer to a table that lies on the same data node; leave it out",
        ));
    }
    let mut edits = edits(catalog, &names, &tables, node, None);
    edits.push(Edit { at, text: query });
    tables.extend(read.iter().cloned());
    let targets = vec![Target::new(node, None, splice(sql.as_bytes(), &edits))];
    let note = Note {
        rewrite: "whole_statement",
        reason: "the table and the rows that it gets lie on one node".to_owned(),
    };
    let root = Primitive::Route(Route { targets, replica_safe: false, hidden: 0 });
    Ok(Bound { root, tables: tables.into(), notes: Arc::new([note]) })
}

/// DROP TABLE of tables that lie on different nodes: each node is told of those that it has, in the list's order.
fn several_drops(catalog: &Arc<Catalog>, names: &[&TableName], tables: Vec<PlanTable>, sql: &str) -> Bound {
    let mut nodes: BTreeMap<NodeId, Vec<u8>> = BTreeMap::new();
    for (name, table) in names.iter().zip(&tables) {
        for (node, shard) in places(table) {
            let list = nodes.entry(node).or_default();
            if !list.is_empty() {
                list.extend_from_slice(b", ");
            }
            if name.schema.is_some() {
                quote(&catalog.node(node).database, list);
                list.push(b'.');
            }
            quote(table.physical_name(shard), list);
        }
    }
    // From the first name to the last there is nothing but the list.
    let start = names.iter().map(|name| name.span().start).min().unwrap_or_default();
    let end = names.iter().map(|name| name.span().end).max().unwrap_or_default();
    let text = |list: Vec<u8>| {
        let list = String::from_utf8_lossy(&list).into_owned();
        splice(sql.as_bytes(), &[Edit { at: Span { start, end }, text: list }])
    };
    let targets = nodes.into_iter().map(|(node, list)| Target::new(node, None, text(list)));
    let mut targets: Vec<Target> = targets.collect();
    targets.sort_by_key(|target| catalog.node(target.node).group);
    let note = Note {
        rewrite: "divided_drop",
        reason: "each node drops those of the tables that it has".to_owned(),
    };
    let root = Primitive::Spread(Spread::new(targets, Tally::Definition));
    Bound { root, tables: tables.into(), notes: Arc::new([note]) }
}

fn refuse(ddl: &Ddl) -> Result<(), PlanError> {
    let reason = match &ddl.kind {
        DdlKind::CreateTable { temporary: true, .. } | DdlKind::DropTable { temporary: true, .. } => {
            "Temporary tables are made on a connection that a session keeps, and no plan shows where; run the statement"
        }
        DdlKind::CreateTable { as_select: true, .. } => {
            "CREATE TABLE … SELECT is not one definition; the proxy makes the table and then inserts the rows"
        }
        DdlKind::CreateDatabase { .. } | DdlKind::DropDatabase { .. } | DdlKind::AlterDatabase { .. } => {
            "Databases are schemas of the configuration; add or remove them there and reload"
        }
        DdlKind::Stored(_) => "Views, routines, triggers and events are not planned; the proxy defines them",
        DdlKind::Other => "This statement is not supported through Serval; run it on the servers directly",
        _ => return Ok(()),
    };
    Err(PlanError::refused(reason))
}

/// Refuses to make a table that would be a piece of a sharded one. To all other statements there is no such table.
fn refuse_pieces(catalog: &Catalog, schema: Option<&str>, ddl: &Ddl) -> Result<(), PlanError> {
    let is_piece = |name: &&TableName| {
        let wanted = name.schema.as_ref().map(|schema| &*schema.value).or(schema);
        let schema = wanted.and_then(|schema| catalog.schema(schema));
        schema.is_some_and(|schema| schema.is_piece(&name.table.value))
    };
    let named: Vec<&TableName> = match &ddl.kind {
        DdlKind::CreateTable { .. } => ddl.tables.first().into_iter().collect(),
        DdlKind::RenameTable => ddl.tables.iter().skip(1).step_by(2).collect(),
        DdlKind::AlterTable { rename_to: Some(_) } => ddl.tables.last().into_iter().collect(),
        DdlKind::DropTable { if_exists: true, .. } => ddl.tables.iter().collect(),
        _ => return Ok(()),
    };
    match named.into_iter().find(is_piece) {
        Some(name) => Err(PlanError::refused(format!(
            "{} is what a piece of a sharded table is called on its data node; choose another name",
            name.table.value
        ))),
        None => Ok(()),
    }
}

/// A view stays where it is kept, whatever it is called.
fn follow_views(tables: &mut [PlanTable]) {
    for pair in tables.chunks_exact_mut(2) {
        let [old, new] = pair else { continue };
        if let (Some(_), Placement::Node(node)) = (&old.table.view, &old.table.placement)
            && new.table.definition.is_none()
            && old.schema == new.schema
        {
            new.table = Arc::new(Table::on_node(&new.table.name, *node));
        }
    }
}

/// A table can only get a name under which its rows are looked for where they lie.
fn refuse_rename(ddl: &Ddl, tables: &[PlanTable]) -> Result<(), PlanError> {
    let pairs: Vec<(&PlanTable, &PlanTable)> = match &ddl.kind {
        DdlKind::RenameTable => tables.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
        DdlKind::AlterTable { rename_to: Some(_) } => {
            let named = &tables[..ddl.tables.len().min(tables.len())];
            named.first().zip(named.last()).into_iter().collect()
        }
        _ => return Ok(()),
    };
    for (old, new) in &pairs {
        if !alike(old, new) {
            let (schema, name) = (&new.schema, &new.table.name);
            return Err(PlanError::refused(format!(
                "{} {}, but {name} {}, so its rows would not be found under the new name; give it a section \
                 [schemas.{schema}.tables.{name}] in the configuration that is like the one of {}, and reload first",
                old.table.name,
                kind(old),
                kind(new),
                old.table.name,
            )));
        }
    }
    // Each node is told the whole statement, so that it renames all or nothing.
    match pairs.iter().find(|(old, _)| !alike(pairs[0].0, old)) {
        Some((other, _)) => Err(PlanError::refused(format!(
            "Tables {} and {} do not lie on the same nodes, so one statement cannot rename both; use one statement for \
             each",
            pairs[0].0.table.name, other.table.name
        ))),
        None => Ok(()),
    }
}

/// Whether the rows of both tables are placed in the same way.
fn alike(one: &PlanTable, two: &PlanTable) -> bool {
    match (&one.table.placement, &two.table.placement) {
        (Placement::Node(one), Placement::Node(two)) => one == two,
        (Placement::Global(one), Placement::Global(two)) => one == two,
        (Placement::Sharded(one), Placement::Sharded(two)) => {
            one.rule.name == two.rule.name
                && one.parent == two.parent
                && one.shards.len() == two.shards.len()
                && one.names().eq_ignore_ascii_case(&two.names())
                && one.columns.iter().map(spelling).eq(two.columns.iter().map(spelling))
        }
        _ => false,
    }
}

fn spelling(column: &ShardingColumn) -> TextMatch {
    column.text_match
}

/// How a table lies, for a message.
fn kind(table: &PlanTable) -> String {
    match &table.table.placement {
        Placement::Node(_) => "lies on one data node".to_owned(),
        Placement::Global(_) => "is a global table".to_owned(),
        Placement::Sharded(sharding) => {
            let fold = sharding.columns.iter().any(|column| column.text_match == TextMatch::AsciiFold);
            let folded = if fold { " and `match = \"ascii_fold\"`" } else { "" };
            let parent = sharding.parent.as_ref().map(|key| format!(" beside {key}")).unwrap_or_default();
            format!("is sharded by {} with the rule {}{folded}{parent}", sharding.names(), sharding.rule.name)
        }
    }
}

pub(super) fn find(
    catalog: &Catalog,
    schema: Option<&str>,
    name: &TableName,
) -> Result<PlanTable, PlanError> {
    let wanted = name.schema.as_ref().map(|schema| &*schema.value).or(schema).ok_or(PlanError::NoSchema)?;
    let schema = catalog.schema(wanted).ok_or_else(|| PlanError::UnknownSchema(wanted.to_owned()))?;
    let table = schema.table_or_default(&name.table.value).ok_or_else(|| match schema.default_node {
        None => PlanError::refused(format!(
            "Table {} is not in the configuration, and schema {} has no default node to create it on",
            name.table.value, schema.name
        )),
        Some(_) => PlanError::UnknownTable { schema: schema.name.clone(), table: name.table.value.clone() },
    })?;
    Ok(PlanTable { schema: schema.name.clone(), table })
}

/// Whether both tables lie on the same nodes, shard n of one where shard n of the other does.
fn same_nodes(one: &PlanTable, two: &PlanTable) -> bool {
    match (&one.table.placement, &two.table.placement) {
        (Placement::Sharded(one), Placement::Sharded(two)) => one.rule.name == two.rule.name,
        _ => nodes(one) == nodes(two),
    }
}

fn nodes(table: &PlanTable) -> Vec<NodeId> {
    places(table).into_iter().map(|(node, _)| node).collect()
}

/// Whether what one table refers to in the other lies where it does.
fn same_places(one: &PlanTable, two: &PlanTable) -> bool {
    match (&one.table.placement, &two.table.placement) {
        // A foreign key to a global table works on every node that has a copy.
        (_, Placement::Global(copies)) => nodes(one).iter().all(|node| copies.contains(node)),
        _ => same_nodes(one, two),
    }
}

pub(super) fn places(table: &PlanTable) -> Vec<(NodeId, Option<usize>)> {
    match &table.table.placement {
        Placement::Node(node) => vec![(*node, None)],
        Placement::Global(nodes) => nodes.iter().map(|node| (*node, None)).collect(),
        Placement::Sharded(sharding) => {
            sharding.shards.iter().enumerate().map(|(index, shard)| (shard.node, Some(index))).collect()
        }
    }
}

/// A unique key that no node can check must be declared, from the first day.
fn refuse_unenforced(table: &PlanTable, sql: &str, options: LexOptions) -> Result<(), PlanError> {
    let Placement::Sharded(sharding) = &table.table.placement else { return Ok(()) };
    let Ok(definition) = create_table::parse(sql, options) else { return Ok(()) };
    let mut columns = Vec::with_capacity(sharding.columns.len());
    for known in &sharding.columns {
        let Some(column) = definition.column(&known.name) else {
            return Err(PlanError::refused(format!(
                "Table {} is sharded by {}, which is not among its columns",
                table.table.name, known.name
            )));
        };
        if column.generated {
            return Err(PlanError::refused(format!(
                "{} is the sharding column of {}, and no statement says the value of a generated column; choose a column that \
                 statements write, or let this one be none",
                column.name, table.table.name
            )));
        }
        columns.push(known.defined(column));
    }
    let touched = sharding.columns.iter().filter_map(|known| definition.column(&known.name));
    if let Some(column) = touched.into_iter().find(|column| column.on_update) {
        return Err(PlanError::refused(format!(
            "{} is a sharding column of {}, and ON UPDATE CURRENT_TIMESTAMP would change it in rows that stay where they \
             are; leave it out",
            column.name, table.table.name
        )));
    }
    let sharding = sharding.with_columns(columns);
    match check_unique(&sharding, &definition, table.table.unique) {
        Some(problem) => Err(PlanError::refused(problem)),
        None => Ok(()),
    }
}

/// A parent's key names one row, and its children's columns can hold it.
fn refuse_family(
    catalog: &Catalog,
    table: &PlanTable,
    sql: &str,
    options: LexOptions,
) -> Result<(), PlanError> {
    if !table.table.sharding().is_some_and(|sharding| sharding.has_family()) {
        return Ok(());
    }
    let Ok(definition) = create_table::parse(sql, options) else { return Ok(()) };
    match check_family(catalog, &table.schema, &definition) {
        Some(problem) => Err(PlanError::refused(problem)),
        None => Ok(()),
    }
}

fn text(
    catalog: &Catalog,
    names: &[&TableName],
    tables: &[PlanTable],
    sql: &str,
    node: NodeId,
    shard: Option<usize>,
) -> Vec<u8> {
    splice(sql.as_bytes(), &edits(catalog, names, tables, node, shard))
}

/// The names as they are on a node.
fn edits(
    catalog: &Catalog,
    names: &[&TableName],
    tables: &[PlanTable],
    node: NodeId,
    shard: Option<usize>,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (name, table) in names.iter().zip(tables) {
        let physical = table.physical_name(shard);
        if name.schema.is_none() && physical == name.table.value {
            continue;
        }
        let mut text = Vec::new();
        if name.schema.is_some() {
            quote(&catalog.node(node).database, &mut text);
            text.push(b'.');
        }
        quote(physical, &mut text);
        edits.push(Edit { at: name.span(), text: String::from_utf8_lossy(&text).into_owned() });
    }
    edits
}
