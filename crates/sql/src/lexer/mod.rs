//! MySQL's lexer: bytes to tokens.
//!
//! It follows the server's own (`sql/sql_lex.cc`) where SQL texts on the web disagree: `1a` and `t.1a` are
//! identifiers, `0X1F` is one too, `1e5x` is a number and a word, `--5` is two minus signs.

mod comment;
mod error;
mod number;
mod text;
mod variable;
mod word;

pub use error::{LexError, LexErrorKind};
pub(crate) use word::is_identifier_byte;

use crate::{LexOptions, Span, Token, TokenKind};

/// Reads tokens off a text, one at a time.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    sql: &'a [u8],
    options: LexOptions,
    pos: usize,
    /// Where the last word or quoted identifier ended: a `.` right there separates names, even before a digit.
    name_end: usize,
    /// Where the last name-separating `.` ended: what follows right there is an identifier, even a digit.
    dot_end: usize,
    /// Whether NUL bytes have to be looked for in each token.
    has_nul: bool,
    in_version_comment: bool,
}

/// A position that no token ends at.
const NOWHERE: usize = usize::MAX;

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a [u8], options: LexOptions) -> Self {
        let end = u32::try_from(sql.len()).unwrap_or(u32::MAX);
        Self::within(sql, Span { start: 0, end }, options)
    }

    /// Reads a part of a text, in the positions of the whole, and looks at nothing outside of it: a text has many parts.
    pub(crate) fn within(sql: &'a [u8], part: Span, options: LexOptions) -> Self {
        let sql = sql.get(..part.end as usize).unwrap_or(sql);
        let pos = part.start as usize;
        let has_nul = memchr::memchr(0, sql.get(pos..).unwrap_or_default()).is_some();
        Self { sql, options, pos, name_end: NOWHERE, dot_end: NOWHERE, has_nul, in_version_comment: false }
    }

    /// Reads the body of a version comment, in the positions of the whole text.
    pub(crate) fn of_version_comment(sql: &'a [u8], body: Span, options: LexOptions) -> Self {
        Self { in_version_comment: true, ..Self::within(sql, body, options) }
    }

    /// The next token; `None` at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, LexError> {
        while self.peek(0).is_some_and(is_space) {
            self.pos += 1;
        }
        let start = self.pos;
        let Some(first) = self.peek(0) else { return Ok(None) };
        if u32::try_from(self.sql.len()).is_err() {
            return Err(self.error(0, LexErrorKind::TooLong));
        }
        let kind = self.token(first)?;
        let span = Span { start: start as u32, end: self.pos as u32 };
        self.check_nul(span, kind)?;
        self.note_names(kind);
        Ok(Some(Token { span, kind }))
    }

    /// Goes on at byte `at`, which must be a token's border.
    pub(crate) fn skip_to(&mut self, at: u32) {
        self.pos = at as usize;
    }

    fn token(&mut self, first: u8) -> Result<TokenKind, LexError> {
        match first {
            b'\'' => self.strings(first),
            b'"' if !self.options.ansi_quotes => self.strings(first),
            b'"' | b'`' => self.quoted_identifier(first),
            b'0'..=b'9' if self.dot_end == self.pos => Ok(self.word()),
            b'0'..=b'9' => self.number_or_word(),
            b'.' => self.dot(),
            b'#' => Ok(self.line_comment()),
            b'-' if self.at_dash_comment() => Ok(self.line_comment()),
            b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
            b'@' => self.variable(),
            b'?' => Ok(self.take(1, TokenKind::Parameter)),
            b'\\' if self.peek(1) == Some(b'N') => Ok(self.take(2, TokenKind::Word)),
            _ if is_identifier_byte(first) => self.word_or_prefixed(first),
            _ => Ok(self.operator(first)),
        }
    }

    fn operator(&mut self, first: u8) -> TokenKind {
        let rest = self.sql.get(self.pos..).unwrap_or_default();
        let length = match rest {
            [b'-', b'>', b'>', ..] | [b'<', b'=', b'>', ..] => 3,
            [b'-', b'>', ..]
            | [b':' | b'<' | b'>' | b'!', b'=', ..]
            | [b'<', b'>' | b'<', ..]
            | [b'>', b'>', ..]
            | [b'|', b'|', ..]
            | [b'&', b'&', ..] => 2,
            _ => 1,
        };
        self.take(length, if length == 1 { TokenKind::Symbol(first) } else { TokenKind::Operator })
    }

    /// A `.` between names, or the first character of a number.
    fn dot(&mut self) -> Result<TokenKind, LexError> {
        let separates = self.name_end == self.pos || !self.peek(1).is_some_and(|next| next.is_ascii_digit());
        if separates { Ok(self.take(1, TokenKind::Symbol(b'.'))) } else { self.number_from_dot() }
    }

    /// Quotes and markers make all literals and comments holes, so a NUL in them cannot be taken for a marker of the
    /// key. Anywhere else it could.
    fn check_nul(&self, span: Span, kind: TokenKind) -> Result<(), LexError> {
        let opaque = kind.is_literal() || kind == TokenKind::Comment;
        if !self.has_nul || opaque || !span.of(self.sql).contains(&0) {
            return Ok(());
        }
        Err(LexError { position: span.start, kind: LexErrorKind::Nul })
    }

    fn note_names(&mut self, kind: TokenKind) {
        match kind {
            TokenKind::Word | TokenKind::QuotedIdent => self.name_end = self.pos,
            TokenKind::Symbol(b'.') => self.dot_end = self.pos,
            _ => {}
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.get(self.pos + ahead).copied()
    }

    fn take(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.pos += length;
        kind
    }

    fn error(&self, start: usize, kind: LexErrorKind) -> LexError {
        LexError { position: start as u32, kind }
    }
}

/// What MySQL takes for white space.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
