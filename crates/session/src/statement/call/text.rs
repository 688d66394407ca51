//! The text of a CALL.

use serval_sql::{Edit, LexOptions, ParseError, Span, Token, TokenKind, identifier_value, splice, tokens};
use serval_types::MysqlError;

use crate::failure::{Failure, refused};

/// What a CALL names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallText {
    /// The text for the node, whose database is the procedure's.
    pub(super) sql: Vec<u8>,
    /// The schema that the client named.
    pub(super) schema: Option<String>,
    /// The user variables among the arguments, in lower case.
    pub(super) variables: Vec<String>,
}

impl CallText {
    /// Reads `CALL p(…)` and `CALL schema.p(…)`.
    ///
    /// # Errors
    /// 1064, and 1235 for arguments that name tables or other schemas.
    pub(super) fn of(sql: &[u8], options: LexOptions) -> Result<Self, Failure> {
        let mut tokens = tokens(sql, options).map_err(|error| {
            Failure::Told(ParseError::from_lex(&String::from_utf8_lossy(sql), &error).to_mysql())
        })?;
        tokens.retain(|token| !token.kind.is_comment());
        let is_name = |token: Option<&Token>| {
            token.is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent))
        };
        if !is_name(tokens.get(1)) {
            return Err(syntax(sql, tokens.get(1)).into());
        }
        let qualified = tokens.get(2).is_some_and(|token| token.is_symbol(b'.'));
        if qualified && !is_name(tokens.get(3)) {
            return Err(syntax(sql, tokens.get(3)).into());
        }
        let arguments = tokens.get(if qualified { 4 } else { 2 }..).unwrap_or_default();
        check(sql, arguments)?;
        let mut text = sql.to_vec();
        let mut schema = None;
        if qualified {
            schema = Some(name(sql, tokens[1].span));
            let at = Span { start: tokens[1].span.start, end: tokens[2].span.end };
            text = splice(sql, &[Edit { at, text: String::new() }]);
        }
        let variables = arguments.iter().filter(|token| token.kind == TokenKind::UserVariable);
        let variables = variables.map(|token| variable(sql, token.span)).collect();
        Ok(Self { sql: text, schema, variables })
    }
}

fn check(sql: &[u8], arguments: &[Token]) -> Result<(), Failure> {
    for (at, token) in arguments.iter().enumerate() {
        if token.is_word(sql, "SELECT") || token.is_word(sql, "WITH") || token.is_word(sql, "TABLE") {
            return Err(refused(
                "Subqueries among the arguments of CALL are not supported; SELECT the value first",
            ));
        }
        let before = at.checked_sub(1).and_then(|before| arguments.get(before));
        if token.is_symbol(b'.') && before.is_some_and(|before| before.kind != TokenKind::UserVariable) {
            return Err(refused("Names of other schemas among the arguments of CALL are not supported"));
        }
        if token.kind == TokenKind::VersionComment {
            return Err(refused("Version comments in CALL are not supported; write the statement without"));
        }
    }
    Ok(())
}

fn name(sql: &[u8], span: Span) -> String {
    String::from_utf8_lossy(&identifier_value(span.of(sql))).into_owned()
}

/// The name of `@name`, in lower case.
fn variable(sql: &[u8], span: Span) -> String {
    let written = span.of(sql);
    let plain = written.strip_prefix(b"@").unwrap_or(written);
    let name = match plain {
        [quote @ (b'\'' | b'"'), inner @ .., end] if quote == end => inner.to_vec(),
        other => identifier_value(other),
    };
    String::from_utf8_lossy(&name).to_lowercase()
}

fn syntax(sql: &[u8], at: Option<&Token>) -> MysqlError {
    let end = u32::try_from(sql.len()).unwrap_or(u32::MAX);
    ParseError::at(&String::from_utf8_lossy(sql), at.map_or(end, |token| token.span.start)).to_mysql()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expect: (&str, Option<&str>, &[&str])) {
        let call = CallText::of(sql.as_bytes(), LexOptions::default()).unwrap();
        let (text, schema, variables) = expect;
        assert_eq!(String::from_utf8_lossy(&call.sql), text);
        assert_eq!(
            (call.schema.as_deref(), call.variables),
            (schema, variables.iter().map(|name| (*name).to_owned()).collect())
        );
    }

    fn refuses(sql: &str, number: u16) {
        match CallText::of(sql.as_bytes(), LexOptions::default()) {
            Err(Failure::Told(error)) => assert_eq!(error.number, number, "{sql}: {error}"),
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn the_schema_is_cut_out() {
        check("CALL p", ("CALL p", None, &[]));
        check("call p(1, @Out, 1.5)", ("call p(1, @Out, 1.5)", None, &["out"]));
        check(
            "CALL `my db` . `p` (@`a b`, @'c')",
            ("CALL  `p` (@`a b`, @'c')", Some("my db"), &["a b", "c"]),
        );
    }

    #[test]
    fn what_names_tables_is_refused() {
        refuses("CALL", 1064);
        refuses("CALL shop.", 1064);
        refuses("CALL p((SELECT 1))", 1235);
        refuses("CALL p(other.f(1))", 1235);
    }
}
