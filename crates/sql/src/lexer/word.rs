//! Words, quoted identifiers, and literals that begin with a letter.

use super::{LexError, LexErrorKind, Lexer};
use crate::TokenKind;

/// What a bare identifier is made of; every byte of a character outside ASCII is.
pub(crate) fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

impl Lexer<'_> {
    pub(super) fn word(&mut self) -> TokenKind {
        let length = self.run(0, is_identifier_byte);
        self.take(length, TokenKind::Word)
    }

    /// A word, or `x'…'`, `b'…'`, `N'…'`.
    pub(super) fn word_or_prefixed(&mut self, first: u8) -> Result<TokenKind, LexError> {
        if self.peek(1) != Some(b'\'') || self.dot_end == self.pos {
            return Ok(self.word());
        }
        match first {
            b'x' | b'X' => self.digits_in_quotes(TokenKind::Hex, |byte| byte.is_ascii_hexdigit()),
            b'b' | b'B' => self.digits_in_quotes(TokenKind::Bit, |byte| matches!(byte, b'0' | b'1')),
            b'n' | b'N' => {
                self.pos += 1;
                self.strings(b'\'')?;
                Ok(TokenKind::National)
            }
            _ => Ok(self.word()),
        }
    }

    fn digits_in_quotes(&mut self, kind: TokenKind, is_digit: fn(u8) -> bool) -> Result<TokenKind, LexError> {
        let end = self.run(2, is_digit);
        let whole_bytes = kind != TokenKind::Hex || end.is_multiple_of(2);
        if self.peek(end) == Some(b'\'') && whole_bytes {
            return Ok(self.take(end + 1, kind));
        }
        Err(self.error(self.pos, LexErrorKind::MalformedLiteral))
    }

    /// An identifier in quotes; a doubled quote stands for one, a backslash for itself.
    pub(super) fn quoted_identifier(&mut self, quote: u8) -> Result<TokenKind, LexError> {
        let start = self.pos;
        let mut at = start + 1;
        loop {
            let rest = self.sql.get(at..).unwrap_or_default();
            let found = memchr::memchr(quote, rest);
            at += found.ok_or(self.error(start, LexErrorKind::UnterminatedIdentifier))?;
            if self.sql.get(at + 1) != Some(&quote) {
                self.pos = at + 1;
                return Ok(TokenKind::QuotedIdent);
            }
            at += 2;
        }
    }
}
