//! Whether the pieces or copies of a table look alike, and what would make them.
//!
//! The form that most of them have counts as right; among equally many, that of the first.

mod parts;

pub use parts::{Change, change};
use serval_catalog::{Catalog, Table};
use serval_remote::Backend;
use serval_types::NodeId;

use super::shape;
use crate::places::{places, quoted};

/// A piece of a table that is not like the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The logical schema.
    pub schema: String,
    /// The logical table.
    pub table: String,
    /// The data node's name.
    pub node: String,
    /// The table's name there.
    pub physical: String,
    /// What differs, one sentence each.
    pub what: Vec<String>,
    /// The statement that makes it like the others, to be run on the node's server; empty where there is none.
    pub repair: String,
}

/// Compares the tables that a schema's config names, or one of them, over all their nodes.
pub async fn compare<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    schema: &str,
    table: Option<&str>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let Some(known) = catalog.schema(schema) else { return found };
    for one in known.tables.values() {
        if table.is_none_or(|wanted| one.name.eq_ignore_ascii_case(wanted)) {
            found.extend(of_table(backend, catalog, &known.name, one).await);
        }
    }
    found
}

struct Piece<'a> {
    node: NodeId,
    physical: &'a str,
    /// `None` where the table is not there.
    shape: Option<String>,
}

async fn of_table<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    schema: &str,
    table: &Table,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let difference = |node: NodeId, physical: &str, what: Vec<String>, repair: String| Difference {
        schema: schema.to_owned(),
        table: table.name.clone(),
        node: catalog.node(node).name.clone(),
        physical: physical.to_owned(),
        what,
        repair,
    };
    let mut pieces = Vec::new();
    for (node, physical) in places(table) {
        match shape(backend, catalog.node(node), physical).await {
            Ok(shape) => pieces.push(Piece { node, physical, shape }),
            Err(error) => {
                let what = vec![format!("not compared: {}", error.to_mysql().message)];
                found.push(difference(node, physical, what, String::new()));
            }
        }
    }
    let Some(right) = most_common(&pieces) else { return found };
    for Piece { node, physical, shape } in &pieces {
        let database = quoted(&catalog.node(*node).database);
        let name = format!("{database}.{}", quoted(physical));
        match shape {
            None => found.push(difference(
                *node,
                physical,
                vec!["the table is missing".to_owned()],
                right.replacen("CREATE TABLE ``", &format!("CREATE TABLE {name}"), 1),
            )),
            Some(shape) if shape != right => {
                let parts::Change { what, clauses } = parts::change(shape, right);
                let repair = if clauses.is_empty() {
                    String::new()
                } else {
                    format!("ALTER TABLE {name} {}", clauses.join(", "))
                };
                found.push(difference(*node, physical, what, repair));
            }
            Some(_) => {}
        }
    }
    found
}

/// The form that most pieces have; `None` where the table is nowhere.
fn most_common<'p>(pieces: &'p [Piece<'_>]) -> Option<&'p str> {
    let shapes = || pieces.iter().filter_map(|piece| piece.shape.as_deref());
    let count = |wanted: &str| shapes().filter(|shape| *shape == wanted).count();
    // Of equal ones `max_by_key` takes the last, so it is asked backwards.
    let backwards: Vec<&str> = shapes().collect();
    backwards.into_iter().rev().max_by_key(|shape| count(shape))
}
