//! `show @@datanode [where schema = ?]`.

use std::collections::BTreeSet;

use serval_backend::ServerStatus;
use serval_catalog::{Catalog, Role, Schema};
use serval_session::Answer;
use serval_types::NodeId;

/// The data nodes; with `schema`, those that it uses.
pub(super) fn rows(catalog: &Catalog, servers: &[ServerStatus], schema: Option<&str>) -> Answer {
    let wanted = schema.map(|name| catalog.schema(name).map(nodes_of).unwrap_or_default());
    let mut answer =
        Answer::of_text(&["NAME", "GROUP", "DATABASE", "PRIMARY", "STATE", "ACTIVE", "IDLE", "SIZE"]);
    for node in
        catalog.nodes.iter().filter(|node| wanted.as_ref().is_none_or(|wanted| wanted.contains(&node.id)))
    {
        let group = catalog.group(node.group);
        let primary =
            servers.iter().find(|server| server.group == group.name && server.role == Role::Primary);
        let number = |number: fn(&ServerStatus) -> usize| primary.map_or(0, number).to_string();
        answer.push([
            node.name.clone(),
            group.name.clone(),
            node.database.clone(),
            primary.map_or_else(String::new, |server| server.address.to_string()),
            primary.map_or("unknown", |server| server.health.word()).to_owned(),
            number(|server| server.used),
            number(|server| server.free),
            number(|server| server.max_connections),
        ]);
    }
    answer
}

fn nodes_of(schema: &Schema) -> BTreeSet<NodeId> {
    let tables = schema.tables.values().flat_map(|table| table.placement.nodes());
    tables.chain(schema.default_node).collect()
}
