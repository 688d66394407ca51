//! SHOW TABLE STATUS: numbers of all pieces of a table, added up.

use std::collections::{BTreeMap, BTreeSet};

use serval_catalog::{Placement, Schema, Table};
use serval_executor::Names;
use serval_planner::primitive::Target;
use serval_remote::Backend;
use serval_types::NodeId;

use super::place::is_hidden;
use crate::answer::{Answer, Row};
use crate::failure::{Failure, unknown_schema};
use crate::session::{Session, is_system_schema};

/// Columns that add up over the pieces.
const SUMS: [&str; 4] = ["Rows", "Data_length", "Index_length", "Data_free"];

/// Columns of one piece that say nothing of a table with several.
const UNKNOWN: [&str; 2] = ["Auto_increment", "Checksum"];

/// The status of each table of a schema, in the order of their names.
pub(in crate::statement) async fn rows<B: Backend>(
    session: &mut Session<B>,
    schema: Option<&str>,
) -> Result<Answer, Failure> {
    let name = session.schema_or_current(schema)?;
    if is_system_schema(&name) {
        let home = session.home(&session.catalog())?;
        return session.ask(home, &format!("SHOW TABLE STATUS FROM {name}")).await;
    }
    let catalog = session.catalog();
    let schema = catalog.schema(&name).ok_or_else(|| unknown_schema(&name))?;
    let mut nodes: BTreeSet<NodeId> =
        schema.tables.values().flat_map(|table| table.placement.nodes()).collect();
    nodes.extend(schema.default_node);
    let mut status = Status::default();
    for node in nodes {
        let answer = session.ask(node, "SHOW TABLE STATUS").await?;
        let names = Target::new(node, None, Vec::new());
        status.add(schema, node, answer, &Names::of(&catalog, &[], &names));
    }
    Ok(status.into_answer())
}

#[derive(Default)]
struct Status {
    columns: Answer,
    tables: BTreeMap<String, Row>,
}

impl Status {
    fn add(&mut self, schema: &Schema, node: NodeId, answer: Answer, names: &Names<'_>) {
        let rows = answer.rows;
        self.columns = Answer::new(answer.columns);
        for mut row in rows {
            let Some(physical) = row.first().cloned().flatten() else { continue };
            let physical = String::from_utf8_lossy(&physical).into_owned();
            let Some(logical) = logical(schema, node, &physical) else { continue };
            if let Some(name) = row.first_mut() {
                *name = Some(logical.clone().into_bytes());
            }
            explain_view(&self.columns, &mut row, names);
            match self.tables.get_mut(&logical) {
                Some(whole) => join(&self.columns, whole, &row),
                None => drop(self.tables.insert(logical, row)),
            }
        }
    }

    fn into_answer(self) -> Answer {
        Answer { rows: self.tables.into_values().collect(), ..self.columns }
    }
}

/// The logical table that a physical one is, or is a piece of. Copies of a global table count once.
fn logical(schema: &Schema, node: NodeId, physical: &str) -> Option<String> {
    let is_piece = |table: &Table| match &table.placement {
        Placement::Node(own) => *own == node && schema.is_called(table, &table.name, physical),
        Placement::Global(nodes) => nodes.first() == Some(&node) && table.name.eq_ignore_ascii_case(physical),
        Placement::Sharded(sharding) => {
            let mut shards = sharding.shards.iter();
            shards.any(|shard| shard.node == node && shard.table.eq_ignore_ascii_case(physical))
        }
    };
    if let Some(table) = schema.tables.values().find(|table| is_piece(table)) {
        return Some(table.name.clone());
    }
    let unnamed = schema.default_node == Some(node) && !schema.knows(physical);
    (unnamed && !is_hidden(schema, physical)).then(|| physical.to_owned())
}

/// What a server says of a view that is broken, in logical names. Comments of tables are their owners' words.
fn explain_view(columns: &Answer, row: &mut Row, names: &Names<'_>) {
    let mut cells = columns.columns.iter().zip(row.iter_mut());
    let is_view =
        cells.by_ref().find(|(column, _)| &*column.name == b"Engine").is_some_and(|(_, cell)| cell.is_none());
    if let (true, Some((_, Some(comment)))) = (is_view, cells.find(|(column, _)| &*column.name == b"Comment"))
    {
        *comment = names.map_text(&String::from_utf8_lossy(comment)).into_bytes();
    }
}

/// Adds another piece to a table's row.
fn join(columns: &Answer, whole: &mut Row, piece: &Row) {
    for ((column, whole), piece) in columns.columns.iter().zip(whole.iter_mut()).zip(piece) {
        let is = |names: &[&str]| names.iter().any(|name| column.name.as_ref() == name.as_bytes());
        if is(&SUMS) {
            *whole = Some((number(whole) + number(piece)).to_string().into_bytes());
        } else if is(&UNKNOWN) {
            *whole = None;
        }
    }
}

fn number(cell: &Option<Vec<u8>>) -> u64 {
    let text = cell.as_deref().map(String::from_utf8_lossy);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
