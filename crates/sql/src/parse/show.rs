//! SHOW and DESCRIBE.

use super::{Cursor, ParseError, Scope, Statement, StoredObject, TableName};
use crate::{Span, TokenKind};

/// What SHOW and DESCRIBE ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// SHOW DATABASES.
    Databases {
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW TABLES.
    Tables {
        /// FULL: with the kind of each.
        full: bool,
        /// FROM, where given.
        schema: Option<String>,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW COLUMNS and DESCRIBE.
    Columns {
        /// EXTENDED: with MySQL's hidden ones.
        extended: bool,
        /// FULL: with collation, privileges and comment.
        full: bool,
        /// The table; `FROM t FROM s` names it like `s.t`.
        table: TableName,
        /// LIKE or WHERE; DESCRIBE's column name is a LIKE.
        filter: Option<Filter>,
    },
    /// SHOW INDEX.
    Index {
        /// EXTENDED: with MySQL's hidden ones.
        extended: bool,
        /// The table.
        table: TableName,
        /// WHERE.
        filter: Option<Filter>,
    },
    /// SHOW CREATE TABLE.
    CreateTable(TableName),
    /// SHOW CREATE DATABASE.
    CreateDatabase {
        /// The database.
        name: String,
        /// IF NOT EXISTS, which the answer then says too.
        if_not_exists: bool,
    },
    /// SHOW CREATE VIEW, PROCEDURE, FUNCTION, TRIGGER, EVENT.
    CreateStored {
        /// Of what kind.
        object: StoredObject,
        /// The object.
        name: TableName,
    },
    /// SHOW TRIGGERS.
    Triggers {
        /// FROM, where given.
        schema: Option<String>,
        /// LIKE (of the table) or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW EVENTS.
    Events {
        /// FROM, where given.
        schema: Option<String>,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW PROCEDURE STATUS and SHOW FUNCTION STATUS: of all schemas.
    RoutineStatus {
        /// PROCEDURE, FUNCTION; MariaDB's PACKAGE, PACKAGE BODY.
        kind: &'static str,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW OPEN TABLES.
    OpenTables {
        /// FROM, where given.
        schema: Option<String>,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW TABLE STATUS.
    TableStatus {
        /// FROM, where given.
        schema: Option<String>,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW VARIABLES.
    Variables {
        /// SESSION or GLOBAL.
        scope: Scope,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW STATUS.
    Status {
        /// SESSION or GLOBAL.
        scope: Scope,
        /// LIKE or WHERE.
        filter: Option<Filter>,
    },
    /// SHOW WARNINGS.
    Warnings {
        /// LIMIT: the rows to skip, and how many to show.
        window: Option<(u64, u64)>,
    },
    /// SHOW ERRORS.
    Errors {
        /// LIMIT: the rows to skip, and how many to show.
        window: Option<(u64, u64)>,
    },
    /// SHOW COUNT(*) WARNINGS.
    WarningCount,
    /// SHOW COUNT(*) ERRORS.
    ErrorCount,
    /// SHOW PROCESSLIST.
    ProcessList {
        /// FULL: statements are not cut.
        full: bool,
    },
    /// What any server of the schema answers alike: ENGINES, CHARACTER SET, COLLATION, PLUGINS, GRANTS, …; the
    /// text is the first word or two after SHOW in upper case.
    Passthrough(String),
}

/// Which rows of a SHOW are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// LIKE.
    Like {
        /// The pattern, unescaped as a string literal is.
        pattern: String,
        /// The literal's place.
        span: Span,
    },
    /// WHERE: the condition's place.
    Where(Span),
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    cursor.expect(&["SHOW"])?;
    let show = match show(&mut cursor.clone())? {
        Some(show) => show,
        None => passthrough(cursor),
    };
    Ok(Statement::Show(show))
}

/// What stands behind SHOW; `None` for what any server answers.
fn show(cursor: &mut Cursor<'_>) -> Result<Option<Show>, ParseError> {
    let scope = match cursor.accept_one(&["GLOBAL", "SESSION", "LOCAL"]) {
        Some("GLOBAL") => Scope::Global,
        _ => Scope::Session,
    };
    let extended = cursor.accept(&["EXTENDED"]);
    let full = cursor.accept(&["FULL"]);
    let show = if cursor.accept_one(&["DATABASES", "SCHEMAS"]).is_some() {
        Show::Databases { filter: filter(cursor)? }
    } else if cursor.accept(&["TABLES"]) {
        Show::Tables { full, schema: of_schema(cursor)?, filter: filter(cursor)? }
    } else if cursor.accept_one(&["COLUMNS", "FIELDS"]).is_some() {
        Show::Columns { extended, full, table: of_table(cursor)?, filter: filter(cursor)? }
    } else if cursor.accept_one(&["INDEX", "INDEXES", "KEYS"]).is_some() {
        Show::Index { extended, table: of_table(cursor)?, filter: filter(cursor)? }
    } else if cursor.accept(&["CREATE", "TABLE"]) {
        Show::CreateTable(cursor.table_name()?)
    } else if cursor.accept(&["CREATE", "DATABASE"]) || cursor.accept(&["CREATE", "SCHEMA"]) {
        let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
        Show::CreateDatabase { name: cursor.ident()?.value, if_not_exists }
    } else if let Some(object) = created(cursor) {
        Show::CreateStored { object, name: cursor.table_name()? }
    } else if cursor.accept(&["TRIGGERS"]) {
        Show::Triggers { schema: of_schema(cursor)?, filter: filter(cursor)? }
    } else if cursor.accept(&["EVENTS"]) {
        Show::Events { schema: of_schema(cursor)?, filter: filter(cursor)? }
    } else if cursor.accept(&["OPEN", "TABLES"]) {
        Show::OpenTables { schema: of_schema(cursor)?, filter: filter(cursor)? }
    } else if let Some(kind) = routine_status(cursor) {
        Show::RoutineStatus { kind, filter: filter(cursor)? }
    } else if cursor.accept(&["TABLE", "STATUS"]) {
        Show::TableStatus { schema: of_schema(cursor)?, filter: filter(cursor)? }
    } else if cursor.accept(&["VARIABLES"]) {
        Show::Variables { scope, filter: filter(cursor)? }
    } else if cursor.accept(&["STATUS"]) {
        Show::Status { scope, filter: filter(cursor)? }
    } else if cursor.accept(&["PROCESSLIST"]) {
        Show::ProcessList { full }
    } else if let Some(diagnostics) = diagnostics(cursor)? {
        diagnostics
    } else {
        return Ok(None);
    };
    cursor.expect_end()?;
    Ok(Some(show))
}

/// SHOW CREATE of what is no table.
fn created(cursor: &mut Cursor<'_>) -> Option<StoredObject> {
    let objects = [
        StoredObject::View,
        StoredObject::Procedure,
        StoredObject::Function,
        StoredObject::Trigger,
        StoredObject::Event,
    ];
    objects.into_iter().find(|object| cursor.accept(&["CREATE", object.word()]))
}

fn routine_status(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    if cursor.accept(&["PACKAGE", "BODY", "STATUS"]) {
        return Some("PACKAGE BODY");
    }
    ["PROCEDURE", "FUNCTION", "PACKAGE"].into_iter().find(|kind| cursor.accept(&[kind, "STATUS"]))
}

fn diagnostics(cursor: &mut Cursor<'_>) -> Result<Option<Show>, ParseError> {
    if cursor.sees(&["COUNT"]) {
        let _ = cursor.next();
        cursor.expect_symbol(b'(')?;
        cursor.expect_symbol(b'*')?;
        cursor.expect_symbol(b')')?;
        let which = cursor.accept_one(&["WARNINGS", "ERRORS"]).ok_or_else(|| cursor.error())?;
        return Ok(Some(if which == "ERRORS" { Show::ErrorCount } else { Show::WarningCount }));
    }
    let Some(which) = cursor.accept_one(&["WARNINGS", "ERRORS"]) else { return Ok(None) };
    let window = if cursor.accept(&["LIMIT"]) { Some(window(cursor)?) } else { None };
    Ok(Some(if which == "ERRORS" { Show::Errors { window } } else { Show::Warnings { window } }))
}

/// What stands behind LIMIT: the rows to skip, and how many to show.
fn window(cursor: &mut Cursor<'_>) -> Result<(u64, u64), ParseError> {
    let first = number(cursor)?;
    if cursor.accept_symbol(b',') {
        return Ok((first, number(cursor)?));
    }
    let skip = if cursor.accept(&["OFFSET"]) { number(cursor)? } else { 0 };
    Ok((skip, first))
}

fn number(cursor: &mut Cursor<'_>) -> Result<u64, ParseError> {
    let token = cursor.next().ok_or_else(|| cursor.error())?;
    let digits = token.span.text(cursor.sql);
    digits.parse().map_err(|_| ParseError::at(cursor.sql, token.span.start))
}

fn passthrough(cursor: &mut Cursor<'_>) -> Show {
    let words = [cursor.peek(), cursor.peek_at(1)].into_iter().flatten();
    let words = words.take_while(|token| token.kind == TokenKind::Word);
    let words: Vec<_> = words.map(|token| token.span.text(cursor.sql).to_ascii_uppercase()).collect();
    Show::Passthrough(words.join(" "))
}

/// DESCRIBE's table and column; EXPLAIN of a table is the same.
pub(super) fn parse_describe(cursor: &mut Cursor<'_>) -> Result<Show, ParseError> {
    let table = cursor.table_name()?;
    let filter = match cursor.peek().map(|token| token.kind) {
        None => None,
        Some(TokenKind::Text) => {
            let (pattern, span) = cursor.string()?;
            Some(Filter::Like { pattern, span })
        }
        Some(_) => {
            let column = cursor.ident()?;
            Some(Filter::Like { pattern: column.value, span: column.span })
        }
    };
    cursor.expect_end()?;
    Ok(Show::Columns { extended: false, full: false, table, filter })
}

fn of_schema(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if cursor.accept_one(&["FROM", "IN"]).is_none() {
        return Ok(None);
    }
    cursor.ident().map(|schema| Some(schema.value))
}

/// `FROM t`, `FROM s.t` or `FROM t FROM s`.
fn of_table(cursor: &mut Cursor<'_>) -> Result<TableName, ParseError> {
    cursor.accept_one(&["FROM", "IN"]).ok_or_else(|| cursor.error())?;
    let mut table = cursor.table_name()?;
    if cursor.accept_one(&["FROM", "IN"]).is_some() {
        table.schema = Some(cursor.ident()?);
    }
    Ok(table)
}

fn filter(cursor: &mut Cursor<'_>) -> Result<Option<Filter>, ParseError> {
    if cursor.accept(&["LIKE"]) {
        let (pattern, span) = cursor.string()?;
        return Ok(Some(Filter::Like { pattern, span }));
    }
    if !cursor.accept(&["WHERE"]) {
        return Ok(None);
    }
    if cursor.is_end() { Err(cursor.error()) } else { Ok(Some(Filter::Where(cursor.rest()))) }
}
