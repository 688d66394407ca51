//! SET.

mod transaction;
mod value;

use serval_types::Value;

use super::{Cursor, ParseError, Statement};
use crate::{Span, StatementClass, Token, TokenKind};

/// One assignment of a SET statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Assignment {
    /// SET NAMES.
    Names {
        /// The character set in lower case, or `default`.
        charset: String,
        /// COLLATE, in lower case.
        collation: Option<String>,
    },
    /// SET CHARACTER SET: the character set in lower case, or `default`.
    CharacterSet(String),
    /// A system variable.
    Variable {
        /// Whose.
        scope: Scope,
        /// The name in lower case.
        name: String,
        /// The value.
        value: SetValue,
    },
    /// A user variable.
    UserVariable {
        /// The name in lower case, without `@` and quotes.
        name: String,
        /// The value.
        value: SetValue,
    },
    /// SET TRANSACTION.
    Transaction {
        /// Which transactions.
        scope: TransactionScope,
        /// For example `READ-COMMITTED`, as `@@transaction_isolation` prints it.
        isolation: Option<String>,
        /// READ ONLY or READ WRITE.
        read_only: Option<bool>,
    },
}

/// Whose system variable is set or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The session's, as the default or by SESSION or LOCAL.
    Session,
    /// The next transaction's, as servers understand `@@tx_isolation` and `@@tx_read_only` without a scope.
    NextTransaction,
    /// The server's.
    Global,
    /// The server's, kept over restarts.
    Persist,
    /// Kept over restarts without effect until then.
    PersistOnly,
}

/// Which transactions SET TRANSACTION speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionScope {
    /// The next one only.
    NextOnly,
    /// All later ones of the session.
    Session,
    /// Those of sessions to come.
    Global,
}

/// The variables that SET TRANSACTION sets, by their old and their new names.
const OF_TRANSACTIONS: [&str; 4] =
    ["tx_isolation", "tx_read_only", "transaction_isolation", "transaction_read_only"];

/// The right side of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct SetValue {
    /// Its text.
    pub span: Span,
    /// What it is.
    pub kind: SetKind,
}

/// What the right side of an assignment is.
#[derive(Debug, Clone, PartialEq)]
pub enum SetKind {
    /// A literal, with its sign; a bare word is its text, as MySQL takes `ON` or `utf8mb4`.
    Literal(Value),
    /// DEFAULT.
    Default,
    /// Anything else.
    Expression,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    cursor.expect(&["SET"])?;
    if cursor.sees(&["STATEMENT"]) && !cursor.peek_at(1).is_some_and(assigns) {
        return of_statement(cursor);
    }
    let other = ["PASSWORD", "ROLE"].iter().any(|word| cursor.sees(&[word]))
        || cursor.sees(&["DEFAULT", "ROLE"])
        || cursor.sees(&["RESOURCE", "GROUP"]);
    if other {
        return Ok(Statement::Other(StatementClass::Set));
    }
    if let Some(transaction) = transaction::parse(cursor)? {
        return Ok(Statement::Set(vec![transaction]));
    }
    let mut scope = Scope::Session;
    let mut assignments = Vec::new();
    loop {
        assignments.push(assignment(cursor, &mut scope)?);
        if cursor.is_end() {
            return Ok(Statement::Set(assignments));
        }
        cursor.expect_symbol(b',')?;
    }
}

/// A GLOBAL or SESSION holds for the assignments behind it too, until the next such word.
fn assignment(cursor: &mut Cursor<'_>, scope: &mut Scope) -> Result<Assignment, ParseError> {
    if cursor.accept(&["NAMES"]) {
        let charset = charset(cursor)?;
        let collation = if cursor.accept(&["COLLATE"]) { Some(charset_name(cursor)?) } else { None };
        return Ok(Assignment::Names { charset, collation });
    }
    if cursor.accept(&["CHARACTER", "SET"]) || cursor.accept(&["CHARSET"]) {
        return Ok(Assignment::CharacterSet(charset(cursor)?));
    }
    let token = cursor.peek().ok_or_else(|| cursor.error())?;
    match token.kind {
        TokenKind::UserVariable => {
            let _ = cursor.next();
            let name = user_variable(cursor, token.span);
            Ok(Assignment::UserVariable { name, value: value::parse(cursor, false)? })
        }
        TokenKind::SystemVariable => {
            let _ = cursor.next();
            let (scope, name) = system_variable(cursor, token.span);
            Ok(Assignment::Variable { scope, name, value: value::parse(cursor, true)? })
        }
        _ => {
            if let Some(word) = scope_word(cursor) {
                *scope = word;
            }
            let mut name = cursor.ident()?.value;
            while cursor.accept_symbol(b'.') {
                name = format!("{name}.{}", cursor.ident()?.value);
            }
            Ok(Assignment::Variable {
                scope: *scope,
                name: name.to_ascii_lowercase(),
                value: value::parse(cursor, true)?,
            })
        }
    }
}

/// Whether a token says that what stands before it is a variable.
fn assigns(token: Token) -> bool {
    token.is_symbol(b'=') || token.kind == TokenKind::Operator
}

/// `SET STATEMENT a = 1, b = 2 FOR statement`.
fn of_statement(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    cursor.expect(&["STATEMENT"])?;
    let mut assignments = Vec::new();
    loop {
        let name = cursor.ident()?.value.to_ascii_lowercase();
        let value = value::parse_until(cursor, &["FOR"])?;
        assignments.push(Assignment::Variable { scope: Scope::Session, name, value });
        if cursor.accept(&["FOR"]) {
            break;
        }
        cursor.expect_symbol(b',')?;
    }
    if cursor.is_end() {
        return Err(cursor.error());
    }
    Ok(Statement::SetStatement { assignments, statement: cursor.rest() })
}

fn scope_word(cursor: &mut Cursor<'_>) -> Option<Scope> {
    // A variable could be called so: what follows decides.
    if !cursor.peek_at(1).is_some_and(|next| matches!(next.kind, TokenKind::Word | TokenKind::QuotedIdent)) {
        return None;
    }
    scope_of(cursor.accept_one(&["SESSION", "LOCAL", "GLOBAL", "PERSIST", "PERSIST_ONLY"])?)
}

fn scope_of(word: &str) -> Option<Scope> {
    match word.to_ascii_uppercase().as_str() {
        "SESSION" | "LOCAL" => Some(Scope::Session),
        "GLOBAL" => Some(Scope::Global),
        "PERSIST" => Some(Scope::Persist),
        "PERSIST_ONLY" => Some(Scope::PersistOnly),
        _ => None,
    }
}

/// DEFAULT or a character set's name.
fn charset(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    if cursor.accept(&["DEFAULT"]) { Ok("default".to_owned()) } else { charset_name(cursor) }
}

fn charset_name(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let name = match cursor.peek().map(|token| token.kind) {
        Some(TokenKind::Text) => cursor.string()?.0,
        _ => cursor.ident()?.value,
    };
    Ok(name.to_ascii_lowercase())
}

/// `@name`, `` @`name` ``, `@'name'`.
fn user_variable(cursor: &Cursor<'_>, span: Span) -> String {
    let name = Span { start: span.start + 1, end: span.end };
    let quoted = name.of(cursor.sql.as_bytes()).first() == Some(&b'\'');
    let name = if quoted {
        cursor.text_of(Token { span: name, kind: TokenKind::Text })
    } else {
        cursor.name_of(name)
    };
    name.to_lowercase()
}

/// `@@name`, `@@scope.name`; without a scope it is the session's. `SET tx_isolation` is, and `SET @@tx_isolation` is not.
fn system_variable(cursor: &Cursor<'_>, span: Span) -> (Scope, String) {
    let name = span.text(cursor.sql).trim_start_matches('@').replace('`', "").to_ascii_lowercase();
    match name.split_once('.').and_then(|(first, rest)| Some((scope_of(first)?, rest))) {
        Some((scope, rest)) => (scope, rest.to_owned()),
        None if OF_TRANSACTIONS.contains(&&*name) => (Scope::NextTransaction, name),
        None => (Scope::Session, name),
    }
}
