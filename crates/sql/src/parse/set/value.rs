//! The right side of an assignment.

use serval_types::Value;

use super::{SetKind, SetValue};
use crate::parse::{Cursor, ParseError};
use crate::{Token, TokenKind};

/// Reads `= value`.
pub(super) fn parse(cursor: &mut Cursor<'_>, of_system_variable: bool) -> Result<SetValue, ParseError> {
    read(cursor, of_system_variable, &[])
}

/// [`parse`] for a system variable's value that ends before one of these words.
pub(super) fn parse_until(cursor: &mut Cursor<'_>, until: &[&str]) -> Result<SetValue, ParseError> {
    read(cursor, true, until)
}

fn read(cursor: &mut Cursor<'_>, of_system_variable: bool, until: &[&str]) -> Result<SetValue, ParseError> {
    let assigns = cursor.next().is_some_and(|token| {
        token.is_symbol(b'=') || (token.kind == TokenKind::Operator && token.span.text(cursor.sql) == ":=")
    });
    if !assigns {
        return Err(cursor
            .previous()
            .map_or_else(|| cursor.error(), |at| ParseError::at(cursor.sql, at.span.start)));
    }
    let (first, second) = (cursor.peek(), cursor.peek_at(1));
    let span = cursor.expression(until)?;
    let is_all = |token: Token| token.span.end == span.end;
    let literal = match (first, second) {
        (Some(one), _) if is_all(one) => single(cursor, one, of_system_variable),
        (Some(sign), Some(number)) if is_all(number) => signed(cursor, sign, number),
        _ => None,
    };
    Ok(SetValue { span, kind: literal.unwrap_or(SetKind::Expression) })
}

fn single(cursor: &Cursor<'_>, token: Token, of_system_variable: bool) -> Option<SetKind> {
    if let Some(value) = cursor.value_of(token) {
        return Some(SetKind::Literal(value));
    }
    let text = token.span.text(cursor.sql);
    match (token.kind, text.to_ascii_uppercase().as_str()) {
        (TokenKind::Word, "DEFAULT") if of_system_variable => Some(SetKind::Default),
        (TokenKind::Word, "TRUE") => Some(SetKind::Literal(Value::Int(1))),
        (TokenKind::Word, "FALSE") => Some(SetKind::Literal(Value::Int(0))),
        (TokenKind::Word, "NULL") => Some(SetKind::Literal(Value::Null)),
        (TokenKind::Word | TokenKind::QuotedIdent, _) if of_system_variable => {
            Some(SetKind::Literal(Value::Text(cursor.name_of(token.span).into_bytes())))
        }
        _ => None,
    }
}

fn signed(cursor: &Cursor<'_>, sign: Token, number: Token) -> Option<SetKind> {
    let value = cursor.value_of(number)?;
    let negated = value.negated()?;
    match sign.kind {
        TokenKind::Symbol(b'-') => Some(SetKind::Literal(negated)),
        TokenKind::Symbol(b'+') => Some(SetKind::Literal(value)),
        _ => None,
    }
}
