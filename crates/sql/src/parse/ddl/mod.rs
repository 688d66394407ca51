//! CREATE, DROP, ALTER, TRUNCATE and RENAME: which tables they name, and where.

mod create;
mod stored;

pub use stored::{Definer, Stored, StoredAction, StoredObject};

use super::{Cursor, ParseError, TableName};
use crate::{Span, StatementClass, TokenKind};

/// A statement that changes definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ddl {
    /// What it does.
    pub kind: DdlKind,
    /// The tables it changes, and the source of LIKE, in the order of the text.
    pub tables: Vec<TableName>,
    /// The tables that its foreign keys reference.
    pub references: Vec<TableName>,
    /// The query that gives a new table its rows, to the end of the text.
    pub query: Option<Span>,
}

/// What a statement does to definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DdlKind {
    /// CREATE TABLE.
    CreateTable {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// TEMPORARY.
        temporary: bool,
        /// OR REPLACE, which only MariaDB has.
        or_replace: bool,
        /// LIKE another table.
        like: Option<TableName>,
        /// With a SELECT.
        as_select: bool,
    },
    /// DROP TABLE.
    DropTable {
        /// IF EXISTS.
        if_exists: bool,
        /// TEMPORARY.
        temporary: bool,
    },
    /// TRUNCATE.
    Truncate,
    /// CREATE INDEX.
    CreateIndex {
        /// The index.
        name: String,
        /// UNIQUE.
        unique: bool,
    },
    /// DROP INDEX.
    DropIndex {
        /// The index.
        name: String,
    },
    /// ALTER TABLE.
    AlterTable {
        /// RENAME TO, which is also the last of the statement's tables.
        rename_to: Option<TableName>,
    },
    /// RENAME TABLE: the statement's tables are pairs of old and new.
    RenameTable,
    /// CREATE DATABASE.
    CreateDatabase {
        /// The database.
        name: String,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// What stands behind the name: character set and collation.
        options: Span,
    },
    /// DROP DATABASE.
    DropDatabase {
        /// The database.
        name: String,
        /// IF EXISTS.
        if_exists: bool,
    },
    /// ALTER DATABASE.
    AlterDatabase {
        /// The database; `None` for the current one.
        name: Option<String>,
        /// What stands behind the name.
        options: Span,
    },
    /// A view, a routine, a trigger or an event.
    Stored(Box<Stored>),
    /// Users and all else; no table is named.
    Other,
}

impl Ddl {
    fn new(kind: DdlKind, tables: Vec<TableName>) -> Self {
        Self { kind, tables, references: Vec::new(), query: None }
    }
}

pub(super) fn parse(cursor: &mut Cursor<'_>, class: StatementClass) -> Result<Ddl, ParseError> {
    match class {
        StatementClass::Create => create::create(cursor),
        StatementClass::Drop => drop_object(cursor),
        StatementClass::Alter => alter(cursor),
        StatementClass::Truncate => truncate(cursor),
        _ => rename(cursor),
    }
}

fn drop_object(cursor: &mut Cursor<'_>) -> Result<Ddl, ParseError> {
    cursor.expect(&["DROP"])?;
    if let Some(ddl) = stored::drop_stored(cursor)? {
        return Ok(ddl);
    }
    let _ = cursor.accept_one(&["ONLINE", "OFFLINE"]);
    let temporary = cursor.accept(&["TEMPORARY"]);
    if cursor.accept_one(&["TABLE", "TABLES"]).is_some() {
        let if_exists = cursor.accept(&["IF", "EXISTS"]);
        let tables = table_list(cursor)?;
        let _ = cursor.accept_one(&["RESTRICT", "CASCADE"]);
        if cursor.accept(&["WAIT"]) {
            let _ = cursor.next();
        } else {
            let _ = cursor.accept(&["NOWAIT"]);
        }
        cursor.expect_end()?;
        return Ok(Ddl::new(DdlKind::DropTable { if_exists, temporary }, tables));
    }
    if cursor.accept(&["INDEX"]) {
        let _ = cursor.accept(&["IF", "EXISTS"]);
        let name = cursor.ident()?.value;
        cursor.expect(&["ON"])?;
        return Ok(Ddl::new(DdlKind::DropIndex { name }, vec![cursor.table_name()?]));
    }
    if cursor.accept_one(&["DATABASE", "SCHEMA"]).is_some() {
        let if_exists = cursor.accept(&["IF", "EXISTS"]);
        let name = cursor.ident()?.value;
        cursor.expect_end()?;
        return Ok(Ddl::new(DdlKind::DropDatabase { name, if_exists }, Vec::new()));
    }
    Ok(Ddl::new(DdlKind::Other, Vec::new()))
}

fn table_list(cursor: &mut Cursor<'_>) -> Result<Vec<TableName>, ParseError> {
    let mut tables = vec![cursor.table_name()?];
    while cursor.accept_symbol(b',') {
        tables.push(cursor.table_name()?);
    }
    Ok(tables)
}

fn truncate(cursor: &mut Cursor<'_>) -> Result<Ddl, ParseError> {
    cursor.expect(&["TRUNCATE"])?;
    // A table may be called `table` only in quotes.
    let _ = cursor.accept(&["TABLE"]);
    let table = cursor.table_name()?;
    if cursor.accept(&["WAIT"]) {
        let _ = cursor.next();
    } else {
        let _ = cursor.accept(&["NOWAIT"]);
    }
    cursor.expect_end()?;
    Ok(Ddl::new(DdlKind::Truncate, vec![table]))
}

fn alter(cursor: &mut Cursor<'_>) -> Result<Ddl, ParseError> {
    cursor.expect(&["ALTER"])?;
    if let Some(ddl) = stored::alter(&mut cursor.clone())? {
        return Ok(ddl);
    }
    while cursor.accept_one(&["ONLINE", "OFFLINE", "IGNORE"]).is_some() {}
    if cursor.accept_one(&["DATABASE", "SCHEMA"]).is_some() {
        return alter_database(cursor);
    }
    if !cursor.accept(&["TABLE"]) {
        return Ok(Ddl::new(DdlKind::Other, Vec::new()));
    }
    let _ = cursor.accept(&["IF", "EXISTS"]);
    let mut ddl = Ddl::new(DdlKind::AlterTable { rename_to: None }, vec![cursor.table_name()?]);
    while let Some(token) = cursor.peek() {
        if cursor.accept(&["REFERENCES"]) {
            ddl.references.push(cursor.table_name()?);
        } else if cursor.accept(&["EXCHANGE", "PARTITION"]) {
            let _ = cursor.ident()?;
            cursor.expect(&["WITH", "TABLE"])?;
            ddl.tables.push(cursor.table_name()?);
        } else if cursor.sees(&["RENAME"]) && renames_table(cursor) {
            let target = cursor.table_name()?;
            ddl.tables.push(target.clone());
            ddl.kind = DdlKind::AlterTable { rename_to: Some(target) };
        } else if token.is_symbol(b'(') {
            skip_list(cursor, &mut ddl)?;
        } else {
            let _ = cursor.next();
        }
    }
    Ok(ddl)
}

/// The words with which the options of a database begin; one of them may be its name only in quotes.
const DATABASE_OPTIONS: [&str; 7] =
    ["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "ENCRYPTION", "READ"];

fn alter_database(cursor: &mut Cursor<'_>) -> Result<Ddl, ParseError> {
    let unnamed = DATABASE_OPTIONS.iter().any(|word| cursor.sees(&[word]));
    let name = if unnamed { None } else { Some(cursor.ident()?.value) };
    if cursor.is_end() {
        return Err(cursor.error());
    }
    let options = cursor.rest();
    Ok(Ddl::new(DdlKind::AlterDatabase { name, options }, Vec::new()))
}

/// What stands in parentheses names no table but in REFERENCES.
fn skip_list(cursor: &mut Cursor<'_>, ddl: &mut Ddl) -> Result<(), ParseError> {
    let mut depth = 0_u32;
    while let Some(token) = cursor.peek() {
        if cursor.accept(&["REFERENCES"]) {
            ddl.references.push(cursor.table_name()?);
            continue;
        }
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth -= 1,
            _ => {}
        }
        let _ = cursor.next();
        if depth == 0 {
            return Ok(());
        }
    }
    Err(cursor.error())
}

/// Reads RENAME [TO | AS | =] if a table's name follows, not a column's or an index's.
fn renames_table(cursor: &mut Cursor<'_>) -> bool {
    let of_part = ["COLUMN", "INDEX", "KEY"].iter().any(|part| cursor.sees(&["RENAME", part]));
    let _ = cursor.next();
    if !of_part && cursor.accept_one(&["TO", "AS"]).is_none() {
        let _ = cursor.accept_symbol(b'=');
    }
    !of_part
}

fn rename(cursor: &mut Cursor<'_>) -> Result<Ddl, ParseError> {
    cursor.expect(&["RENAME"])?;
    if cursor.accept_one(&["TABLE", "TABLES"]).is_none() {
        return Ok(Ddl::new(DdlKind::Other, Vec::new()));
    }
    let _ = cursor.accept(&["IF", "EXISTS"]);
    let mut tables = Vec::new();
    loop {
        tables.push(cursor.table_name()?);
        // MariaDB's bound on the wait for the table's lock.
        if cursor.accept(&["WAIT"]) {
            let _ = cursor.next();
        } else {
            let _ = cursor.accept(&["NOWAIT"]);
        }
        cursor.expect(&["TO"])?;
        tables.push(cursor.table_name()?);
        if cursor.is_end() {
            return Ok(Ddl::new(DdlKind::RenameTable, tables));
        }
        cursor.expect_symbol(b',')?;
    }
}
