//! BEGIN, COMMIT, ROLLBACK, SAVEPOINT.

use super::{Cursor, ParseError, Statement};
use crate::StatementClass;

/// A statement that opens, ends or marks a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionStatement {
    /// BEGIN and START TRANSACTION.
    Begin {
        /// READ ONLY or READ WRITE, where given.
        read_only: Option<bool>,
        /// WITH CONSISTENT SNAPSHOT.
        snapshot: bool,
    },
    /// COMMIT.
    Commit {
        /// AND CHAIN: a new transaction begins at once. `None` leaves it to the session's completion_type.
        chain: Option<bool>,
        /// RELEASE: the connection ends.
        release: Option<bool>,
    },
    /// ROLLBACK.
    Rollback {
        /// AND CHAIN.
        chain: Option<bool>,
        /// RELEASE.
        release: Option<bool>,
    },
    /// SAVEPOINT name.
    Savepoint(String),
    /// ROLLBACK TO name.
    RollbackTo(String),
    /// RELEASE SAVEPOINT name.
    Release(String),
}

pub(super) fn parse(cursor: &mut Cursor<'_>, class: StatementClass) -> Result<Statement, ParseError> {
    let statement = match class {
        StatementClass::Begin => begin(cursor)?,
        StatementClass::Commit => {
            cursor.expect(&["COMMIT"])?;
            let (chain, release) = completion(cursor)?;
            Some(TransactionStatement::Commit { chain, release })
        }
        StatementClass::Rollback => Some(rollback(cursor)?),
        StatementClass::Savepoint => {
            cursor.expect(&["SAVEPOINT"])?;
            Some(TransactionStatement::Savepoint(cursor.ident()?.value))
        }
        _ => {
            cursor.expect(&["RELEASE", "SAVEPOINT"])?;
            Some(TransactionStatement::Release(cursor.ident()?.value))
        }
    };
    let Some(statement) = statement else { return Ok(Statement::Other(class)) };
    cursor.expect_end()?;
    Ok(Statement::Transaction(statement))
}

/// `None` for MariaDB's BEGIN NOT ATOMIC, which is a block.
fn begin(cursor: &mut Cursor<'_>) -> Result<Option<TransactionStatement>, ParseError> {
    let (mut read_only, mut snapshot) = (None, false);
    if cursor.accept(&["BEGIN"]) {
        if cursor.sees(&["NOT"]) {
            return Ok(None);
        }
        let _ = cursor.accept(&["WORK"]);
        return Ok(Some(TransactionStatement::Begin { read_only, snapshot }));
    }
    cursor.expect(&["START", "TRANSACTION"])?;
    while !cursor.is_end() {
        if read_only.is_none() && cursor.accept(&["READ", "ONLY"]) {
            read_only = Some(true);
        } else if read_only.is_none() && cursor.accept(&["READ", "WRITE"]) {
            read_only = Some(false);
        } else {
            cursor.expect(&["WITH", "CONSISTENT", "SNAPSHOT"])?;
            snapshot = true;
        }
        if !cursor.is_end() {
            cursor.expect_symbol(b',')?;
        }
    }
    Ok(Some(TransactionStatement::Begin { read_only, snapshot }))
}

fn rollback(cursor: &mut Cursor<'_>) -> Result<TransactionStatement, ParseError> {
    cursor.expect(&["ROLLBACK"])?;
    if cursor.accept(&["WORK", "TO"]) || cursor.accept(&["TO"]) {
        let _ = cursor.peek_at(1).is_some() && cursor.accept(&["SAVEPOINT"]);
        return Ok(TransactionStatement::RollbackTo(cursor.ident()?.value));
    }
    let (chain, release) = completion(cursor)?;
    Ok(TransactionStatement::Rollback { chain, release })
}

/// `[WORK] [AND [NO] CHAIN] [[NO] RELEASE]`.
fn completion(cursor: &mut Cursor<'_>) -> Result<(Option<bool>, Option<bool>), ParseError> {
    let _ = cursor.accept(&["WORK"]);
    let mut chain = None;
    if cursor.accept(&["AND"]) {
        chain = Some(!cursor.accept(&["NO"]));
        cursor.expect(&["CHAIN"])?;
    }
    let release = if cursor.accept(&["NO", "RELEASE"]) {
        Some(false)
    } else {
        // A chain that is released at once is a syntax error.
        (chain != Some(true) && cursor.accept(&["RELEASE"])).then_some(true)
    };
    Ok((chain, release))
}
