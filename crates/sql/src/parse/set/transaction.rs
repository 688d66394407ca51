//! SET TRANSACTION.

use super::{Assignment, TransactionScope};
use crate::parse::{Cursor, ParseError};
use crate::{Token, TokenKind};

/// SET [SESSION | GLOBAL] TRANSACTION.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Assignment>, ParseError> {
    let is_value = |token: Token| token.is_symbol(b'=') || token.kind == TokenKind::Operator;
    let scope = if cursor.sees(&["TRANSACTION"]) && !cursor.peek_at(1).is_some_and(is_value) {
        TransactionScope::NextOnly
    } else if cursor.sees(&["GLOBAL", "TRANSACTION"]) {
        let _ = cursor.next();
        TransactionScope::Global
    } else if cursor.sees(&["SESSION", "TRANSACTION"]) || cursor.sees(&["LOCAL", "TRANSACTION"]) {
        let _ = cursor.next();
        TransactionScope::Session
    } else {
        return Ok(None);
    };
    cursor.expect(&["TRANSACTION"])?;
    let (mut isolation, mut read_only) = (None, None);
    loop {
        if cursor.accept(&["ISOLATION", "LEVEL"]) {
            isolation = Some(isolation_level(cursor)?);
        } else if cursor.accept(&["READ", "ONLY"]) {
            read_only = Some(true);
        } else {
            cursor.expect(&["READ", "WRITE"])?;
            read_only = Some(false);
        }
        if cursor.is_end() {
            return Ok(Some(Assignment::Transaction { scope, isolation, read_only }));
        }
        cursor.expect_symbol(b',')?;
    }
}

fn isolation_level(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    const LEVELS: [&[&str]; 4] =
        [&["READ", "UNCOMMITTED"], &["READ", "COMMITTED"], &["REPEATABLE", "READ"], &["SERIALIZABLE"]];
    let level = LEVELS.iter().find(|level| cursor.accept(level));
    level.map(|level| level.join("-")).ok_or_else(|| cursor.error())
}
