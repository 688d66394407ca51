//! Numbers, and words that begin with a digit.

use super::{LexError, LexErrorKind, Lexer, is_identifier_byte};
use crate::TokenKind;

impl Lexer<'_> {
    /// What begins with a digit: a number, or an identifier such as `1a`.
    pub(super) fn number_or_word(&mut self) -> Result<TokenKind, LexError> {
        if let Some(kind) = self.zero_prefixed() {
            return Ok(kind);
        }
        let digits = self.run(0, |byte| byte.is_ascii_digit());
        match self.peek(digits) {
            Some(b'.') => {
                self.pos += digits;
                self.number_from_dot()
            }
            Some(b'e' | b'E') => Ok(match self.exponent(digits) {
                Some(length) => self.take(length, TokenKind::Float),
                None => self.word(),
            }),
            Some(next) if is_identifier_byte(next) => Ok(self.word()),
            _ => Ok(self.take(digits, TokenKind::Integer)),
        }
    }

    /// From the point on: `.5`, `.5e3`, and the rest of `1.`.
    pub(super) fn number_from_dot(&mut self) -> Result<TokenKind, LexError> {
        let fraction = self.run(1, |byte| byte.is_ascii_digit());
        if !matches!(self.peek(fraction), Some(b'e' | b'E')) {
            return Ok(self.take(fraction, TokenKind::Decimal));
        }
        match self.exponent(fraction) {
            Some(length) => Ok(self.take(length, TokenKind::Float)),
            None => Err(self.error(self.pos, LexErrorKind::MalformedNumber)),
        }
    }

    /// `0x1f` and `0b01`, which an identifier character behind them turns into identifiers. Capital letters do so too.
    fn zero_prefixed(&mut self) -> Option<TokenKind> {
        if self.peek(0) != Some(b'0') {
            return None;
        }
        let (length, kind) = match self.peek(1)? {
            b'x' => (self.run(2, |byte| byte.is_ascii_hexdigit()), TokenKind::Hex),
            b'b' => (self.run(2, |byte| matches!(byte, b'0' | b'1')), TokenKind::Bit),
            _ => return None,
        };
        let ends = length > 2 && !self.peek(length).is_some_and(is_identifier_byte);
        ends.then(|| self.take(length, kind))
    }

    /// The length up to the end of the exponent whose `e` stands `at` bytes ahead, if there are digits in it.
    fn exponent(&self, at: usize) -> Option<usize> {
        let sign = usize::from(matches!(self.peek(at + 1), Some(b'+' | b'-')));
        let first = at + 1 + sign;
        let end = self.run(first, |byte| byte.is_ascii_digit());
        (end > first).then_some(end)
    }

    /// How far ahead the bytes from `from` on match.
    pub(super) fn run(&self, from: usize, matches: impl Fn(u8) -> bool) -> usize {
        let rest = self.sql.get(self.pos + from..).unwrap_or_default();
        from + rest.iter().position(|byte| !matches(*byte)).unwrap_or(rest.len())
    }
}
