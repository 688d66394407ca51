//! `/*! … */`: text that only some servers read.

use crate::lexer::{LexError, Lexer, is_identifier_byte};
use crate::{Edit, LexOptions, Span, Token, TokenKind, splice};

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

    /// Whether this server reads the body.
    #[must_use]
    pub fn is_read_by(&self, server: ServerKind) -> bool {
        let ServerKind { mariadb, version: own } = server;
        let version = self.version.unwrap_or(0);
        // MariaDB leaves out what is written for MySQL 5.7 and later.
        let for_mysql = !self.mariadb && (50_700..=99_999).contains(&version);
        (mariadb || !self.mariadb) && version <= own && !(mariadb && for_mysql)
    }

    /// Whether every server that Serval supports reads the body.
    #[must_use]
    pub fn is_read_by_all(&self) -> bool {
        !self.mariadb && self.version.is_none_or(|version| version <= Self::EVERYONE)
    }
}

/// Which servers read a statement: they differ in version comments, and in what some clauses mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerKind {
    /// MariaDB, not MySQL.
    pub mariadb: bool,
    /// For example 101119 or 80404.
    pub version: u32,
}

/// The statement as this server reads it: of each version comment that it reads only the body is left, of all others
/// nothing. `None` where there is no version comment.
///
/// ```
/// use serval_sql::{LexOptions, ServerKind, open_version_comments};
/// let server = ServerKind { mariadb: true, version: 101_119 };
/// let sql = b"SELECT 1/*!50003 + 1*/ /*!80000 + 2*//*M!100100 + 3*/";
/// let opened = open_version_comments(sql, LexOptions::default(), server)?;
/// assert_eq!(opened.as_deref(), Some(&b"SELECT 1 + 1  + 3"[..]));
/// # Ok::<(), serval_sql::LexError>(())
/// ```
///
/// # Errors
/// As [`tokens`](crate::tokens).
pub fn open_version_comments(
    sql: &[u8],
    options: LexOptions,
    server: ServerKind,
) -> Result<Option<Vec<u8>>, LexError> {
    let mut lexer = Lexer::new(sql, options);
    let mut edits = Vec::new();
    while let Some(token) = lexer.next()? {
        if token.kind != TokenKind::VersionComment {
            continue;
        }
        let Span { start, end } = token.span;
        let comment = VersionComment::of(sql, start, end);
        if comment.is_read_by(server) {
            let body = comment.body;
            edits.push(removal(sql, Span { start, end: body.start }));
            edits.push(removal(sql, Span { start: body.end, end }));
        } else {
            edits.push(removal(sql, token.span));
        }
    }
    Ok((!edits.is_empty()).then(|| splice(sql, &edits)))
}

/// Takes text out; where what stands on its two sides would then be read as one, a space parts it.
fn removal(sql: &[u8], at: Span) -> Edit {
    let before = (at.start as usize).checked_sub(1).and_then(|before| sql.get(before));
    let behind = sql.get(at.end as usize);
    let word = |byte: u8| is_identifier_byte(byte) || matches!(byte, b'.' | b'@' | b'\'' | b'"' | b'`');
    let sign =
        |byte: u8| byte.is_ascii_punctuation() && !word(byte) && !matches!(byte, b'(' | b')' | b',' | b';');
    let joins = match (before, behind) {
        (Some(before), Some(behind)) => (word(*before) && word(*behind)) || (sign(*before) && sign(*behind)),
        _ => false,
    };
    Edit { at, text: if joins { " " } else { "" }.to_owned() }
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
