//! Which databases of which servers stand for the schemas that a client sees.
//!
//! Each table is represented by one physical table. One group represents as many as it can; what it does not hold is
//! represented where it lies.

use std::collections::{BTreeMap, BTreeSet};

use serval_catalog::{Catalog, Placement, Schema, Table};
use serval_types::{GroupId, NodeId};

/// Where everything is represented.
#[derive(Debug)]
pub(super) struct Layout {
    /// The group that runs the query.
    pub(super) main: GroupId,
    pub(super) parts: Vec<Part>,
}

/// A database that represents tables of a schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) schema: String,
    pub(super) node: NodeId,
    pub(super) group: GroupId,
    pub(super) database: String,
    /// It stands for the schema itself: its routines, its events, and the tables that the config does not name.
    pub(super) stands: bool,
    /// The tables that it represents: physical and logical names.
    pub(super) tables: Vec<(String, String)>,
    /// Tables in it that it does not represent.
    pub(super) others: BTreeSet<String>,
    /// Every table of the schema in it that has another name there: physical and logical.
    pub(super) renamed: Vec<(String, String)>,
}

impl Layout {
    /// The layout for `schemas`, those that the client may use.
    pub(super) fn of(catalog: &Catalog, schemas: &[&Schema], home: NodeId) -> Self {
        let main = main(catalog, schemas).unwrap_or(catalog.node(home).group);
        let parts = schemas.iter().flat_map(|schema| parts(catalog, schema, main)).collect();
        Self { main, parts }
    }

    /// The node that runs the query: `home` if its group does, else the first part's.
    pub(super) fn node(&self, catalog: &Catalog, home: NodeId) -> NodeId {
        let of_main = self.parts_of(self.main).next().map(|part| part.node);
        if catalog.node(home).group == self.main { home } else { of_main.unwrap_or(home) }
    }

    pub(super) fn parts_of(&self, group: GroupId) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.group == group)
    }

    /// The groups of the parts that the main one does not hold.
    pub(super) fn other_groups(&self) -> BTreeSet<GroupId> {
        self.parts.iter().map(|part| part.group).filter(|group| *group != self.main).collect()
    }

    /// The databases of a group with the schemas that they belong to.
    pub(super) fn databases(&self, group: GroupId) -> Vec<(&str, &str)> {
        self.parts_of(group).map(|part| (&*part.database, &*part.schema)).collect()
    }
}

/// The group that represents the most: default nodes first, then tables.
fn main(catalog: &Catalog, schemas: &[&Schema]) -> Option<GroupId> {
    let mut weights: BTreeMap<GroupId, (usize, usize)> = BTreeMap::new();
    for schema in schemas {
        if let Some(default) = schema.default_node {
            weights.entry(catalog.node(default).group).or_default().0 += 1;
        }
        for table in schema.tables.values() {
            let groups: BTreeSet<_> =
                table.placement.nodes().into_iter().map(|node| catalog.node(node).group).collect();
            for group in groups {
                weights.entry(group).or_default().1 += 1;
            }
        }
    }
    // The first of equals, so that the same server answers each time.
    weights.into_iter().rev().max_by_key(|(_, weight)| *weight).map(|(group, _)| group)
}

fn parts(catalog: &Catalog, schema: &Schema, main: GroupId) -> Vec<Part> {
    let mut chosen: BTreeMap<NodeId, Vec<(String, String)>> = BTreeMap::new();
    if let Some(default) = schema.default_node {
        chosen.insert(default, Vec::new());
    }
    for table in schema.tables.values() {
        let places = places(table);
        let on_default = places.iter().find(|(node, _)| schema.default_node == Some(*node));
        let on_main = || places.iter().find(|(node, _)| catalog.node(*node).group == main);
        // A default node elsewhere is read anyway, but its rows would have to travel.
        let on_default = on_default.filter(|(node, _)| catalog.node(*node).group == main);
        let Some((node, physical)) = on_default.or_else(on_main).or(places.first()) else { continue };
        chosen.entry(*node).or_default().push((physical.clone(), table.name.clone()));
    }
    let stands = schema.default_node.or_else(|| {
        let on_main = |node: &&NodeId| catalog.node(**node).group == main;
        chosen.keys().find(on_main).or(chosen.keys().next()).copied()
    });
    chosen.into_iter().map(|(node, tables)| part(catalog, schema, node, tables, stands)).collect()
}

fn part(
    catalog: &Catalog,
    schema: &Schema,
    node: NodeId,
    tables: Vec<(String, String)>,
    stands: Option<NodeId>,
) -> Part {
    let data_node = catalog.node(node);
    let is_shown = |name: &str| tables.iter().any(|(physical, _)| physical.eq_ignore_ascii_case(name));
    let mut others = BTreeSet::new();
    let mut renamed = Vec::new();
    for (owner, table) in
        catalog.schemas.values().flat_map(|owner| owner.tables.values().map(move |table| (owner, table)))
    {
        let own = owner.name == schema.name;
        if own && !is_shown(&table.name) {
            others.insert(table.name.clone());
        }
        for (_, physical) in places(table).into_iter().filter(|(place, _)| {
            let place = catalog.node(*place);
            place.group == data_node.group && place.database == data_node.database
        }) {
            if own && physical != table.name {
                renamed.push((physical.clone(), table.name.clone()));
            }
            // A piece of a table with another name is nobody's table; one of another schema may be shared.
            if !is_shown(&physical) && (own || table.sharding().is_some()) {
                others.insert(physical);
            }
        }
    }
    let (database, group) = (data_node.database.to_string(), data_node.group);
    let schema = schema.name.clone();
    Part { schema, node, group, database, stands: stands == Some(node), tables, others, renamed }
}

/// The nodes of a table's pieces or copies, with its name there.
pub(super) fn places(table: &Table) -> Vec<(NodeId, String)> {
    match &table.placement {
        Placement::Node(node) => vec![(*node, table.name.clone())],
        Placement::Global(nodes) => nodes.iter().map(|node| (*node, table.name.clone())).collect(),
        Placement::Sharded(sharding) => {
            sharding.shards.iter().map(|shard| (shard.node, shard.table.to_string())).collect()
        }
    }
}
