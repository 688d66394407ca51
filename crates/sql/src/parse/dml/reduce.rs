//! Takes off the tokens that sqlparser does not know.

mod calls;
mod clauses;
mod paren;
mod targets;

use paren::Paren;

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
    let outermost = Paren::default();
    let mut reducer = Reducer {
        sql,
        tokens,
        at: 0,
        reduced,
        paren: outermost,
        outer: Vec::new(),
        verb: None,
        conditions: false,
    };
    while reducer.at < reducer.tokens.len() {
        reducer.step()?;
    }
    reducer.returning_first();
    Ok(reducer.reduced)
}

struct Reducer<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
    reduced: Reduced,
    /// The innermost open parenthesis.
    paren: Paren,
    /// Those around it.
    outer: Vec<Paren>,
    /// Which of [`VERBS`] the statement is, once that is read.
    verb: Option<&'static str>,
    /// The statement's own WHERE or RETURNING is read.
    conditions: bool,
}

/// What a statement does; a WITH may stand before it.
const VERBS: [&str; 5] = ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE"];

impl Reducer<'_> {
    fn step(&mut self) -> Result<(), ParseError> {
        let Some(token) = self.tokens.get(self.at).copied() else { return Ok(()) };
        match token.kind {
            TokenKind::Word if !self.follows_dot() => return self.word(token),
            TokenKind::Symbol(symbol) => self.symbol(token, symbol),
            _ => self.keep(token),
        }
        Ok(())
    }

    fn word(&mut self, token: Token) -> Result<(), ParseError> {
        let word = token.span.text(self.sql);
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if self.begins(word) {
            self.keep(token);
            self.modifiers(if is("SELECT") { &SELECT_MODIFIERS } else { &ROW_MODIFIERS })?;
        } else if is("SELECT") {
            self.keep(token);
            self.paren.grouping = false;
            self.modifiers(&SELECT_MODIFIERS)?;
        } else if is("LOCK") && self.next_words(&["LOCK", "IN", "SHARE", "MODE"]) {
            self.lock_in_share_mode();
        } else if is("WAIT") && self.locks_before() {
            // MariaDB's FOR UPDATE WAIT n.
            self.at += 2;
        } else if is("OF") && self.locks_before() {
            self.locked_tables(token);
        } else if is("PARTITION") && self.inserts() {
            self.partitions();
        } else if is("INTO") {
            self.into(token)?;
        } else if !self.call_word(word) && !self.clause_word(token, word)? {
            self.keep(token);
        }
        Ok(())
    }

    /// Whether the word is the statement's verb.
    fn begins(&mut self, word: &str) -> bool {
        if self.verb.is_some() || !self.outer.is_empty() {
            return false;
        }
        self.verb = VERBS.into_iter().find(|verb| word.eq_ignore_ascii_case(verb));
        self.verb.is_some()
    }

    fn keep(&mut self, token: Token) {
        self.reduced.tokens.push(token);
        self.at += 1;
    }

    /// The token `ahead` of this one.
    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
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
    fn modifiers(&mut self, known: &[(&str, Modifier)]) -> Result<(), ParseError> {
        let mut distinct = None;
        while let Some(token) = self.tokens.get(self.at).copied() {
            let word = if token.kind == TokenKind::Word { token.span.text(self.sql) } else { break };
            if is_one_of(word, &["ALL", "DISTINCT", "DISTINCTROW"]) {
                let is_distinct = !word.eq_ignore_ascii_case("ALL");
                match distinct.replace(is_distinct) {
                    None => self.keep(token),
                    // Servers take either as often as it is written.
                    Some(before) if before == is_distinct => self.at += 1,
                    Some(_) => return Err(ParseError::usage(self.sql, token.span.start, "ALL and DISTINCT")),
                }
                continue;
            }
            let Some((_, modifier)) = known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) else {
                break;
            };
            // IGNORE of an INSERT is in the tree too.
            self.reduced.modifiers.push((*modifier, token.span));
            self.at += 1;
        }
        Ok(())
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
        if self.is_nested() {
            // Servers take it from the outermost query only.
            return Err(ParseError::at(self.sql, into.span.start));
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
