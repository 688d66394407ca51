//! Engines' rows beside other tables: an engine's SELECT in parentheses runs first, and its rows are gathered with the rows of
//! the other tables.

use std::sync::Arc;

use bytes::Bytes;
use serval_catalog::{DescribedTable, EngineTable};
use serval_remote::{Backend, EngineEvent};
use serval_sql::{Edit, Scan, Span, StatementClass, splice};
use serval_types::{ErrorCode, MysqlError};
use serval_wire::packet::ColumnDefinition;
use tokio::io::AsyncWrite;

use super::{Found, ask, physical, told, typed};
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::{Session, fresh_overlay};
use crate::stream::Writer;

pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
    scan: &Scan,
    found: &Found,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    use StatementClass as Class;
    if !matches!(scan.class, Class::Select | Class::With | Class::Explain | Class::Describe) {
        return Err(refused(
            "A statement that writes may not name an engine's tables beside others; read the engine's rows first",
        ));
    }
    if found.catalog.scratch.is_none() {
        return Err(refused(
            "An engine's rows beside other tables are joined on a scratch server only ([scratch] in the config); use two \
             statements",
        ));
    }
    let mut described = Vec::new();
    let mut edits = Vec::new();
    for (frame, table) in queries(found)? {
        let place = &found.named.frames[frame];
        let inside = Span { start: place.open + 1, end: place.close - 1 };
        let text = physical(session, sql, inside, found)?;
        let name = format!("serval_rows_{}", described.len());
        let (columns, rows) = rows(session, table, &text).await?;
        let definition = typed::definition(&name, &columns, &rows)?;
        let node = session.home(&found.catalog)?;
        let schema = table.schema.clone();
        let held = Some(Arc::from(rows));
        described.push(DescribedTable { schema, definition, node, derived: None, held });
        let stand_in = format!("{}.{}", identifier(&table.schema), identifier(&name));
        let text = if place.is_table && !has_columns(found, place.close) {
            stand_in
        } else {
            format!("(SELECT * FROM {stand_in})")
        };
        edits.push(Edit { at: Span { start: place.open, end: place.close }, text });
    }
    let text = Bytes::from(splice(sql, &edits));
    let catalog = session.catalog();
    session.beside = Some(fresh_overlay(session, &catalog, described));
    let scan = super::super::scan(session, &text)?;
    Box::pin(super::super::dispatch(session, writer, &text, &scan)).await
}

/// The parentheses that each engine's SELECTs stand in: the outermost ones with tables of one engine alone.
fn queries(found: &Found) -> Result<Vec<(usize, &EngineTable)>, Failure> {
    let named = &found.named;
    let mut queries: Vec<(usize, &EngineTable)> = Vec::new();
    for (mention, table) in named.mentions.iter().zip(&found.tables) {
        let Some(table) = table else { continue };
        let is_alone = |frame: &usize| {
            let mut inside =
                named.mentions.iter().zip(&found.tables).filter(|(other, _)| named.is_in(other, *frame));
            inside
                .all(|(_, other)| other.as_ref().is_some_and(|other| other.engine.name == table.engine.name))
        };
        let whole = |frame: &usize| {
            let frame = &named.frames[*frame];
            frame.parent.is_some() && frame.is_query && frame.close > frame.open + 1
        };
        let Some(frame) = named.around(mention.frame).filter(whole).filter(is_alone).last() else {
            return Err(refused(format!(
                "Table {} is on engine {}, whose SQL is its own: beside other tables it stands in a SELECT of its own in \
                 parentheses, as in FROM (SELECT … FROM {} WHERE …) AS hits JOIN …",
                table.name, table.engine.name, table.name
            )));
        };
        if !queries.iter().any(|(known, _)| *known == frame) {
            queries.push((frame, table));
        }
    }
    Ok(queries)
}

/// Whether the alias behind parentheses has a list of columns.
fn has_columns(found: &Found, close: u32) -> bool {
    let mut behind = found.named.tokens.iter().skip_while(|token| token.span.start < close);
    let is_open = |token: Option<&serval_sql::Token>| token.is_some_and(|token| token.is_symbol(b'('));
    let (first, second, third) = (behind.next(), behind.next(), behind.next());
    is_open(first) || is_open(second) || is_open(third)
}

/// The rows of an engine's SELECT.
async fn rows<B: Backend>(
    session: &Session<B>,
    table: &EngineTable,
    sql: &[u8],
) -> Result<(Vec<ColumnDefinition>, Vec<Vec<u8>>), Failure> {
    let engine = &table.engine;
    let mut answer = ask(session, table, sql).await?;
    let (mut columns, mut rows, mut left) = (Vec::new(), Vec::new(), engine.limit);
    loop {
        match answer.next().await.map_err(|error| told(error, table))? {
            EngineEvent::Columns(found) => columns = found,
            EngineEvent::Row(row) => {
                let Some(less) = left.checked_sub(row.len()).filter(|_| (rows.len() as u64) < engine.rows)
                else {
                    return Err(too_many(table));
                };
                left = less;
                rows.push(row.to_vec());
            }
            EngineEvent::End(_) => return Ok((columns, rows)),
            EngineEvent::Next => {
                return Err(refused(format!("Engine {} answers with several results", engine.name)));
            }
            EngineEvent::Ok(..) => {
                return Err(refused(format!("Engine {} answers without rows", engine.name)));
            }
        }
    }
}

/// ER_CAPACITY_EXCEEDED.
fn too_many(table: &EngineTable) -> Failure {
    let engine = &table.engine;
    Failure::Told(MysqlError::new(
        ErrorCode::CapacityExceeded,
        format!(
            "The rows of engine {} that this statement needs are more than {} or larger than {} bytes (`rows` and `limit` \
             of [engines.{}]); narrow its SELECT with WHERE or LIMIT",
            engine.name, engine.rows, engine.limit, engine.name
        ),
    ))
}
