//! One parsed statement.

use serval_types::Value;

use super::{
    Assignment, Cursor, Ddl, Ident, LoadData, Maintenance, ParseError, Parsed, Show, TableName,
    TransactionStatement, show,
};
use crate::{Span, StatementClass};

/// One parsed statement.
#[derive(Debug)]
pub enum Statement {
    /// SELECT, UNION, WITH, INSERT, REPLACE, UPDATE, DELETE.
    Dml(Box<Parsed>),
    /// SET, with all its assignments in order.
    Set(Vec<Assignment>),
    /// SHOW, and DESCRIBE of a table.
    Show(Show),
    /// USE.
    Use(String),
    /// BEGIN to RELEASE SAVEPOINT.
    Transaction(TransactionStatement),
    /// CREATE to RENAME.
    Ddl(Ddl),
    /// EXPLAIN of a statement.
    Explain(Explain),
    /// ANALYZE, CHECK, CHECKSUM, OPTIMIZE and REPAIR TABLE.
    Maintenance(Maintenance),
    /// KILL.
    Kill(Kill),
    /// DO, with the text of its expressions.
    Do(Span),
    /// SET STATEMENT of MariaDB: variables for one statement.
    SetStatement {
        /// The variables.
        assignments: Vec<Assignment>,
        /// The statement's text.
        statement: Span,
    },
    /// LOAD DATA.
    Load(Box<LoadData>),
    /// LOCK TABLES.
    LockTables(LockTables),
    /// UNLOCK TABLES.
    UnlockTables,
    /// Anything else; its text was not looked at.
    Other(StatementClass),
}

/// LOCK TABLES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTables {
    /// The locks, in the order of the text.
    pub locks: Vec<TableLock>,
    /// What stands behind them: MariaDB's `WAIT 5` or `NOWAIT`; empty where nothing does.
    pub wait: Span,
}

/// One lock of LOCK TABLES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLock {
    /// The table.
    pub table: TableName,
    /// The name under which statements will use it.
    pub alias: Option<Ident>,
    /// `READ LOCAL`, `LOW_PRIORITY WRITE` and so on.
    pub mode: Span,
}

/// EXPLAIN of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explain {
    /// EXPLAIN FORMAT=SERVAL: the plan, without running anything.
    pub serval: bool,
    /// EXPLAIN ANALYZE, which runs the statement.
    pub analyze: bool,
    /// The statement to explain.
    pub statement: Span,
}

/// KILL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// KILL QUERY: only the statement, not the connection.
    pub query: bool,
    /// Whose.
    pub id: u64,
}

pub(super) fn parse_use(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    cursor.expect(&["USE"])?;
    let schema = cursor.ident()?;
    cursor.expect_end()?;
    Ok(Statement::Use(schema.value))
}

pub(super) fn parse_do(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    cursor.expect(&["DO"])?;
    if cursor.is_end() {
        return Err(cursor.error());
    }
    Ok(Statement::Do(cursor.rest()))
}

/// KILL of a user or by a statement's id, which only MariaDB has, is not looked at.
pub(super) fn parse_kill(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    cursor.expect(&["KILL"])?;
    let _ = cursor.accept_one(&["HARD", "SOFT"]);
    let query = cursor.accept_one(&["CONNECTION", "QUERY"]) == Some("QUERY");
    let id = cursor.next().and_then(|token| cursor.value_of(token));
    match id {
        Some(Value::Int(id)) if cursor.is_end() => {
            Ok(Statement::Kill(Kill { query, id: u64::try_from(id).unwrap_or_default() }))
        }
        Some(Value::UInt(id)) if cursor.is_end() => Ok(Statement::Kill(Kill { query, id })),
        _ => Ok(Statement::Other(StatementClass::Kill)),
    }
}

pub(super) fn parse_lock(cursor: &mut Cursor<'_>, class: StatementClass) -> Result<Statement, ParseError> {
    let lock = cursor.accept_one(&["LOCK", "UNLOCK"]) == Some("LOCK");
    match (cursor.accept_one(&["TABLES", "TABLE"]), lock) {
        (Some(_), true) => lock_tables(cursor).map(Statement::LockTables),
        (Some(_), false) => cursor.expect_end().map(|()| Statement::UnlockTables),
        // LOCK INSTANCE FOR BACKUP.
        (None, _) => Ok(Statement::Other(class)),
    }
}

fn lock_tables(cursor: &mut Cursor<'_>) -> Result<LockTables, ParseError> {
    let mut locks = Vec::new();
    loop {
        let table = cursor.table_name()?;
        let has_alias = cursor.accept(&["AS"]) || !LOCK_MODES.iter().any(|word| cursor.sees(&[word]));
        let alias = if has_alias { Some(cursor.ident()?) } else { None };
        locks.push(TableLock { table, alias, mode: lock_mode(cursor)? });
        if !cursor.accept_symbol(b',') {
            break;
        }
    }
    let wait = if cursor.is_end() { Span::default() } else { cursor.rest() };
    match wait.text(cursor.sql).split_ascii_whitespace().next() {
        None => {}
        Some(word) if ["WAIT", "NOWAIT"].iter().any(|known| word.eq_ignore_ascii_case(known)) => {}
        Some(_) => return Err(ParseError::at(cursor.sql, wait.start)),
    }
    Ok(LockTables { locks, wait })
}

/// The words that a lock's mode begins with.
const LOCK_MODES: [&str; 3] = ["READ", "WRITE", "LOW_PRIORITY"];

fn lock_mode(cursor: &mut Cursor<'_>) -> Result<Span, ParseError> {
    let first = cursor.peek().ok_or_else(|| cursor.error())?.span;
    if cursor.accept(&["READ"]) {
        let _ = cursor.accept(&["LOCAL"]);
    } else {
        let _ = cursor.accept(&["LOW_PRIORITY"]);
        cursor.expect(&["WRITE"])?;
        let _ = cursor.accept(&["CONCURRENT"]);
    }
    Ok(cursor.previous().map_or(first, |last| first.to(last.span)))
}

/// DESCRIBE, DESC and EXPLAIN are one word to MySQL: of a table they are SHOW COLUMNS.
pub(super) fn parse_explain(cursor: &mut Cursor<'_>, class: StatementClass) -> Result<Statement, ParseError> {
    const STATEMENTS: [&str; 9] =
        ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "TABLE", "VALUES", "ANALYZE"];
    let word = cursor.accept_one(&["EXPLAIN", "DESCRIBE", "DESC", "ANALYZE"]);
    let mut explain = Explain { serval: false, analyze: word == Some("ANALYZE"), statement: Span::default() };
    loop {
        if cursor.accept(&["FORMAT"]) {
            cursor.expect_symbol(b'=')?;
            let format = cursor.next().ok_or_else(|| cursor.error())?;
            explain.serval =
                format.span.text(cursor.sql).trim_matches(['\'', '"', '`']).eq_ignore_ascii_case("serval");
        } else if cursor.accept(&["ANALYZE"]) {
            explain.analyze = true;
        } else if !cursor.accept(&["EXTENDED"]) && !cursor.accept(&["PARTITIONS"]) {
            break;
        }
    }
    // MariaDB's ANALYZE explains by running; ANALYZE TABLE is another statement.
    if class == StatementClass::Analyze && cursor.sees(&["TABLE"]) {
        return Ok(Statement::Other(class));
    }
    let explains = cursor.sees_symbol(b'(') || STATEMENTS.iter().any(|word| cursor.sees(&[word]));
    if explains || explain.serval {
        if cursor.is_end() {
            return Err(cursor.error());
        }
        explain.statement = cursor.rest();
        return Ok(Statement::Explain(explain));
    }
    // EXPLAIN FOR CONNECTION, and ANALYZE NO_WRITE_TO_BINLOG TABLE.
    if cursor.sees(&["FOR"]) || class == StatementClass::Analyze {
        return Ok(Statement::Other(class));
    }
    show::parse_describe(cursor).map(Statement::Show)
}
