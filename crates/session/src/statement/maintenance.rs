//! ANALYZE, CHECK, CHECKSUM, OPTIMIZE and REPAIR TABLE: on every piece of each table, with rows about the whole.

use serval_catalog::Placement;
use serval_executor::Names;
use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::Backend;
use serval_sql::{Maintenance, TableName};
use serval_types::NodeId;
use tokio::io::AsyncWrite;

use super::transaction::commit;
use crate::answer::{Answer, Row};
use crate::failure::{Failure, refused, unknown_table};
use crate::literal::identifier;
use crate::session::{Session, is_system_schema, on_node};
use crate::stream::Writer;

/// Runs the statement. All but CHECK and CHECKSUM commit the open transaction first, as on a server.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    statement: &Maintenance,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let tables = statement.tables.iter().map(|name| find(session, name)).collect::<Result<Vec<_>, _>>()?;
    if statement.verb != "CHECKSUM" {
        commit(session).await?;
    }
    let mut whole = Answer::default();
    for table in &tables {
        let rows = of_table(session, text, statement, table).await?;
        whole.columns = rows.columns;
        whole.rows.extend(rows.rows);
    }
    super::answer(session, writer, &whole).await
}

fn find<B: Backend>(session: &Session<B>, name: &TableName) -> Result<PlanTable, Failure> {
    let named = name.schema.as_ref().map(|schema| schema.value.as_str());
    let schema_name = session.schema_or_current(named)?;
    if is_system_schema(&schema_name) {
        return Err(refused("Tables of the servers' own schemas are looked after on the servers"));
    }
    let catalog = session.catalog();
    let table = catalog.schema(&schema_name).and_then(|schema| schema.table_or_default(&name.table.value));
    let table = table.ok_or_else(|| unknown_table(&schema_name, &name.table.value))?;
    Ok(PlanTable { schema: schema_name, table })
}

/// The rows about one table: those about its pieces, each text once; checksums added up.
async fn of_table<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    statement: &Maintenance,
    table: &PlanTable,
) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let mut whole = Answer::default();
    let shown = format!("{}.{}", table.schema, table.table.name);
    for (node, shard) in pieces(table, statement.verb) {
        let physical = identifier(table.physical_name(shard));
        let sql = format!("{} {physical} {}", statement.words.text(text), statement.options.text(text))
            .trim_end()
            .to_owned();
        let target = Target::new(node, shard, sql.into_bytes());
        let names = Names::of(&catalog, std::slice::from_ref(table), &target);
        let answer = session.collect_bound(&on_node(target.clone()), &catalog).await?;
        whole.columns = answer.columns;
        for mut row in answer.rows {
            logical(&mut row, &shown, &names);
            if statement.verb == "CHECKSUM"
                && let Some(sum) = whole.rows.first_mut()
            {
                add(sum, &row);
            } else if !whole.rows.contains(&row) {
                whole.rows.push(row);
            }
        }
    }
    // What was wrong with one piece stands before what was well with the others.
    let is_status = |row: &Row| row.get(2).and_then(Option::as_deref) == Some(b"status");
    if statement.verb != "CHECKSUM" {
        whole.rows.sort_by_key(is_status);
        let failed = whole.rows.iter().any(|row| row.get(2).and_then(Option::as_deref) == Some(b"Error"));
        let says =
            |row: &Row, text: &[u8]| is_status(row) && row.get(3).and_then(Option::as_deref) == Some(text);
        // What was to be done for one piece was not done already for the table.
        let done = whole.rows.iter().any(|row| says(row, b"OK"));
        whole
            .rows
            .retain(|row| !(failed && says(row, b"OK") || done && says(row, b"Table is already up to date")));
    }
    Ok(whole)
}

/// The pieces of a table; of a table with copies the first is enough to sum up, and all are looked after.
fn pieces(table: &PlanTable, verb: &str) -> Vec<(NodeId, Option<usize>)> {
    match &table.table.placement {
        Placement::Node(node) => vec![(*node, None)],
        Placement::Global(nodes) => {
            let copies = if verb == "CHECKSUM" { 1 } else { nodes.len() };
            nodes.iter().take(copies).map(|node| (*node, None)).collect()
        }
        Placement::Sharded(sharding) => {
            sharding.shards.iter().enumerate().map(|(at, shard)| (shard.node, Some(at))).collect()
        }
    }
}

fn logical(row: &mut Row, shown: &str, names: &Names<'_>) {
    let mut cells = row.iter_mut();
    if let Some(Some(table)) = cells.next() {
        *table = shown.as_bytes().to_vec();
    }
    for cell in cells.flatten() {
        *cell = names.map_text(&String::from_utf8_lossy(cell)).into_bytes();
    }
}

/// A server's checksum is the sum of those of its rows, in 32 bits.
fn add(sum: &mut Row, piece: &Row) {
    let number = |cell: Option<&Option<Vec<u8>>>| {
        let cell = cell.and_then(Option::as_ref).map(|cell| String::from_utf8_lossy(cell).into_owned());
        cell.and_then(|cell| cell.parse::<u64>().ok())
    };
    let total = number(sum.get(1)).zip(number(piece.get(1))).map(|(one, two)| (one + two) & 0xffff_ffff);
    if let Some(cell) = sum.get_mut(1) {
        *cell = total.map(|total| total.to_string().into_bytes());
    }
}
