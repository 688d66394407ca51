//! Where the clauses of a statement stand in its text.

use serval_sql::{LexOptions, Span, Token, TokenKind, identifier_value, tokens};

/// A statement's tokens without its comments.
pub(in crate::statement) struct Clauses<'a> {
    pub(in crate::statement) sql: &'a [u8],
    pub(in crate::statement) tokens: Vec<Token>,
}

impl<'a> Clauses<'a> {
    /// Those of a text; `None` where user variables are assigned in it, which counts rows as they come, or where
    /// comments decide what is read.
    pub(in crate::statement) fn of(sql: &'a [u8], options: LexOptions) -> Option<Self> {
        let mut tokens = tokens(sql, options).ok()?;
        tokens.retain(|token| !token.kind.is_comment());
        while tokens.last().is_some_and(|token| token.is_symbol(b';')) {
            tokens.pop();
        }
        let assigns = |token: &Token| {
            token.kind == TokenKind::VersionComment
                || token.kind == TokenKind::Operator && token.span.of(sql) == b":="
        };
        (!tokens.iter().any(assigns)).then_some(Self { sql, tokens })
    }

    /// Whether this token is one of these words, and no part of a qualified name.
    pub(in crate::statement) fn is_word(&self, at: usize, words: &[&str]) -> bool {
        let follows_dot = at > 0 && self.tokens[at - 1].is_symbol(b'.');
        let token = self.tokens.get(at);
        !follows_dot && token.is_some_and(|token| words.iter().any(|word| token.is_word(self.sql, word)))
    }

    /// Whether a function of this name is called here, in quotes or not.
    pub(in crate::statement) fn is_called(&self, at: usize, function: &str) -> bool {
        serval_sql::is_call(self.sql, &self.tokens, at, function)
    }

    pub(in crate::statement) fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_symbol(symbol))
    }

    /// Passes over words.
    pub(in crate::statement) fn skip(&self, mut at: usize, words: &[&str]) -> usize {
        while self.is_word(at, words) {
            at += 1;
        }
        at
    }

    /// The first of these words from `from` on that stands in no parentheses; the end where there is none.
    pub(in crate::statement) fn find(&self, from: usize, words: &[&str]) -> usize {
        self.outside(from).find(|at| self.is_word(*at, words)).unwrap_or(self.tokens.len())
    }

    /// The tokens from `from` on that stand in no parentheses, up to one that closes what is not open.
    pub(in crate::statement) fn outside(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        let mut depth = 0_usize;
        (from..self.tokens.len())
            .map_while(move |at| {
                if self.is_symbol(at, b')') {
                    depth = depth.checked_sub(1)?;
                    return Some(None);
                }
                let outside = (depth == 0).then_some(at);
                if self.is_symbol(at, b'(') {
                    depth += 1;
                }
                Some(outside)
            })
            .flatten()
    }

    /// The parenthesis that closes the one at `open`.
    pub(in crate::statement) fn closing(&self, open: usize) -> Option<usize> {
        serval_sql::closing(&self.tokens, open)
    }

    /// The parts between commas of the tokens `from..to`.
    pub(in crate::statement) fn items(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut items = Vec::new();
        let mut start = from;
        for at in self.outside(from).take_while(|at| *at < to) {
            if self.is_symbol(at, b',') {
                items.push((start, at));
                start = at + 1;
            }
        }
        if start < to || !items.is_empty() {
            items.push((start, to));
        }
        items
    }

    /// Whether a word stands anywhere among the tokens `from..to`.
    pub(in crate::statement) fn contains(&self, from: usize, to: usize, words: &[&str]) -> bool {
        (from..to).any(|at| self.is_word(at, words))
    }

    /// The text of the tokens `from..to`, with comments between them.
    pub(in crate::statement) fn text(&self, from: usize, to: usize) -> &'a [u8] {
        self.span(from, to).map_or(b"", |span| span.of(self.sql))
    }

    /// Where the tokens `from..to` stand.
    pub(in crate::statement) fn span(&self, from: usize, to: usize) -> Option<Span> {
        (from < to && to <= self.tokens.len()).then(|| self.tokens[from].span.to(self.tokens[to - 1].span))
    }

    /// Whether a token can be a name.
    pub(in crate::statement) fn is_name(&self, at: usize) -> bool {
        let kind = self.tokens.get(at).map(|token| token.kind);
        matches!(kind, Some(TokenKind::Word | TokenKind::QuotedIdent))
    }

    /// A name without its quotes.
    pub(in crate::statement) fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at).filter(|_| self.is_name(at))?;
        String::from_utf8(identifier_value(token.span.of(self.sql)).to_vec()).ok()
    }

    /// `name` or `schema.name` at `at`, and where it ends.
    pub(in crate::statement) fn table(&self, at: usize) -> Option<(TableName, usize)> {
        let first = self.name(at)?;
        if !self.is_symbol(at + 1, b'.') {
            return Some((TableName { schema: None, name: first }, at + 1));
        }
        Some((TableName { schema: Some(first), name: self.name(at + 2)? }, at + 3))
    }
}

/// A table as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::statement) struct TableName {
    pub(in crate::statement) schema: Option<String>,
    pub(in crate::statement) name: String,
}

impl TableName {
    pub(in crate::statement) fn parts(&self) -> (Option<&str>, &str) {
        (self.schema.as_deref(), &self.name)
    }
}
