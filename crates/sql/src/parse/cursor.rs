//! A walk over a statement's tokens, for the statements that we parse ourselves.

use serval_types::Value;

use super::{Ident, ParseError, TableName};
use crate::literal::{identifier_value, literal_value};
use crate::{HoleKind, LexOptions, Span, Token, TokenKind};

/// Tokens, comments left out, and how far they are read.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    pub(crate) sql: &'a str,
    pub(crate) options: LexOptions,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(sql: &'a str, options: LexOptions, tokens: &'a [Token]) -> Self {
        Self { sql, options, tokens, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<Token> {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).copied()
    }

    pub(crate) fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub(crate) fn is_end(&self) -> bool {
        self.peek().is_none()
    }

    /// The token read last.
    pub(crate) fn previous(&self) -> Option<Token> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    /// Whether the next tokens are these bare words.
    pub(crate) fn sees(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| {
            self.peek_at(ahead).is_some_and(|token| token.is_word(self.sql.as_bytes(), word))
        })
    }

    /// Reads these bare words if they are next.
    pub(crate) fn accept(&mut self, words: &[&str]) -> bool {
        let found = self.sees(words);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Reads one of these bare words, if one is next, and says which.
    pub(crate) fn accept_one<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        let found = words.iter().find(|word| self.sees(&[word]))?;
        self.at += 1;
        Some(found)
    }

    pub(crate) fn accept_symbol(&mut self, symbol: u8) -> bool {
        let found = self.sees_symbol(symbol);
        if found {
            self.at += 1;
        }
        found
    }

    pub(crate) fn sees_symbol(&self, symbol: u8) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    pub(crate) fn expect(&mut self, words: &[&str]) -> Result<(), ParseError> {
        if self.accept(words) { Ok(()) } else { Err(self.error()) }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: u8) -> Result<(), ParseError> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.error()) }
    }

    pub(crate) fn expect_end(&self) -> Result<(), ParseError> {
        if self.is_end() { Ok(()) } else { Err(self.error()) }
    }

    /// A syntax error at the next token.
    pub(crate) fn error(&self) -> ParseError {
        let end = self.tokens.last().map_or(0, |last| last.span.end);
        ParseError::at(self.sql, self.peek().map_or(end, |token| token.span.start))
    }

    /// An identifier, quoted or not.
    pub(crate) fn ident(&mut self) -> Result<Ident, ParseError> {
        let token =
            self.peek().filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent));
        let token = token.ok_or_else(|| self.error())?;
        self.at += 1;
        Ok(Ident { value: self.name_of(token.span), span: token.span })
    }

    /// What the identifier at a span means.
    pub(crate) fn name_of(&self, span: Span) -> String {
        String::from_utf8_lossy(&identifier_value(span.of(self.sql.as_bytes()))).into_owned()
    }

    /// `table`, `schema.table` or `.table`.
    pub(crate) fn table_name(&mut self) -> Result<TableName, ParseError> {
        if self.accept_symbol(b'.') {
            return Ok(TableName { schema: None, table: self.ident()? });
        }
        let first = self.ident()?;
        if !self.accept_symbol(b'.') {
            return Ok(TableName { schema: None, table: first });
        }
        Ok(TableName { schema: Some(first), table: self.ident()? })
    }

    /// A string literal's value.
    pub(crate) fn string(&mut self) -> Result<(String, Span), ParseError> {
        let token = self.peek().filter(|token| token.kind == TokenKind::Text).ok_or_else(|| self.error())?;
        self.at += 1;
        Ok((self.text_of(token), token.span))
    }

    /// What a string literal's token means, as text.
    pub(crate) fn text_of(&self, token: Token) -> String {
        match self.value_of(token) {
            Some(Value::Text(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            _ => token.span.text(self.sql).to_owned(),
        }
    }

    /// The value of a literal's token.
    pub(crate) fn value_of(&self, token: Token) -> Option<Value> {
        let kind = HoleKind::of_token(token.kind).filter(|_| token.kind.is_literal())?;
        Some(literal_value(self.sql.as_bytes(), token.span, kind, self.options))
    }

    /// Reads an expression: everything up to one of these words or a comma outside parentheses, or the end.
    pub(crate) fn expression(&mut self, until: &[&str]) -> Result<Span, ParseError> {
        let first = self.peek().ok_or_else(|| self.error())?.span;
        let mut last = None;
        let mut depth = 0_u32;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') if depth == 0 => break,
                TokenKind::Symbol(b')') => depth -= 1,
                TokenKind::Symbol(b',') if depth == 0 => break,
                TokenKind::Word if depth == 0 && until.iter().any(|word| self.sees(&[word])) => break,
                _ => {}
            }
            last = Some(token.span);
            self.at += 1;
        }
        match last {
            Some(last) if depth == 0 => Ok(first.to(last)),
            _ => Err(self.error()),
        }
    }

    /// Reads what stands in the parentheses that open here, and both of them; false where none opens.
    pub(crate) fn skip_parentheses(&mut self) -> Result<bool, ParseError> {
        if !self.sees_symbol(b'(') {
            return Ok(false);
        }
        let mut depth = 0_u32;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(true);
            }
        }
        Err(self.error())
    }

    /// Reads all that is left.
    pub(crate) fn rest(&mut self) -> Span {
        let start = self.peek().map_or(0, |token| token.span.start);
        self.at = self.tokens.len();
        Span { start, end: self.previous().map_or(start, |last| last.span.end) }
    }
}
