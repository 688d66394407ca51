//! Takes off the tokens that sqlparser does not know.

use super::Modifier;
use crate::parse::ParseError;
use crate::{Span, Token, TokenKind};

/// A statement's tokens without those, and what they said.
pub(super) struct Reduced {
    pub(super) tokens: Vec<Token>,
    pub(super) modifiers: Vec<(Modifier, Span)>,
    pub(super) lock: Option<Span>,
    pub(super) into_variables: Option<Span>,
}

pub(super) fn reduce(sql: &str, tokens: Vec<Token>) -> Result<Reduced, ParseError> {
    let reduced = Reduced {
        tokens: Vec::with_capacity(tokens.len()),
        modifiers: Vec::new(),
        lock: None,
        into_variables: None,
    };
    let mut reducer = Reducer { sql, tokens, at: 0, reduced };
    while reducer.at < reducer.tokens.len() {
        reducer.step()?;
    }
    Ok(reducer.reduced)
}

struct Reducer<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
    reduced: Reduced,
}

impl Reducer<'_> {
    fn step(&mut self) -> Result<(), ParseError> {
        let Some(token) = self.tokens.get(self.at).copied() else { return Ok(()) };
        if token.kind != TokenKind::Word || self.follows_dot() {
            self.keep(token);
            return Ok(());
        }
        let word = token.span.text(self.sql);
        if word.eq_ignore_ascii_case("SELECT") {
            self.keep(token);
            self.modifiers(&SELECT_MODIFIERS);
        } else if self.reduced.tokens.is_empty()
            && is_one_of(word, &["INSERT", "REPLACE", "UPDATE", "DELETE"])
        {
            self.keep(token);
            self.modifiers(&ROW_MODIFIERS);
        } else if word.eq_ignore_ascii_case("LOCK") && self.next_words(&["LOCK", "IN", "SHARE", "MODE"]) {
            self.lock_in_share_mode();
        } else if self.next_words(&["WAIT"]) && self.locks_before() {
            // MariaDB's FOR UPDATE WAIT n.
            self.at += 2;
        } else if word.eq_ignore_ascii_case("PARTITION") && self.inserts() {
            self.partitions();
        } else if word.eq_ignore_ascii_case("INTO") {
            self.into(token)?;
        } else {
            self.keep(token);
        }
        Ok(())
    }

    fn keep(&mut self, token: Token) {
        self.reduced.tokens.push(token);
        self.at += 1;
    }

    fn follows_dot(&self) -> bool {
        self.reduced.tokens.last().is_some_and(|last| last.is_symbol(b'.'))
    }

    fn next_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| {
            self.tokens.get(self.at + ahead).is_some_and(|token| token.is_word(self.sql.as_bytes(), word))
        })
    }

    /// Takes off the modifiers that stand here; ALL and DISTINCT may stand among those of SELECT, and stay.
    fn modifiers(&mut self, known: &[(&str, Modifier)]) {
        while let Some(token) = self.tokens.get(self.at).copied() {
            let word = if token.kind == TokenKind::Word { token.span.text(self.sql) } else { return };
            if is_one_of(word, &["ALL", "DISTINCT", "DISTINCTROW"]) {
                self.keep(token);
                continue;
            }
            let Some((_, modifier)) = known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) else {
                return;
            };
            // IGNORE of an INSERT is in the tree too.
            self.reduced.modifiers.push((*modifier, token.span));
            self.at += 1;
        }
    }

    /// Behind INSERT INTO t.
    fn inserts(&self) -> bool {
        let inserts = self.reduced.tokens.first().is_some_and(|first| {
            first.is_word(self.sql.as_bytes(), "INSERT") || first.is_word(self.sql.as_bytes(), "REPLACE")
        });
        let table_only = self.reduced.tokens.len() <= 5;
        let opens = self.tokens.get(self.at + 1).is_some_and(|next| next.is_symbol(b'('));
        inserts && table_only && opens
    }

    /// INSERT INTO t PARTITION (p) only checks where rows go.
    fn partitions(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            if token.is_symbol(b')') {
                return;
            }
        }
    }

    fn lock_in_share_mode(&mut self) {
        let first = self.tokens.get(self.at).map(|token| token.span).unwrap_or_default();
        self.at += 4;
        if self.next_words(&["SKIP", "LOCKED"]) || self.next_words(&["WAIT"]) {
            self.at += 2;
        } else if self.next_words(&["NOWAIT"]) {
            self.at += 1;
        }
        let last = self.tokens.get(self.at - 1).map(|token| token.span).unwrap_or(first);
        self.reduced.lock = Some(first.to(last));
    }

    fn locks_before(&self) -> bool {
        let mut words = self.reduced.tokens.iter().rev().take(2);
        let last = words.next().is_some_and(|token| {
            token.is_word(self.sql.as_bytes(), "UPDATE") || token.is_word(self.sql.as_bytes(), "SHARE")
        });
        last && words.next().is_some_and(|token| token.is_word(self.sql.as_bytes(), "FOR"))
    }

    /// INTO of a query writes variables or a file; INTO of an INSERT names its table and stays.
    fn into(&mut self, into: Token) -> Result<(), ParseError> {
        if ["OUTFILE", "DUMPFILE"].iter().any(|file| self.next_words(&["INTO", file])) {
            let message = "SELECT ... INTO OUTFILE and INTO DUMPFILE write on a server behind Serval and are refused; \
                           write the rows on the client";
            return Err(ParseError::refused(self.sql, into.span.start, message));
        }
        let variable =
            |token: Option<&Token>| token.is_some_and(|token| token.kind == TokenKind::UserVariable);
        if !variable(self.tokens.get(self.at + 1)) {
            self.keep(into);
            return Ok(());
        }
        let mut end = self.at + 2;
        while self.tokens.get(end).is_some_and(|token| token.is_symbol(b','))
            && variable(self.tokens.get(end + 1))
        {
            end += 2;
        }
        let last = self.tokens.get(end - 1).map_or(into.span, |token| token.span);
        self.reduced.into_variables = Some(into.span.to(last));
        self.at = end;
        Ok(())
    }
}

const SELECT_MODIFIERS: [(&str, Modifier); 8] = [
    ("SQL_CALC_FOUND_ROWS", Modifier::CalcFoundRows),
    ("HIGH_PRIORITY", Modifier::Other),
    ("STRAIGHT_JOIN", Modifier::Other),
    ("SQL_SMALL_RESULT", Modifier::Other),
    ("SQL_BIG_RESULT", Modifier::Other),
    ("SQL_BUFFER_RESULT", Modifier::Other),
    ("SQL_NO_CACHE", Modifier::Other),
    ("SQL_CACHE", Modifier::Other),
];

const ROW_MODIFIERS: [(&str, Modifier); 5] = [
    ("IGNORE", Modifier::Ignore),
    ("DELAYED", Modifier::Delayed),
    ("LOW_PRIORITY", Modifier::Other),
    ("HIGH_PRIORITY", Modifier::Other),
    ("QUICK", Modifier::Other),
];

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| word.eq_ignore_ascii_case(one))
}
