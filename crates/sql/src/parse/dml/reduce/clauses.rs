//! Words of clauses that sqlparser does not know.

use super::Reducer;
use crate::parse::ParseError;
use crate::parse::dml::Modifier;
use crate::{Token, TokenKind};

/// Words behind which no key of GROUP BY stands.
const BEHIND_GROUPS: [&str; 10] =
    ["HAVING", "WINDOW", "ORDER", "LIMIT", "INTO", "FOR", "UNION", "EXCEPT", "INTERSECT", "WITH"];

impl Reducer<'_> {
    /// Takes off the word, with what belongs to it, if sqlparser does not know it; says whether it did.
    pub(super) fn clause_word(&mut self, token: Token, word: &str) -> Result<bool, ParseError> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if is("GROUP") && self.next_words(&["GROUP", "BY"]) {
            self.paren.grouping = true;
        } else if BEHIND_GROUPS.iter().any(|end| is(end)) {
            self.paren.grouping = false;
        } else if (is("ASC") || is("DESC")) && self.paren.grouping {
            self.note(Modifier::GroupDirection, token, 1);
            return Ok(true);
        } else if self.next_words(&["ROWS", "EXAMINED"]) {
            self.rows_examined(token);
            return Ok(true);
        } else if is("CYCLE") && self.cycle()
            || is("EXCLUDE") && self.frame_exclusion()
            || self.index_hint()
            || self.window_default()
        {
            return Ok(true);
        }
        if is("WHERE") || is("RETURNING") {
            self.conditions |= self.outer.is_empty();
        }
        self.refused(token, word)?;
        Ok(false)
    }

    fn note(&mut self, modifier: Modifier, first: Token, tokens: usize) {
        let last = self.peek(tokens - 1).copied().unwrap_or(first);
        self.reduced.modifiers.push((modifier, first.span.to(last.span)));
        self.at += tokens;
    }

    /// LIMIT … ROWS EXAMINED n; the LIMIT may have no other number.
    fn rows_examined(&mut self, token: Token) {
        self.note(Modifier::RowsExamined, token, 3);
        let last = self.reduced.tokens.last();
        if last.is_some_and(|last| last.is_word(self.sql.as_bytes(), "LIMIT")) {
            self.reduced.tokens.pop();
        }
    }

    /// CYCLE a, b RESTRICT behind a common table expression of MariaDB.
    fn cycle(&mut self) -> bool {
        let behind = self.reduced.tokens.last().is_some_and(|last| last.is_symbol(b')'));
        let name = |token: &Token| {
            matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) || token.is_symbol(b',')
        };
        let sql = self.sql.as_bytes();
        let rest = self.tokens.iter().skip(self.at);
        let words = rest.take_while(|token| name(token) && !token.is_word(sql, "RESTRICT")).count();
        let restricts = self.peek(words).is_some_and(|last| last.is_word(sql, "RESTRICT"));
        if behind && restricts {
            self.at += words + 1;
        }
        behind && restricts
    }

    /// EXCLUDE behind the frame of a window, which no server supports yet: each says so in its own words.
    fn frame_exclusion(&mut self) -> bool {
        const LASTS: [&str; 3] = ["ROW", "PRECEDING", "FOLLOWING"];
        let framed = self
            .reduced
            .tokens
            .last()
            .is_some_and(|last| LASTS.iter().any(|word| last.is_word(self.sql.as_bytes(), word)));
        let words = match () {
            () if self.next_words(&["EXCLUDE", "CURRENT", "ROW"]) => 3,
            () if self.next_words(&["EXCLUDE", "NO", "OTHERS"]) => 3,
            () if self.next_words(&["EXCLUDE", "TIES"]) || self.next_words(&["EXCLUDE", "GROUP"]) => 2,
            () => return false,
        };
        if framed {
            self.at += words;
        }
        framed
    }

    /// USE INDEX FOR JOIN (a, b): which rows there are does not depend on it.
    fn index_hint(&mut self) -> bool {
        let hints = ["USE", "FORCE", "IGNORE"];
        if !hints.iter().any(|hint| self.next_words(&[hint, "INDEX"]) || self.next_words(&[hint, "KEY"])) {
            return false;
        }
        let sql = self.sql.as_bytes();
        let purposes = ["FOR", "JOIN", "ORDER", "GROUP", "BY"];
        let is_purpose = |token: &&Token| purposes.iter().any(|word| token.is_word(sql, word));
        let words = 2 + self.tokens.iter().skip(self.at + 2).take_while(is_purpose).count();
        let opens = self.peek(words).is_some_and(|next| next.is_symbol(b'('));
        let listed =
            self.tokens.iter().skip(self.at + words).take_while(|token| !token.is_symbol(b')')).count();
        if opens {
            self.at += words + listed + 1;
        }
        opens
    }

    /// `FROM FIRST` and `RESPECT NULLS` behind a window function, which are what it does anyway.
    fn window_default(&mut self) -> bool {
        let called = self.reduced.tokens.last().is_some_and(|last| last.is_symbol(b')'));
        let first =
            self.next_words(&["FROM", "FIRST", "RESPECT"]) || self.next_words(&["FROM", "FIRST", "OVER"]);
        let found = called && (self.next_words(&["RESPECT", "NULLS", "OVER"]) || first);
        if found {
            self.at += 2;
        }
        found
    }

    /// FOR UPDATE OF a, b: sqlparser knows one table.
    pub(super) fn locked_tables(&mut self, of: Token) {
        self.keep(of);
        self.name();
        while self.peek(0).is_some_and(|next| next.is_symbol(b',')) {
            self.at += 1;
            let kept = self.reduced.tokens.len();
            self.name();
            self.reduced.tokens.truncate(kept);
        }
    }

    fn name(&mut self) {
        for _ in 0..2 {
            let Some(part) = self.peek(0).copied() else { return };
            self.keep(part);
            let Some(dot) = self.peek(0).copied().filter(|next| next.is_symbol(b'.')) else { return };
            self.keep(dot);
        }
    }

    /// What says something of one server, or writes rows of its own accord.
    fn refused(&self, token: Token, word: &str) -> Result<(), ParseError> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let message = if is("PROCEDURE") && self.peek(2).is_some_and(|next| next.is_symbol(b'(')) {
            "PROCEDURE ANALYSE() describes the rows that one server reads and is refused; use MIN, MAX and AVG of \
             LENGTH(column)"
        } else if self.next_words(&["FOR", "PORTION", "OF"]) {
            "FOR PORTION OF a period is refused; UPDATE or DELETE the rows and INSERT what is left of them"
        } else if self.verb == Some("DELETE") && self.next_words(&["BEFORE", "SYSTEM_TIME"]) {
            "DELETE HISTORY is refused; run it on each server"
        } else {
            return Ok(());
        };
        Err(ParseError::refused(self.sql, token.span.start, message))
    }
}
