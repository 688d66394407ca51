//! FOR UPDATE and LOCK IN SHARE MODE of a gathered statement: the rows are locked while they are read.

use serval_sql::{Token, TokenKind, identifier_value};
use sqlparser::ast::SetExpr;

use super::Gathering;
use crate::statement::Planning;

/// A locking clause of the outermost SELECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// As it stands, without the names.
    text: String,
    /// The names behind OF, in lower case; none for all tables.
    of: Vec<String>,
}

/// Whether rows are locked in a way that cannot be said of each table by itself.
pub(super) fn is_entangled(planning: Planning<'_>, body: &SetExpr, tokens: &[Token]) -> bool {
    let found = starts(planning.sql, tokens);
    !found.is_empty() && (!matches!(body, SetExpr::Select(_)) || found.iter().any(|(_, depth)| *depth > 0))
}

/// Whether any SELECT of the statement locks rows. `tokens` are without comments.
pub(crate) fn is_said(sql: &[u8], tokens: &[Token]) -> bool {
    !starts(sql, tokens).is_empty()
}

/// Where locking clauses begin, and how deep in parentheses.
fn starts(sql: &[u8], tokens: &[Token]) -> Vec<(usize, usize)> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(sql, word));
    let (mut depth, mut found) = (0_usize, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        if token.is_symbol(b'(') {
            depth += 1;
        } else if token.is_symbol(b')') {
            depth = depth.saturating_sub(1);
        }
        let locks = is(at, "FOR") && (is(at + 1, "UPDATE") || is(at + 1, "SHARE"));
        let qualified = at > 0 && tokens[at - 1].is_symbol(b'.');
        if !qualified && (locks || is(at, "LOCK") && is(at + 1, "IN") && is(at + 2, "SHARE")) {
            found.push((at, depth));
        }
    }
    found
}

impl Gathering<'_> {
    /// What follows the SELECT that reads a reference's rows.
    pub(super) fn lock_of(&self, index: usize) -> String {
        let found = &self.analysis.refs[index];
        // A clause speaks of its own SELECT, not of those nested in it.
        let own = self.locks().into_iter().find(|lock| {
            found.block == 0 && (lock.of.is_empty() || lock.of.contains(&found.exposed.to_lowercase()))
        });
        own.map(|lock| format!(" {}", lock.text)).unwrap_or_default()
    }

    /// Whether rows are locked.
    pub(super) fn has_locks(&self) -> bool {
        !starts(self.planning.sql, &self.tokens).is_empty()
    }

    fn locks(&self) -> Vec<Lock> {
        let sql = self.planning.sql;
        let starts: Vec<usize> = starts(sql, &self.tokens).into_iter().map(|(at, _)| at).collect();
        let end = self.tokens.iter().rposition(|token| !token.is_symbol(b';')).map_or(0, |last| last + 1);
        let ends = starts.iter().skip(1).copied().chain(std::iter::once(end));
        starts.iter().copied().zip(ends).map(|(start, end)| self.lock(start, end)).collect()
    }

    fn lock(&self, start: usize, end: usize) -> Lock {
        let sql = self.planning.sql;
        let (mut words, mut of, mut names) = (Vec::new(), Vec::new(), false);
        for token in self.tokens.get(start..end).unwrap_or_default() {
            let text = token.span.of(sql);
            let ends_names = ["NOWAIT", "SKIP", "LOCKED", "WAIT"].iter().any(|word| token.is_word(sql, word));
            match token.kind {
                _ if token.is_word(sql, "OF") => names = true,
                TokenKind::Word | TokenKind::QuotedIdent if names && !ends_names => {
                    of.push(String::from_utf8_lossy(&identifier_value(text)).to_lowercase());
                }
                _ if token.is_symbol(b',') => {}
                _ => words.push(String::from_utf8_lossy(text).into_owned()),
            }
        }
        Lock { text: words.join(" "), of }
    }
}
