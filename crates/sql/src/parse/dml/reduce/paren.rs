//! The parentheses and braces that a token stands in.

use super::Reducer;
use crate::parse::dml::{keywords, words};
use crate::{Span, Token, TokenKind};

/// What stands in a parenthesis.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paren {
    /// The word before it, where that can name a function and no query stands inside.
    pub(super) function: Option<Span>,
    /// Behind GROUP BY, where MariaDB takes ASC and DESC.
    pub(super) grouping: bool,
    /// It is `{fn` or `{oj`, for which parentheses stand.
    brace: bool,
    /// Nothing but parentheses stands before it.
    leads: bool,
}

impl Reducer<'_> {
    pub(super) fn symbol(&mut self, token: Token, symbol: u8) {
        match symbol {
            b'(' => self.open(token),
            b')' => self.close(token),
            b'{' if self.next_is_brace_word() => self.open_brace(token),
            b'}' if self.paren.brace => self.close(Token { kind: TokenKind::Symbol(b')'), ..token }),
            b'.' if self.is_target_wildcard() => self.at += 2,
            _ => self.keep(token),
        }
    }

    fn open(&mut self, token: Token) {
        let before = self.reduced.tokens.last().filter(|last| last.kind == TokenKind::Word);
        let function = before.filter(|_| !self.query_follows()).map(|word| word.span);
        let function = function.filter(|word| is_function(word.text(self.sql)));
        let leads = match self.reduced.tokens.last() {
            Some(last) => self.paren.leads && last.is_symbol(b'('),
            None => true,
        };
        self.keep(token);
        let inner = Paren { function, leads, ..Paren::default() };
        self.outer.push(std::mem::replace(&mut self.paren, inner));
    }

    /// Whether this is inside of a query that is part of another.
    pub(super) fn is_nested(&self) -> bool {
        !self.outer.is_empty() && !self.paren.leads
    }

    fn close(&mut self, token: Token) {
        self.keep(token);
        self.paren = self.outer.pop().unwrap_or_default();
    }

    /// `{fn f(x)}` is `(f(x))`, `{oj a LEFT JOIN b ON …}` is `(a LEFT JOIN b ON …)`, and `{date '…'}` is `(date '…')`.
    fn open_brace(&mut self, token: Token) {
        self.keep(Token { kind: TokenKind::Symbol(b'('), ..token });
        self.at += usize::from(self.is_one_of(0, &["FN", "OJ"]));
        let inner = Paren { brace: true, ..Paren::default() };
        self.outer.push(std::mem::replace(&mut self.paren, inner));
    }

    fn next_is_brace_word(&self) -> bool {
        let literal = self.peek(2).is_some_and(|token| token.kind == TokenKind::Text);
        self.is_one_of(1, &["FN", "OJ"]) || literal && self.is_one_of(1, &["DATE", "TIME", "TIMESTAMP"])
    }

    fn is_one_of(&self, ahead: usize, words: &[&str]) -> bool {
        let token = self.peek(ahead);
        words.iter().any(|word| token.is_some_and(|token| token.is_word(self.sql.as_bytes(), word)))
    }

    fn query_follows(&self) -> bool {
        let first = self.tokens.iter().skip(self.at).find(|token| !token.is_symbol(b'('));
        let sql = self.sql.as_bytes();
        first.is_some_and(|first| QUERIES.iter().any(|word| first.is_word(sql, word)))
    }
}

const QUERIES: [&str; 4] = ["SELECT", "WITH", "VALUES", "TABLE"];

/// Whether the word before a parenthesis can be a function without words among its arguments that sqlparser knows.
fn is_function(word: &str) -> bool {
    let keyword = words::lookup(word);
    !keywords::is_special_function(keyword)
        && (!keywords::is_mysql(keyword) || keywords::is_function_before_parenthesis(keyword))
}
