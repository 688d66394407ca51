//! Words, quoted identifiers, and literals that begin with a letter.

use super::{LexError, LexErrorKind, Lexer};
use crate::{Pairs, TokenKind};

/// What a bare identifier is made of; every byte of a character outside ASCII is.
pub(crate) fn is_identifier_byte(byte: u8) -> bool {
    IDENTIFIER_BYTES[byte as usize]
}

/// A look at a table is cheaper than four comparisons, and every byte of every statement gets one.
static IDENTIFIER_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let ascii = byte as u8;
        table[byte] = ascii.is_ascii_alphanumeric() || matches!(ascii, b'_' | b'$') || byte >= 0x80;
        byte += 1;
    }
    table
};

impl Lexer<'_> {
    pub(super) fn word(&mut self) -> TokenKind {
        let length = self.word_length();
        self.take(length, TokenKind::Word)
    }

    fn word_length(&self) -> usize {
        let mut length = self.run(0, is_identifier_byte);
        // The first half of a character was taken for one; its second half may be anything.
        while self.options.pairs != Pairs::None
            && length > 0
            && self.ends_in_half(length)
            && self.peek(length).is_some()
        {
            length = self.run(length + 1, is_identifier_byte);
        }
        length
    }

    /// Whether the last of `length` bytes from here on is the first half of a character.
    fn ends_in_half(&self, length: usize) -> bool {
        let text = self.sql.get(self.pos..).unwrap_or_default();
        let mut at = 0;
        while at < length {
            let pair = self.options.pairs.leads(text.get(at..).unwrap_or_default());
            if pair && at + 1 == length {
                return true;
            }
            at += if pair { 2 } else { 1 };
        }
        false
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
            at = self.behind_pairs(at, quote);
            let rest = self.sql.get(at..).unwrap_or_default();
            if self.options.pairs != Pairs::None && rest.first() == Some(&b'\\') {
                // A backslash is itself in a name.
                at += 1;
                continue;
            }
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
