//! Phrases of several words that sqlparser spells differently, or knows only in part.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token as Sql;

use super::convert::{Converter, identifier, keyword};
use super::words;
use crate::{Token, TokenKind};

impl Converter<'_> {
    /// Converts the phrase that begins here; says whether one does.
    pub(super) fn phrase(&mut self, at: usize, token: Token, text: &str) -> bool {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let behind_dot = at > 0 && self.tokens[at - 1].is_symbol(b'.');
        if behind_dot {
            return false;
        }
        if (is("NEXT") || is("PREVIOUS")) && self.words_at(at + 1, &["VALUE", "FOR"]) {
            self.value_of_sequence(at, token, is("NEXT"));
        } else if is("SOUNDS") && self.words_at(at + 1, &["LIKE"]) && self.follows_operand() {
            self.push(token.span, Sql::CustomBinaryOperator("SOUNDS LIKE".to_owned()));
            self.skip_to = at + 2;
        } else if is("FOR") && self.words_at(at + 1, &["SYSTEM_TIME"]) {
            self.system_time(at, token);
        } else if is("TO") && self.in_period(at) {
            self.push(token.span, keyword("AND", Keyword::AND));
        } else if self.kind_of_time(at, text) {
            // It is left out.
        } else if is("TABLE") && self.tokens.get(at + 1).is_some_and(is_name) {
            self.table(token);
        } else {
            return false;
        }
        true
    }

    pub(super) fn follows_operand(&self) -> bool {
        words::ends_operand(self.out.last().map(|last| &last.token))
    }

    pub(super) fn words_at(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| {
            self.tokens.get(at + ahead).is_some_and(|token| token.is_word(self.sql, word))
        })
    }

    /// `NEXT VALUE FOR s` is `NEXTVAL(s)`, `PREVIOUS VALUE FOR s` is `LASTVAL(s)`.
    fn value_of_sequence(&mut self, at: usize, token: Token, next: bool) {
        let name = if next { "NEXTVAL" } else { "LASTVAL" };
        self.push(token.span, identifier(name.to_owned(), None));
        self.push(token.span, Sql::LParen);
        let mut part = at + 3;
        while self.tokens.get(part).is_some_and(is_name) {
            self.name_part(part);
            let dot = self.tokens.get(part + 1).copied().filter(|dot| dot.is_symbol(b'.'));
            self.skip_to = part + 1;
            let Some(dot) = dot else { break };
            self.push(dot.span, Sql::Period);
            part += 2;
        }
        self.push(token.span, Sql::RParen);
    }

    fn name_part(&mut self, at: usize) {
        let Some(token) = self.tokens.get(at).copied() else { return };
        match token.kind {
            TokenKind::QuotedIdent => self.quoted(token),
            _ => {
                let text = self.text(token.span);
                self.push(token.span, identifier(text, None));
            }
        }
    }

    /// FOR SYSTEM_TIME ALL, FROM … TO … and BETWEEN … AND …, in the form AS OF that sqlparser knows.
    fn system_time(&mut self, at: usize, token: Token) {
        let derived = self.out.last().is_some_and(|last| last.token == Sql::RParen);
        if derived && self.words_at(at + 2, &["ALL"]) {
            self.skip_to = at + 3;
            return;
        }
        for (word, known) in [
            ("FOR", Keyword::FOR),
            ("SYSTEM_TIME", Keyword::SYSTEM_TIME),
            ("AS", Keyword::AS),
            ("OF", Keyword::OF),
        ] {
            self.push(token.span, keyword(word, known));
        }
        if self.words_at(at + 2, &["ALL"]) {
            self.push(token.span, keyword("NULL", Keyword::NULL));
        }
        self.skip_to = if self.words_at(at + 2, &["AS", "OF"]) { at + 4 } else { at + 3 };
    }

    /// Whether a period of SYSTEM_TIME is named close before the token.
    fn in_period(&self, at: usize) -> bool {
        let before = self.tokens.get(at.saturating_sub(24)..at).unwrap_or_default();
        before.iter().any(|token| token.is_word(self.sql, "SYSTEM_TIME"))
    }

    /// TIMESTAMP or TRANSACTION before a point in time that is no literal.
    fn kind_of_time(&self, at: usize, text: &str) -> bool {
        const BEFORE: [&str; 5] = ["OF", "FROM", "TO", "BETWEEN", "AND"];
        let next = self.tokens.get(at + 1);
        let literal = next.is_none_or(|next| next.kind == TokenKind::Text || next.is_symbol(b'('));
        let timestamp = text.eq_ignore_ascii_case("TIMESTAMP") && !literal;
        let follows = at > 0 && BEFORE.iter().any(|word| self.words_at(at - 1, &[word]));
        (timestamp || text.eq_ignore_ascii_case("TRANSACTION")) && follows && self.in_period(at)
    }

    /// `TABLE t` is `SELECT * FROM t`.
    fn table(&mut self, token: Token) {
        self.frame.note(Keyword::SELECT);
        self.push(token.span, keyword("SELECT", Keyword::SELECT));
        self.push(token.span, Sql::Mul);
        self.frame.note(Keyword::FROM);
        self.push(token.span, keyword("FROM", Keyword::FROM));
        self.table_words.push(token.span);
    }

    /// FETCH FIRST 3 ROWS ONLY.
    pub(super) fn fetches(&self, at: usize) -> bool {
        let first = self.words_at(at + 1, &["FIRST"]) || self.words_at(at + 1, &["NEXT"]);
        first && (self.rows_at(at + 2) || self.counts_rows(at + 2))
    }

    /// Whether the word stands behind such a FETCH.
    pub(super) fn fetching(&self, at: usize) -> bool {
        (1..=5).any(|back| {
            at.checked_sub(back).is_some_and(|at| self.words_at(at, &["FETCH"]) && self.fetches(at))
        })
    }

    /// `3 ROWS`.
    pub(super) fn counts_rows(&self, at: usize) -> bool {
        let number = self.tokens.get(at);
        number.is_some_and(|token| matches!(token.kind, TokenKind::Integer | TokenKind::Parameter))
            && self.rows_at(at + 1)
    }

    fn rows_at(&self, at: usize) -> bool {
        self.words_at(at, &["ROW"]) || self.words_at(at, &["ROWS"])
    }

    /// Whether the word stands where a value does: `(IGNORE)`, `, IGNORE)`, `= IGNORE`.
    pub(super) fn is_value(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let behind = self.tokens.get(at + 1);
        let symbol = |token: Option<&Token>, symbols: &[u8]| {
            token.is_some_and(|token| symbols.iter().any(|symbol| token.is_symbol(*symbol)))
        };
        let assigned = symbol(before, b"=")
            && (behind.is_none() || symbol(behind, b",") || self.words_at(at + 1, &["WHERE"]));
        assigned || symbol(before, b"(,") && symbol(behind, b"),")
    }

    /// Whether an operand of ESCAPE begins with the token; a bare word can be a name behind the name `escape`.
    pub(super) fn begins_operand(&self, at: usize) -> bool {
        let literal = |at: usize| self.tokens.get(at).is_some_and(|token| token.kind.is_literal());
        let Some(token) = self.tokens.get(at) else { return false };
        let introduces = token.is_word(self.sql, "DATE") || token.span.of(self.sql).first() == Some(&b'_');
        literal(at) || token.kind == TokenKind::Parameter || introduces && literal(at + 1)
    }

    /// Whether an operand of ESCAPE that is no literal begins with the token: `(…)`, `f(…)`, a variable.
    pub(super) fn computes_operand(&self, at: usize) -> bool {
        let opens = |at: usize| self.tokens.get(at).is_some_and(|token| token.is_symbol(b'('));
        let variable =
            |token: &Token| matches!(token.kind, TokenKind::UserVariable | TokenKind::SystemVariable);
        opens(at)
            || self.tokens.get(at).is_some_and(|token| variable(token) || is_name(token) && opens(at + 1))
    }

    /// Whether the literal is the bound of a window's frame, which sqlparser takes for an interval.
    pub(super) fn bounds_frame(&self, at: usize) -> bool {
        self.words_at(at + 1, &["PRECEDING"]) || self.words_at(at + 1, &["FOLLOWING"])
    }

    /// Whether the `=` stands for AS: `FROM t = u`.
    pub(super) fn names_table(&self, at: usize) -> bool {
        let name = |at: Option<usize>| at.and_then(|at| self.tokens.get(at)).is_some_and(is_name);
        let mut first = at.checked_sub(1);
        if at > 2 && self.tokens[at - 2].is_symbol(b'.') {
            first = Some(at - 3);
        }
        let Some(before) = first.and_then(|first| first.checked_sub(1)) else { return false };
        let behind = ["FROM", "JOIN"].iter().any(|word| self.words_at(before, &[word]));
        behind && self.frame.in_tables && name(first) && name(Some(at + 1))
    }
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent)
}
