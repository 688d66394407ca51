//! Statements as trees: sqlparser's for queries and row changes, our own for the rest.

mod cursor;
mod ddl;
mod dml;
mod error;
mod load;
mod maintenance;
mod name;
mod set;
mod show;
mod statement;
mod transaction;

pub(crate) use cursor::Cursor;
pub use ddl::{Ddl, DdlKind};
pub use ddl::{Definer, Stored, StoredAction, StoredObject};
pub use dml::{Locator, Modifier, Parsed, VersionComments, is_interval_unit, is_shortened, row_values};
pub use error::{ParseError, Problem};
pub use load::{Duplicates, LoadColumn, LoadData, LoadFormat};
pub use maintenance::Maintenance;
pub use name::{Ident, TableName};
pub use set::{Assignment, Scope, SetKind, SetValue, TransactionScope};
pub use show::{Filter, Show};
pub use statement::{Explain, Kill, LockTables, Statement, TableLock};
pub use transaction::TransactionStatement;

use crate::class::ClassFinder;
use crate::{LexOptions, StatementClass, Token, tokens};

/// Parses one statement; a `;` behind it is allowed, a second statement is not.
///
/// A statement in a version comment, as dump tools send it, is parsed as the statement in it.
///
/// ```
/// use serval_sql::{LexOptions, Statement, parse};
/// assert!(matches!(parse("SELECT 1", LexOptions::default()), Ok(Statement::Dml(_))));
/// let error = parse("SELECT * FORM t", LexOptions::default()).unwrap_err();
/// assert_eq!(error.near, "FORM t");
/// ```
///
/// # Errors
/// Where the text is no MySQL statement, or is one that this crate does not understand.
pub fn parse(sql: &str, options: LexOptions) -> Result<Statement, ParseError> {
    let all = tokens(sql.as_bytes(), options).map_err(|error| ParseError::from_lex(sql, &error))?;
    let (significant, version_comments) = dml::significant(sql, options, &all)?;
    let mut class = ClassFinder::new(options);
    for token in significant.iter().skip_while(|token| token.is_symbol(b';')) {
        class.see(sql.as_bytes(), *token);
    }
    refuse_compound(sql, &significant)?;
    let tokens = one_statement(sql, significant, class.holds_statements())?;
    let class = class.class();
    let mut cursor = Cursor::new(sql, options, &tokens);
    if let Some(maintenance) = maintenance::parse(&mut cursor.clone())? {
        return Ok(Statement::Maintenance(maintenance));
    }
    match class {
        StatementClass::Empty => Err(ParseError::new(sql, 0, Problem::Empty)),
        StatementClass::Select
        | StatementClass::With
        | StatementClass::Values
        | StatementClass::Insert
        | StatementClass::Replace
        | StatementClass::Update
        | StatementClass::Delete => dml::parse(sql, options, tokens, version_comments).map(Statement::Dml),
        StatementClass::Begin
        | StatementClass::Commit
        | StatementClass::Rollback
        | StatementClass::Savepoint
        | StatementClass::Release => transaction::parse(&mut cursor, class),
        StatementClass::Set => set::parse(&mut cursor),
        StatementClass::Do => statement::parse_do(&mut cursor),
        StatementClass::Use => statement::parse_use(&mut cursor),
        StatementClass::Kill => statement::parse_kill(&mut cursor),
        StatementClass::Lock | StatementClass::Unlock => statement::parse_lock(&mut cursor, class),
        StatementClass::Load => load::parse(&mut cursor),
        StatementClass::Show => show::parse(&mut cursor),
        StatementClass::Describe | StatementClass::Explain | StatementClass::Analyze => {
            statement::parse_explain(&mut cursor, class)
        }
        // The other name of DEALLOCATE PREPARE.
        StatementClass::Drop if cursor.sees(&["DROP", "PREPARE"]) => {
            Ok(Statement::Other(StatementClass::Deallocate))
        }
        StatementClass::Create
        | StatementClass::Drop
        | StatementClass::Alter
        | StatementClass::Truncate
        | StatementClass::Rename => ddl::parse(&mut cursor, class).map(Statement::Ddl),
        StatementClass::Other if !OTHER_WORDS.iter().any(|word| cursor.sees(&[word])) => Err(cursor.error()),
        _ => Ok(Statement::Other(class)),
    }
}

/// MariaDB runs the statements of routines outside of routines, too: `FOR i IN 1..9 DO … END FOR`.
fn refuse_compound(sql: &str, tokens: &[Token]) -> Result<(), ParseError> {
    const WORDS: [&str; 6] = ["CASE", "FOR", "IF", "LOOP", "REPEAT", "WHILE"];
    let is_one = |first: &&Token| WORDS.iter().any(|word| first.is_word(sql.as_bytes(), word));
    match tokens.first().filter(is_one) {
        Some(first) => Err(ParseError::refused(
            sql,
            first.span.start,
            "Statements of routines (IF, FOR, WHILE, …) are refused outside of routines; decide and repeat in the \
             application, or CREATE PROCEDURE where all tables lie on one data node",
        )),
        None => Ok(()),
    }
}

/// The first words of the statements that have no class of their own.
const OTHER_WORDS: [&str; 23] = [
    "BACKUP",
    "BINLOG",
    "CACHE",
    "CHANGE",
    "CLONE",
    "FETCH",
    "GET",
    "HELP",
    "IMPORT",
    "INSTALL",
    "OPEN",
    "PURGE",
    "RESIGNAL",
    "RESTART",
    "RETURN",
    "SHUTDOWN",
    "SIGNAL",
    "SLAVE",
    "START",
    "STOP",
    "UNINSTALL",
    "CLOSE",
    "DECLARE",
];

/// The statement's tokens: comments left out, version comments opened, no `;` at the end.
pub(crate) fn significant_tokens(sql: &str, options: LexOptions) -> Result<Vec<Token>, ParseError> {
    let all = tokens(sql.as_bytes(), options).map_err(|error| ParseError::from_lex(sql, &error))?;
    let (significant, _) = dml::significant(sql, options, &all)?;
    one_statement(sql, significant, false)
}

/// Leaves out the `;` at the end. One in the middle is an error, except in the body of a routine.
fn one_statement(
    sql: &str,
    mut tokens: Vec<Token>,
    holds_statements: bool,
) -> Result<Vec<Token>, ParseError> {
    while tokens.last().is_some_and(|last| last.is_symbol(b';')) {
        tokens.pop();
    }
    let semicolon = tokens.iter().position(|token| token.is_symbol(b';')).filter(|_| !holds_statements);
    match semicolon.and_then(|at| tokens.get(at + 1)) {
        Some(next) => Err(ParseError::at(sql, next.span.start)),
        None => Ok(tokens),
    }
}
