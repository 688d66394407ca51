//! CREATE TABLE, CREATE INDEX and CREATE DATABASE.

use super::{Ddl, DdlKind, stored};
use crate::parse::{Cursor, ParseError, TableName};
use crate::{Span, TokenKind};

pub(super) fn create(cursor: &mut Cursor<'_>) -> Result<Ddl, ParseError> {
    cursor.expect(&["CREATE"])?;
    if let Some(ddl) = stored::create(&mut cursor.clone())? {
        return Ok(ddl);
    }
    let or_replace = cursor.accept(&["OR", "REPLACE"]);
    let _ = cursor.accept_one(&["ONLINE", "OFFLINE"]);
    let temporary = cursor.accept(&["TEMPORARY"]);
    let unique = cursor.accept_one(&["UNIQUE", "FULLTEXT", "SPATIAL"]) == Some("UNIQUE");
    if cursor.accept(&["TABLE"]) {
        create_table(cursor, or_replace, temporary)
    } else if cursor.accept(&["INDEX"]) {
        create_index(cursor, unique)
    } else if cursor.accept_one(&["DATABASE", "SCHEMA"]).is_some() {
        let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
        let name = cursor.ident()?.value;
        let options = if cursor.is_end() { Span::default() } else { cursor.rest() };
        Ok(Ddl::new(DdlKind::CreateDatabase { name, if_not_exists, options }, Vec::new()))
    } else {
        Ok(Ddl::new(DdlKind::Other, Vec::new()))
    }
}

fn create_table(cursor: &mut Cursor<'_>, or_replace: bool, temporary: bool) -> Result<Ddl, ParseError> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let mut tables = vec![cursor.table_name()?];
    let mut body = cursor.clone();
    let in_parentheses = body.accept_symbol(b'(');
    let mut like = None;
    if body.accept(&["LIKE"]) {
        let source = body.table_name()?;
        if in_parentheses {
            body.expect_symbol(b')')?;
        }
        body.expect_end()?;
        tables.push(source.clone());
        like = Some(source);
    } else if cursor.is_end() {
        return Err(cursor.error());
    }
    let (references, query) = references_and_select(cursor)?;
    let as_select = query.is_some();
    let kind = DdlKind::CreateTable { if_not_exists, temporary, or_replace, like, as_select };
    Ok(Ddl { kind, tables, references, query })
}

/// The tables behind REFERENCES, and the query outside the column list, with the parentheses that it stands in.
fn references_and_select(cursor: &mut Cursor<'_>) -> Result<(Vec<TableName>, Option<Span>), ParseError> {
    let (mut references, mut query_start, mut depth) = (Vec::new(), None, 0_u32);
    let mut opened: Option<u32> = None;
    let mut opens_query = true;
    while let Some(token) = cursor.peek() {
        if cursor.accept(&["REFERENCES"]) {
            references.push(cursor.table_name()?);
            continue;
        }
        let query = ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| cursor.sees(&[word]));
        // `(SELECT …)` outside of the column list; WITH is also WITH PARSER, WITH SYSTEM VERSIONING.
        let is_query = query && !cursor.sees(&["WITH", "SYSTEM"]) && !cursor.sees(&["WITH", "PARSER"]);
        if is_query && (depth == 0 || opens_query) && query_start.is_none() {
            query_start = Some(opened.filter(|_| depth > 0).unwrap_or(token.span.start));
        }
        opens_query = match token.kind {
            TokenKind::Symbol(b'(') => opens_query,
            TokenKind::Symbol(b')') => depth <= 1,
            _ => depth == 0,
        };
        match token.kind {
            TokenKind::Symbol(b'(') => {
                if depth == 0 {
                    opened = Some(token.span.start);
                }
                depth += 1;
            }
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let _ = cursor.next();
    }
    let end = cursor.previous().map_or(0, |last| last.span.end);
    Ok((references, query_start.map(|start| Span { start, end })))
}

fn create_index(cursor: &mut Cursor<'_>, unique: bool) -> Result<Ddl, ParseError> {
    let _ = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = cursor.ident()?.value;
    if cursor.accept_one(&["USING", "TYPE"]).is_some() {
        let _ = cursor.ident()?;
    }
    cursor.expect(&["ON"])?;
    let table = cursor.table_name()?;
    if !cursor.skip_parentheses()? {
        return Err(cursor.error());
    }
    Ok(Ddl::new(DdlKind::CreateIndex { name, unique }, vec![table]))
}
