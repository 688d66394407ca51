//! Where a statement calls the functions of named locks.

use serval_sql::{LexOptions, Span, Token, TokenKind, closing, is_call, tokens};

use crate::words::contains_word;

/// The functions.
const FUNCTIONS: [&str; 5] =
    ["GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "IS_FREE_LOCK", "IS_USED_LOCK"];

/// Whether one of the functions is named; `key` is a statement's, so what stands in strings does not count.
pub(crate) fn are_mentioned(key: &[u8]) -> bool {
    // A quick look: all of them have this in their names.
    const COMMON: &[u8] = b"_LOCK";
    contains_word(key, COMMON) && FUNCTIONS.iter().any(|function| contains_word(key, function.as_bytes()))
}

/// A statement's calls.
pub(super) struct Calls {
    sql: Vec<u8>,
    /// Without comments.
    pub(super) tokens: Vec<Token>,
    calls: Vec<Call>,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    function: &'static str,
    /// The index of its name.
    pub(super) first: usize,
    /// The index of its closing parenthesis.
    pub(super) last: usize,
    /// From the one to the other.
    pub(super) whole: Span,
}

/// The first argument of a call.
pub(super) enum Argument {
    /// The string that stands here.
    Literal(Span),
    /// The parameter of this number in the text.
    Parameter(usize),
    /// Anything else, or nothing.
    Other,
}

impl Calls {
    /// All calls in order; `None` where the text cannot be read or has none.
    pub(super) fn find(sql: &[u8], options: LexOptions) -> Option<Self> {
        let mut tokens = tokens(sql, options).ok()?;
        tokens.retain(|token| !token.kind.is_comment());
        let mut calls = Vec::new();
        for first in 0..tokens.len() {
            let called = FUNCTIONS.iter().find(|function| is_call(sql, &tokens, first, function));
            let Some(function) = called else { continue };
            let Some(last) = closing(&tokens, first + 1) else { continue };
            let whole = tokens[first].span.to(tokens[last].span);
            calls.push(Call { function, first, last, whole });
        }
        (!calls.is_empty()).then(|| Self { sql: sql.to_vec(), tokens, calls })
    }

    /// The calls of one function.
    pub(super) fn of(&self, function: &str) -> impl Iterator<Item = Call> {
        self.calls.iter().copied().filter(move |call| call.function == function)
    }

    /// The first argument of each call of a function.
    pub(super) fn arguments(&self, function: &str) -> impl Iterator<Item = Argument> {
        self.of(function).map(|call| self.argument(&call))
    }

    /// Whether the statement is RELEASE_ALL_LOCKS(), and nothing that may keep it from being called.
    pub(super) fn releases_all(&self) -> bool {
        let [Call { function: "RELEASE_ALL_LOCKS", first: 1, last, .. }] = &*self.calls else { return false };
        let begins = ["SELECT", "DO"].iter().any(|word| self.tokens[0].is_word(&self.sql, word));
        begins && self.tokens[last + 1..].iter().all(|token| token.is_symbol(b';'))
    }

    /// A call's only argument where it says the same to every connection of the session.
    pub(super) fn constant(&self, call: &Call) -> Option<&str> {
        let inner = self.tokens.get(call.first + 2..call.last)?;
        let [token] = inner else { return None };
        let is_constant = matches!(token.kind, TokenKind::Text | TokenKind::UserVariable);
        self.text(token.span).filter(|_| is_constant)
    }

    fn argument(&self, call: &Call) -> Argument {
        let inner = self.tokens.get(call.first + 2..call.last).unwrap_or_default();
        let alone = |token: &Token| {
            let end = inner.get(1);
            end.is_none_or(|end| end.is_symbol(b',')) && inner.first() == Some(token)
        };
        let Some(first) = inner.first().filter(|first| alone(first)) else { return Argument::Other };
        match first.kind {
            TokenKind::Text => Argument::Literal(first.span),
            TokenKind::Parameter => {
                let before = self.tokens.iter().take_while(|token| token.span.start < first.span.start);
                Argument::Parameter(before.filter(|token| token.kind == TokenKind::Parameter).count())
            }
            _ => Argument::Other,
        }
    }

    fn text(&self, span: Span) -> Option<&str> {
        std::str::from_utf8(span.of(&self.sql)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        let calls = Calls::find(sql.as_bytes(), LexOptions::default()).expect("calls");
        let show = |argument| match argument {
            Argument::Literal(text) => text.text(sql).to_owned(),
            Argument::Parameter(position) => format!("?{position}"),
            Argument::Other => "other".to_owned(),
        };
        calls.arguments("GET_LOCK").map(show).collect()
    }

    #[test]
    fn the_quick_look_sees_all_of_them() {
        for function in FUNCTIONS {
            assert!(are_mentioned(format!("select {}(?)", function.to_lowercase()).as_bytes()), "{function}");
        }
        assert!(!are_mentioned(b"SELECT row_locked, my_lock FROM t"));
        assert!(!are_mentioned(b"_LOCK"));
    }

    #[test]
    fn only_a_statement_of_its_own_surely_releases_all() {
        let releases = |sql: &str| {
            Calls::find(sql.as_bytes(), LexOptions::default()).is_some_and(|calls| calls.releases_all())
        };
        assert!(releases("SELECT release_all_locks()") && releases("do /* all */ RELEASE_ALL_LOCKS ( );"));
        for sql in [
            "SELECT IF(0, RELEASE_ALL_LOCKS(), 1)",
            "SELECT RELEASE_ALL_LOCKS(), GET_LOCK(CONCAT('a', 'b'), 0)",
            "SELECT RELEASE_ALL_LOCKS() FROM t WHERE 0",
            "SELECT RELEASE_ALL_LOCKS() LIMIT 0",
        ] {
            assert!(!releases(sql), "{sql}");
        }
    }

    #[test]
    fn names_are_literals_parameters_or_unknown() {
        assert_eq!(
            names("SELECT GET_LOCK('a', 1), get_lock ( ? , ?), GET_LOCK(CONCAT('a', 'b'), 1)"),
            ["'a'", "?0", "other"]
        );
        assert_eq!(names("SELECT ?, GET_LOCK(?, 1)"), ["?1"]);
        assert_eq!(names("SELECT GET_LOCK('a' 'b', 1), GET_LOCK('a' + 1, 1)"), ["'a' 'b'", "other"]);
    }
}
