//! Comments of all four kinds.

use super::{LexError, LexErrorKind, Lexer, is_space};
use crate::{TokenKind, VersionComment};

impl Lexer<'_> {
    /// `--` begins a comment only before white space, a control character or the end.
    pub(super) fn at_dash_comment(&self) -> bool {
        self.peek(1) == Some(b'-')
            && self.peek(2).is_none_or(|next| next.is_ascii_control() || is_space(next))
    }

    /// Ends behind the newline, so that text inserted after the comment is not swallowed by it.
    pub(super) fn line_comment(&mut self) -> TokenKind {
        let rest = self.sql.get(self.pos..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        self.take(length, TokenKind::Comment)
    }

    pub(super) fn block_comment(&mut self) -> Result<TokenKind, LexError> {
        let comment = self.sql.get(self.pos..).unwrap_or_default();
        if crate::hint::is_annotation(comment) {
            return self.plain_comment(TokenKind::Hint);
        }
        match (self.peek(2), self.peek(3)) {
            (Some(b'!'), _) | (Some(b'M'), Some(b'!')) => self.version_comment(),
            (Some(b'+'), _) => self.plain_comment(TokenKind::Hint),
            _ => self.plain_comment(TokenKind::Comment),
        }
    }

    fn plain_comment(&mut self, kind: TokenKind) -> Result<TokenKind, LexError> {
        let body = self.sql.get(self.pos + 2..).unwrap_or_default();
        let end = memchr::memmem::find(body, b"*/");
        let end = end.ok_or(self.error(self.pos, LexErrorKind::UnterminatedComment))?;
        Ok(self.take(2 + end + 2, kind))
    }

    /// A server that reads the body ends it at the first `*/` between tokens, one that skips it at the first `*/`
    /// that closes no inner comment. Where these differ the statement means different things to different servers, and
    /// it is refused.
    fn version_comment(&mut self) -> Result<TokenKind, LexError> {
        let start = self.pos;
        let length = self.version_comment_length()?;
        let ambiguous = self.error(start, LexErrorKind::AmbiguousVersionComment);
        if self.in_version_comment {
            return Err(ambiguous);
        }
        let parts = VersionComment::of(self.sql, start as u32, (start + length) as u32);
        let mut inner = Lexer::of_version_comment(self.sql, parts.body, self.options);
        while let Some(token) = inner.next().map_err(|_| ambiguous)? {
            let text = token.span.of(self.sql);
            let open_line_comment = token.span.end == parts.body.end
                && token.kind == TokenKind::Comment
                && !text.starts_with(b"/*")
                && !text.ends_with(b"\n");
            if open_line_comment {
                return Err(ambiguous);
            }
        }
        Ok(self.take(length, TokenKind::VersionComment))
    }

    fn version_comment_length(&self) -> Result<usize, LexError> {
        let text = self.sql.get(self.pos..).unwrap_or_default();
        let mut depth = 1;
        let mut at = 2;
        while depth > 0 {
            let body = text.get(at..).unwrap_or_default();
            let slash =
                memchr::memchr(b'/', body).ok_or(self.error(self.pos, LexErrorKind::UnterminatedComment))?;
            if slash > 0 && body.get(slash - 1) == Some(&b'*') {
                depth -= 1;
                at += slash + 1;
            } else if body.get(slash + 1) == Some(&b'*') {
                depth += 1;
                at += slash + 2;
            } else {
                at += slash + 1;
            }
        }
        Ok(at)
    }
}
