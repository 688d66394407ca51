//! `/*! … */`: text that only some servers read.

use crate::lexer::{LexError, Lexer};
use crate::{LexOptions, Span, Token, TokenKind};

/// A version comment's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionComment {
    /// What stands between the markers, in the positions of the whole text.
    pub body: Span,
    /// The server version from which on the body is read, for example 50100; `None` for all.
    pub version: Option<u32>,
    /// `/*M! … */`: MariaDB only.
    pub mariadb: bool,
}

impl VersionComment {
    /// The newest version that both MySQL and MariaDB of today have passed. MariaDB skips 50700 to 99999.
    const EVERYONE: u32 = 50_699;

    /// Takes apart the version comment at `start..end`.
    pub(crate) fn of(sql: &[u8], start: u32, end: u32) -> Self {
        let mariadb = sql.get(start as usize + 2) == Some(&b'M');
        let after_mark = start + if mariadb { 4 } else { 3 };
        let inner = Span { start: after_mark, end: end.saturating_sub(2).max(after_mark) };
        let digits = inner.of(sql).iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        if digits < 5 {
            return Self { body: inner, version: None, mariadb };
        }
        let number = Span { start: inner.start, end: inner.start + digits as u32 };
        let version = std::str::from_utf8(number.of(sql)).ok().and_then(|digits| digits.parse().ok());
        Self { body: Span { start: number.end, end: inner.end }, version, mariadb }
    }

    /// The body's tokens, comments included, in the positions of the whole text.
    pub(crate) fn tokens(&self, sql: &[u8], options: LexOptions) -> Result<Vec<Token>, LexError> {
        let mut lexer = Lexer::of_version_comment(sql, self.body, options);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next()? {
            tokens.push(token);
        }
        Ok(tokens)
    }

    /// Whether every server that Serval supports reads the body.
    #[must_use]
    pub fn is_read_by_all(&self) -> bool {
        !self.mariadb && self.version.is_none_or(|version| version <= Self::EVERYONE)
    }
}

/// The one version comment that a statement consists of, as dump tools send them: `/*!40101 SET NAMES utf8 */;`.
#[must_use]
pub fn unwrap_version_comment(sql: &[u8], options: LexOptions) -> Option<VersionComment> {
    let mut lexer = Lexer::new(sql, options);
    let mut found = None;
    while let Some(token) = lexer.next().ok()? {
        match token.kind {
            TokenKind::VersionComment if found.is_none() => {
                found = Some(VersionComment::of(sql, token.span.start, token.span.end));
            }
            TokenKind::Comment | TokenKind::Symbol(b';') => {}
            _ => return None,
        }
    }
    found
}
