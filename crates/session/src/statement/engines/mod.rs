//! Statements about tables on engines: servers of other kinds, whose SQL is their own.
//!
//! A statement that names nothing else goes to the engine as it stands ([`whole`]). One that names other tables too may have
//! an engine's SELECT in parentheses: that runs first, and its rows stand in its place ([`beside`]).

mod beside;
mod names;
mod typed;
mod whole;

use std::sync::Arc;

use bytes::Bytes;
use serval_catalog::{Catalog, EngineTable};
use serval_planner::ClientText;
use serval_remote::{Backend, EngineAnswer};
use serval_sql::{Edit, Scan, Span};
use serval_types::{ErrorCode, MysqlError};
use tokio::io::AsyncWrite;

use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::Session;
use crate::stream::Writer;
use crate::words::contains_word;
use names::{Mention, Named};

/// A statement that names tables of engines.
pub(super) struct Found {
    catalog: Arc<Catalog>,
    named: Named,
    /// For each mention the engine's table that it is.
    tables: Vec<Option<EngineTable>>,
}

/// The statement's tables, if any of them is on an engine.
pub(super) fn named<B: Backend>(
    session: &Session<B>,
    sql: &[u8],
    scan: &Scan,
) -> Result<Option<Found>, Failure> {
    if session.proxy.catalog.load().engines.is_empty() {
        return Ok(None);
    }
    let catalog = session.base_catalog();
    let stands = |table: &EngineTable| {
        let starts_plain = table.name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        !(table.name.is_ascii() && starts_plain) || contains_word(sql, table.name.as_bytes())
    };
    if !catalog.engines.tables().any(stands) {
        return Ok(None);
    }
    let Some(named) = Named::find(sql, scan.end, session.options) else { return Ok(None) };
    let mut tables = Vec::with_capacity(named.mentions.len());
    for mention in &named.mentions {
        tables.push(table(session, &catalog, mention)?);
    }
    let is_any = tables.iter().any(Option::is_some);
    Ok(is_any.then_some(Found { catalog, named, tables }))
}

/// The engine's table that a mention is.
fn table<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    mention: &Mention,
) -> Result<Option<EngineTable>, Failure> {
    let schema = mention.schema.as_deref().or(session.schema.as_deref()).filter(|_| !mention.is_own);
    let Some(schema) = schema else { return Ok(None) };
    let Some(table) = catalog.engines.table(schema, &mention.table) else { return Ok(None) };
    if session.temporary.has(schema, &mention.table) {
        return Ok(None);
    }
    session.check_schema(schema)?;
    Ok(Some(table.clone()))
}

/// Refuses to prepare a statement that an engine would have to prepare.
pub(super) fn refuse_prepared<B: Backend>(
    session: &Session<B>,
    sql: &[u8],
    scan: &Scan,
) -> Result<(), Failure> {
    let Some(found) = named(session, sql, scan)? else { return Ok(()) };
    let table = found.tables.iter().flatten().next();
    let name = table.map_or("", |table| &table.name);
    Err(Failure::Told(MysqlError::new(
        ErrorCode::UnsupportedPrepare,
        format!(
            "Table {name} is on an engine, whose statements cannot be prepared; send the statement as text, which drivers \
             do with prepared statements of the client's side"
        ),
    )))
}

/// Answers a statement that names tables of engines.
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
    if session.locked.is_some() {
        return Err(refused("Tables on engines cannot be used under LOCK TABLES; UNLOCK TABLES first"));
    }
    if session.client_text() == ClientText::Other {
        return Err(refused("Engines are spoken to in UTF-8; SET NAMES utf8mb4 first"));
    }
    let mut engines = found.tables.iter().map(|table| table.as_ref().map(|table| &table.engine.name));
    let first = engines.next().flatten();
    let mentions = || found.named.mentions.iter().zip(&found.tables);
    let rest_is_own = mentions().all(|(mention, table)| {
        mention.is_own || table.as_ref().is_some_and(|table| Some(&table.engine.name) == first_of(found))
    });
    if rest_is_own && (first.is_some() || first_of(found).is_some()) {
        return whole::run(session, writer, sql, scan, found).await;
    }
    let result = beside::run(session, writer, sql, scan, found).await;
    session.beside = None;
    result
}

/// The engine of the first table that is on one.
fn first_of(found: &Found) -> Option<&String> {
    found.tables.iter().flatten().map(|table| &table.engine.name).next()
}

/// A part of the statement as the engine is to read it: its tables by the names that it knows.
fn physical<B: Backend>(
    session: &Session<B>,
    sql: &[u8],
    part: Span,
    found: &Found,
) -> Result<Vec<u8>, Failure> {
    let inside = |span: Span| span.start >= part.start && span.end <= part.end;
    let mut edits = Vec::new();
    let mut put = |span: Span, text: String| {
        edits.push(Edit { at: Span { start: span.start - part.start, end: span.end - part.start }, text });
    };
    for (mention, table) in found.named.mentions.iter().zip(&found.tables) {
        let Some(table) = table.as_ref().filter(|_| inside(mention.span)) else { continue };
        if mention.schema.is_some() || table.physical != mention.table {
            put(mention.span, name(&table.physical));
        }
    }
    let tokens: Vec<_> = found.named.tokens.iter().filter(|token| inside(token.span)).collect();
    for token in tokens {
        if token.kind != serval_sql::TokenKind::UserVariable {
            continue;
        }
        let text = String::from_utf8_lossy(token.span.of(sql)).into_owned();
        let variable = super::user_variable(text.trim_start_matches('@')).to_lowercase();
        if let Some(value) = session.state.value(&variable) {
            put(token.span, value.to_owned());
        }
    }
    let text = sql.get(part.start as usize..part.end as usize).unwrap_or_default();
    let text = serval_sql::splice(text, &edits);
    Ok(session.with_identity(&text)?.into_owned())
}

/// A name as every engine reads it.
fn name(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { name.to_owned() } else { identifier(name) }
}

async fn ask<B: Backend>(
    session: &Session<B>,
    table: &EngineTable,
    sql: &[u8],
) -> Result<Box<dyn EngineAnswer>, Failure> {
    let Some(engines) = session.proxy.backend.engines() else {
        return Err(refused("This proxy reaches no engines"));
    };
    let answer = engines.ask(&table.engine.name, sql).await;
    answer.map_err(|error| told(error, table))
}

/// An engine's error, in the names that clients use.
fn told(error: MysqlError, table: &EngineTable) -> Failure {
    if table.physical == table.name {
        return Failure::Told(error);
    }
    let message = error.message.replace(&table.physical, &table.name);
    Failure::Told(MysqlError { message, ..error })
}
