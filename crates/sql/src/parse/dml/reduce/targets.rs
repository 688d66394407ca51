//! The targets and the RETURNING of a DELETE.

use super::Reducer;
use crate::{Token, TokenKind};

impl Reducer<'_> {
    /// `DELETE a.*, b.* FROM`: the wildcards say nothing.
    pub(super) fn is_target_wildcard(&self) -> bool {
        let in_targets = self.verb == Some("DELETE") && self.outer.is_empty() && !self.conditions;
        let ends = self.peek(2).is_some_and(|next| {
            let sql = self.sql.as_bytes();
            next.is_symbol(b',') || next.is_word(sql, "FROM") || next.is_word(sql, "USING")
        });
        in_targets && ends && self.peek(1).is_some_and(|next| next.is_symbol(b'*'))
    }

    /// sqlparser reads RETURNING before ORDER BY and LIMIT, MariaDB behind them.
    pub(super) fn returning_first(&mut self) {
        if self.verb != Some("DELETE") {
            return;
        }
        let sql = self.sql.as_bytes();
        let outside = outside(&self.reduced.tokens);
        let find = |words: &[&str]| {
            let is = |at: &usize| words.iter().any(|word| self.reduced.tokens[*at].is_word(sql, word));
            outside.iter().copied().find(is)
        };
        if let (Some(sort), Some(returning)) = (find(&["ORDER", "LIMIT"]), find(&["RETURNING"]))
            && sort < returning
        {
            let behind = self.reduced.tokens.len() - returning;
            self.reduced.tokens[sort..].rotate_right(behind);
        }
    }
}

/// The places of the tokens that stand in no parentheses and behind no dot.
fn outside(tokens: &[Token]) -> Vec<usize> {
    let (mut places, mut depth) = (Vec::new(), 0_u32);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ if depth == 0 && !(at > 0 && tokens[at - 1].is_symbol(b'.')) => places.push(at),
            _ => {}
        }
    }
    places
}
