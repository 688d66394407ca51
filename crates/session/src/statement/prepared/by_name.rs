//! PREPARE, EXECUTE and DEALLOCATE PREPARE: prepared statements in SQL.
//!
//! An EXECUTE is the statement itself with the literals of the user variables in it, so its rows are text.

use bytes::Bytes;
use serval_remote::Backend;
use serval_sql::{
    HoleKind, LexOptions, ParseError, Span, Token, TokenKind, identifier_value, literal_value, tokens,
};
use serval_types::{ErrorCode, MysqlError, Value};
use tokio::io::AsyncWrite;

use super::describe::describe;
use super::literals::fill;
use super::statement::unknown;
use crate::failure::{Failure, refused};
use crate::session::Session;
use crate::statement::dispatch;
use crate::statement::user_variable;
use crate::stream::Writer;

/// `PREPARE name FROM 'text'` or `PREPARE name FROM @variable`.
pub(in crate::statement) async fn prepare_by_name<B: Backend>(
    session: &mut Session<B>,
    text: &str,
) -> Result<(), Failure> {
    let words = Words::of(session, text)?;
    let [_, name, from, _, ..] = &*words.tokens else { return Err(words.error(text, 2)) };
    if !from.is_word(text.as_bytes(), "from") {
        return Err(words.error(text, 2));
    }
    let sql = words.source(session, text, 3, words.tokens.len()).await?;
    let name = words.name(text, name);
    // As on servers, a failure leaves no statement of the name.
    session.prepared.remove_named(&name);
    let statement = describe(session, &Bytes::from(sql)).await?;
    Ok(session.prepared.add_named(&name, statement)?)
}

/// `EXECUTE name USING @variable, …`, and MariaDB's `EXECUTE IMMEDIATE 'text' USING …`, which may name literals.
pub(in crate::statement) async fn execute_by_name<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let words = Words::of(session, text)?;
    let Some(name) = words.tokens.get(1) else { return Err(words.error(text, 1)) };
    let mariadb = session.proxy.flavour().is_mariadb();
    let immediate = mariadb && words.tokens.len() > 2 && name.is_word(text.as_bytes(), "immediate");
    let using = words.find_using(text, 2);
    if !immediate && using > 2 {
        return Err(words.error(text, 2));
    }
    let literals = words.values(session, text, using)?;
    let statement = if immediate {
        let sql = words.source(session, text, 2, using).await?;
        describe(session, &Bytes::from(sql)).await?
    } else {
        let name = words.name(text, name);
        session.prepared.named(&name).cloned().ok_or_else(|| unknown(&name, "EXECUTE"))?
    };
    if literals.len() != usize::from(statement.parameter_count()) {
        return Err(MysqlError::new(ErrorCode::WrongArguments, "Incorrect arguments to EXECUTE").into());
    }
    statement.check_as_text(session)?;
    let sql = Bytes::from(fill(&statement.sql, &statement.scan, literals));
    let scan = crate::statement::scan(session, &sql)?;
    Box::pin(dispatch(session, writer, &sql, &scan)).await
}

/// `DEALLOCATE PREPARE name` or `DROP PREPARE name`.
pub(in crate::statement) fn deallocate<B: Backend>(
    session: &mut Session<B>,
    text: &str,
) -> Result<(), Failure> {
    let words = Words::of(session, text)?;
    let [_, prepare, name] = &*words.tokens else { return Err(words.error(text, 1)) };
    if !prepare.is_word(text.as_bytes(), "prepare") {
        return Err(words.error(text, 1));
    }
    let name = words.name(text, name);
    if session.prepared.remove_named(&name) {
        Ok(())
    } else {
        Err(unknown(&name, "DEALLOCATE PREPARE").into())
    }
}

fn stands_alone(text: &str, token: &Token) -> bool {
    let constants = ["NULL", "TRUE", "FALSE"];
    token.kind.is_literal() || constants.iter().any(|word| token.is_word(text.as_bytes(), word))
}

/// A user variable's value as a literal; NULL for one that was never set.
fn value_of<B: Backend>(session: &Session<B>, variable: &str) -> String {
    let name = variable.strip_prefix('@').unwrap_or(variable).as_bytes();
    let name = match name.first() {
        Some(b'`') => identifier_value(name),
        Some(b'\'' | b'"') => text_value(name, session.options),
        _ => name.to_vec(),
    };
    let name = user_variable(&String::from_utf8_lossy(&name)).to_lowercase();
    plain(session.state.value(&name).unwrap_or("NULL"))
}

/// The literal of a variable as one would write it in a statement: without its collation, so that it may still say
/// where a row is, and without the character set where that makes no difference.
fn plain(literal: &str) -> String {
    let collated = literal.starts_with('_').then(|| literal.rsplit_once(" COLLATE ")).flatten();
    let text = collated.map_or(literal, |(text, _)| text);
    if let Some(number) = text.strip_prefix("CAST(").and_then(|rest| rest.strip_suffix(" AS UNSIGNED)")) {
        return number.to_owned();
    }
    match text.split_once('\'') {
        // Alone, MySQL would take it for a number where it stands beside one; a variable is text there.
        Some(("x", _)) => format!("_binary {text}"),
        Some((introducer, quoted)) if introducer.starts_with('_') && !introducer.ends_with('x') => {
            format!("'{quoted}")
        }
        _ => text.to_owned(),
    }
}

/// A user variable's value as the text of a statement.
fn text_of<B: Backend>(session: &Session<B>, variable: &str) -> Vec<u8> {
    let literal = value_of(session, variable);
    let mut tokens = tokens(literal.as_bytes(), LexOptions::default()).unwrap_or_default();
    // Behind the introducer of a character set, where there is one.
    let Some(token) = tokens.pop() else { return Vec::new() };
    let kind = match token.kind {
        TokenKind::Text => HoleKind::Text,
        TokenKind::Hex => HoleKind::Hex,
        // NULL and numbers are no statements; a server's parser says so of their text.
        _ => return literal.into_bytes(),
    };
    match literal_value(literal.as_bytes(), token.span, kind, LexOptions::default()) {
        Value::Text(text) | Value::Bytes(text) => text,
        _ => literal.into_bytes(),
    }
}

fn text_value(quoted: &[u8], options: LexOptions) -> Vec<u8> {
    let span = Span::new(0, u32::try_from(quoted.len()).unwrap_or(u32::MAX));
    match literal_value(quoted, span, HoleKind::Text, options) {
        Value::Text(text) => text,
        _ => Vec::new(),
    }
}

/// A statement's tokens without comments and the semicolon at its end.
struct Words {
    tokens: Vec<Token>,
}

impl Words {
    fn of<B: Backend>(session: &Session<B>, text: &str) -> Result<Self, Failure> {
        let mut tokens = tokens(text.as_bytes(), session.options)
            .map_err(|error| Failure::Told(ParseError::from_lex(text, &error).to_mysql()))?;
        tokens.retain(|token| !token.kind.is_comment());
        while tokens.last().is_some_and(|token| token.is_symbol(b';')) {
            tokens.pop();
        }
        Ok(Self { tokens })
    }

    fn text<'a>(&self, text: &'a str, token: &Token) -> &'a str {
        text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default()
    }

    /// Where USING stands outside of parentheses, from the token `from` on; otherwise the end.
    fn find_using(&self, text: &str, from: usize) -> usize {
        let mut depth = 0_i32;
        let found = (from..self.tokens.len()).find(|&at| {
            let token = &self.tokens[at];
            depth += i32::from(token.is_symbol(b'(')) - i32::from(token.is_symbol(b')'));
            depth == 0 && token.is_word(text.as_bytes(), "using")
        });
        found.unwrap_or(self.tokens.len())
    }

    /// The text of a statement: a literal, a variable, or what MariaDB computes.
    async fn source<B: Backend>(
        &self,
        session: &mut Session<B>,
        text: &str,
        from: usize,
        to: usize,
    ) -> Result<Vec<u8>, Failure> {
        let tokens = self.tokens.get(from..to).unwrap_or_default();
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return Err(self.error(text, from));
        };
        match (first.kind, tokens.len()) {
            (TokenKind::Text, 1) => {
                match literal_value(text.as_bytes(), first.span, HoleKind::Text, session.options) {
                    Value::Text(sql) => Ok(sql),
                    _ => Err(self.error(text, from)),
                }
            }
            (TokenKind::UserVariable, 1) => Ok(text_of(session, self.text(text, first))),
            _ if session.proxy.flavour().is_mariadb() => {
                let sql = format!("SELECT {}", first.span.to(last.span).text(text));
                let answer = session.collect(sql.as_bytes()).await?;
                Ok(answer.text(0, 0).unwrap_or_else(|| "NULL".into()).as_bytes().to_vec())
            }
            _ => Err(self.error(text, from)),
        }
    }

    /// The literals behind USING, which stands at this token.
    fn values<B: Backend>(
        &self,
        session: &Session<B>,
        text: &str,
        using: usize,
    ) -> Result<Vec<String>, Failure> {
        let Some(rest) = self.tokens.get(using + 1..) else { return Ok(Vec::new()) };
        let mut values = Vec::new();
        let mut at = using + 1;
        for item in rest.split(|token| token.is_symbol(b',')) {
            values.push(self.value(session, text, at, item)?);
            at += item.len() + 1;
        }
        Ok(values)
    }

    fn value<B: Backend>(
        &self,
        session: &Session<B>,
        text: &str,
        at: usize,
        item: &[Token],
    ) -> Result<String, Failure> {
        const TYPES: [&str; 3] = ["DATE", "TIME", "TIMESTAMP"];
        let [first, .., last] = item else {
            return match item {
                [one] if one.kind == TokenKind::UserVariable => Ok(value_of(session, self.text(text, one))),
                [one] if session.proxy.flavour().is_mariadb() && stands_alone(text, one) => {
                    Ok(self.text(text, one).to_owned())
                }
                _ => Err(self.error(text, at)),
            };
        };
        if !session.proxy.flavour().is_mariadb() {
            return Err(self.error(text, at));
        }
        let typed = TYPES.iter().any(|word| first.is_word(text.as_bytes(), word));
        let introduced = first.span.text(text).starts_with('_');
        let signed = first.is_symbol(b'-') || first.is_symbol(b'+');
        if item.len() == 2 && last.kind.is_literal() && (typed || introduced || signed) {
            return Ok(first.span.to(last.span).text(text).to_owned());
        }
        Err(refused(
            "EXECUTE … USING takes literals and user variables; SET a user variable to the expression, and name that",
        ))
    }

    fn name(&self, text: &str, token: &Token) -> String {
        String::from_utf8_lossy(&identifier_value(self.text(text, token).as_bytes())).into_owned()
    }

    /// A syntax error at the token of this index.
    fn error(&self, text: &str, index: usize) -> Failure {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let at = self.tokens.get(index).map_or(end, |token| token.span.start);
        Failure::Told(ParseError::at(text, at).to_mysql())
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_variable_is_written_as_a_literal() {
        assert_eq!(plain("_utf8mb4'it is' COLLATE utf8mb4_general_ci"), "'it is'");
        assert_eq!(plain("_utf8mb4 x'C3A9' COLLATE utf8mb4_general_ci"), "_utf8mb4 x'C3A9'");
        assert_eq!(plain("CAST(7 AS UNSIGNED)"), "7");
        assert_eq!(plain("1.50"), "1.50");
    }
}
