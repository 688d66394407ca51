//! `@user` and `@@system` variables.

use super::{LexError, Lexer, is_identifier_byte};
use crate::TokenKind;

impl Lexer<'_> {
    pub(super) fn variable(&mut self) -> Result<TokenKind, LexError> {
        if self.peek(1) == Some(b'@') {
            self.pos += 2;
            self.system_variable()?;
            return Ok(TokenKind::SystemVariable);
        }
        self.pos += 1;
        match self.peek(0) {
            Some(quote @ b'\'') => self.string(quote)?,
            Some(quote @ b'"') if !self.options.ansi_quotes => self.string(quote)?,
            Some(quote @ (b'"' | b'`')) => drop(self.quoted_identifier(quote)?),
            // A dot belongs to the name: `@a.b` is one variable. So does nothing at all: `@` is a variable too.
            _ => self.pos += self.run(0, |byte| byte == b'.' || is_identifier_byte(byte)),
        }
        Ok(TokenKind::UserVariable)
    }

    fn system_variable(&mut self) -> Result<(), LexError> {
        loop {
            match self.peek(0) {
                Some(quote @ b'`') => drop(self.quoted_identifier(quote)?),
                _ => self.pos += self.run(0, is_identifier_byte),
            }
            let goes_on = self.peek(0) == Some(b'.')
                && self.peek(1).is_some_and(|next| next == b'`' || is_identifier_byte(next));
            if !goes_on {
                return Ok(());
            }
            self.pos += 1;
        }
    }
}
