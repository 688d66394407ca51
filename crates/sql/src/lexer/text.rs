//! Strings.

use super::{LexError, LexErrorKind, Lexer, is_space};
use crate::{LexOptions, Pairs, Span, TokenKind};

impl Lexer<'_> {
    /// One string and those right behind it, which MySQL joins to it.
    pub(super) fn strings(&mut self, quote: u8) -> Result<TokenKind, LexError> {
        self.string(quote)?;
        while let Some((at, quote)) = self.adjacent_string() {
            self.pos = at;
            self.string(quote)?;
        }
        Ok(TokenKind::Text)
    }

    /// The strings that a text token consists of.
    pub(crate) fn string_pieces(sql: &[u8], span: Span, options: LexOptions) -> Vec<Span> {
        let mut lexer = Lexer::within(sql, span, options);
        let mut pieces = Vec::new();
        let mut next = lexer.peek(0).map(|quote| (lexer.pos, quote));
        while let Some((start, quote)) = next {
            lexer.pos = start;
            if lexer.string(quote).is_err() {
                break;
            }
            pieces.push(Span { start: start as u32, end: lexer.pos as u32 });
            next = lexer.adjacent_string();
        }
        pieces
    }

    /// One string, from its opening quote on.
    pub(super) fn string(&mut self, quote: u8) -> Result<(), LexError> {
        let start = self.pos;
        let mut at = start + 1;
        loop {
            at = self.behind_pairs(at, quote);
            let rest = self.sql.get(at..).unwrap_or_default();
            let found = if self.options.no_backslash_escapes {
                memchr::memchr(quote, rest)
            } else {
                memchr::memchr2(quote, b'\\', rest)
            };
            at += found.ok_or(self.error(start, LexErrorKind::UnterminatedString))?;
            let doubled = self.sql.get(at + 1) == Some(&quote);
            if self.sql.get(at) == Some(&quote) && !doubled {
                self.pos = at + 1;
                return Ok(());
            }
            at += 2;
        }
    }

    /// Where to look for a quote or a backslash from `at` on: at once, or behind the characters of two bytes that come
    /// before the next one.
    pub(super) fn behind_pairs(&self, mut at: usize, quote: u8) -> usize {
        if self.options.pairs == Pairs::None {
            return at;
        }
        while let Some(byte) = self.sql.get(at) {
            let rest = self.sql.get(at..).unwrap_or_default();
            if self.options.pairs.leads(rest) {
                at += 2;
            } else if *byte == quote || *byte == b'\\' {
                break;
            } else {
                at += 1;
            }
        }
        at
    }

    /// Where the next token begins and its quote, if it is a string.
    fn adjacent_string(&self) -> Option<(usize, u8)> {
        let mut ahead = self.clone();
        loop {
            while ahead.peek(0).is_some_and(is_space) {
                ahead.pos += 1;
            }
            match ahead.peek(0)? {
                b'\'' => return Some((ahead.pos, b'\'')),
                b'"' if !self.options.ansi_quotes => return Some((ahead.pos, b'"')),
                b'#' => drop(ahead.line_comment()),
                b'-' if ahead.at_dash_comment() => drop(ahead.line_comment()),
                b'/' if ahead.peek(1) == Some(b'*') => {
                    // A hint and a version comment are tokens, which stand between the strings.
                    (ahead.block_comment().ok()? == TokenKind::Comment).then_some(())?;
                }
                _ => return None,
            }
        }
    }
}
