//! Where the clauses of a SELECT lie in its text.
//!
//! Rewrites splice the client's own text, so they need to know where the select list ends and what an ORDER BY item
//! covers, in bytes. The parser's spans do not say that exactly; tokens at parenthesis depth 0 do.

use serval_sql::{LexOptions, Span, Token, TokenKind, is_interval_unit, tokens};

/// The places of one SELECT that is not in parentheses and has no set operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clauses {
    /// The expression of each select item, without its alias.
    pub(crate) items: Vec<Span>,
    /// Whether each of them has an alias.
    pub(crate) named: Vec<bool>,
    /// Just behind the last select item: where hidden columns are added.
    pub(crate) items_end: u32,
    /// `WHERE …`, keyword included.
    pub(crate) selection: Option<Span>,
    /// `FROM …` with its joins, keyword included.
    pub(crate) from: Option<Span>,
    /// `GROUP BY …`.
    pub(crate) group_by: Option<Clause>,
    /// `HAVING …`, keyword included.
    pub(crate) having: Option<Span>,
    /// `ORDER BY …`.
    pub(crate) order_by: Option<Clause>,
    /// `LIMIT …`.
    pub(crate) limit: Option<Span>,
    /// Where an ORDER BY is inserted if there is none: behind everything that precedes it.
    pub(crate) order_place: u32,
}

/// A clause of several items.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clause {
    /// All of it, keywords included.
    pub(crate) span: Span,
    /// Each item's expression, without ASC or DESC.
    pub(crate) items: Vec<Span>,
    /// `WITH ROLLUP` behind them.
    pub(crate) rollup: Option<Span>,
}

/// Words that may stand between SELECT and its first item.
pub(crate) const MODIFIERS: [&str; 11] = [
    "ALL",
    "DISTINCT",
    "DISTINCTROW",
    "HIGH_PRIORITY",
    "STRAIGHT_JOIN",
    "SQL_SMALL_RESULT",
    "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT",
    "SQL_NO_CACHE",
    "SQL_CACHE",
    "SQL_CALC_FOUND_ROWS",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Select,
    From,
    Where,
    GroupBy,
    Having,
    Window,
    OrderBy,
    Limit,
    Tail,
}

impl Clauses {
    /// Finds the clauses, or `None` where the text has a shape that this does not know.
    pub(crate) fn find(sql: &[u8], options: LexOptions) -> Option<Self> {
        let mut all = tokens(sql, options).ok()?;
        all.retain(|token| !token.kind.is_comment());
        while all.last().is_some_and(|token| token.is_symbol(b';')) {
            all.pop();
        }
        Self::of(sql, &all)
    }

    /// The same of one SELECT among the tokens of a text, without comments.
    pub(crate) fn of(sql: &[u8], tokens: &[Token]) -> Option<Self> {
        Finder { sql, tokens }.find()
    }
}

struct Finder<'a> {
    sql: &'a [u8],
    tokens: &'a [Token],
}

impl Finder<'_> {
    fn find(&self) -> Option<Clauses> {
        let starts = self.keywords()?;
        let mut clauses = Clauses::default();
        for (index, &(keyword, start)) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(self.tokens.len(), |&(_, next)| next);
            let span = self.span(start, end)?;
            match keyword {
                Keyword::Select => {
                    let first = start + self.modifiers(start + 1, end) + 1;
                    let items = self.commas(first, end);
                    clauses.items_end = span.end;
                    for (from, to) in items {
                        let item = self.without_alias(from, to)?;
                        clauses.named.push(self.span(from, to)? != item);
                        clauses.items.push(item);
                    }
                }
                Keyword::From => clauses.from = Some(span),
                Keyword::Where => clauses.selection = Some(span),
                Keyword::GroupBy => clauses.group_by = Some(self.clause(start, end)?),
                Keyword::OrderBy => clauses.order_by = Some(self.clause(start, end)?),
                Keyword::Limit => clauses.limit = Some(span),
                Keyword::Having => clauses.having = Some(span),
                Keyword::Window | Keyword::Tail => {}
            }
            if !matches!(keyword, Keyword::Limit | Keyword::Tail) {
                clauses.order_place = span.end;
            }
        }
        Some(clauses)
    }

    /// The clause keywords at depth 0, in their order, each with its token.
    fn keywords(&self) -> Option<Vec<(Keyword, usize)>> {
        let mut found = Vec::new();
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth = depth.checked_sub(1)?,
                _ if depth > 0 || token.kind != TokenKind::Word || self.follows_dot(index) => {}
                _ => {
                    if let Some(keyword) = self.keyword(index) {
                        found.push((keyword, index));
                    }
                }
            }
        }
        (found.first() == Some(&(Keyword::Select, 0))).then_some(found)
    }

    fn keyword(&self, index: usize) -> Option<Keyword> {
        let is = |offset: usize, word: &str| self.is_word(index + offset, word);
        let plain = [("SELECT", Keyword::Select), ("FROM", Keyword::From), ("WHERE", Keyword::Where)];
        let later = [("HAVING", Keyword::Having), ("WINDOW", Keyword::Window), ("LIMIT", Keyword::Limit)];
        if let Some((_, keyword)) = plain.into_iter().chain(later).find(|(word, _)| is(0, word)) {
            return Some(keyword);
        }
        match () {
            // USE INDEX FOR ORDER BY (…) is no clause.
            () if index > 0 && self.is_word(index - 1, "FOR") && is(1, "BY") => None,
            () if is(0, "GROUP") && is(1, "BY") => Some(Keyword::GroupBy),
            () if is(0, "ORDER") && is(1, "BY") => Some(Keyword::OrderBy),
            () if is(0, "FOR") && (is(1, "UPDATE") || is(1, "SHARE")) => Some(Keyword::Tail),
            () if is(0, "LOCK") && is(1, "IN") => Some(Keyword::Tail),
            () => None,
        }
    }

    fn clause(&self, start: usize, end: usize) -> Option<Clause> {
        let rolls_up = end > start + 4 && self.is_word(end - 2, "WITH") && self.is_word(end - 1, "ROLLUP");
        let last = if rolls_up { end - 2 } else { end };
        let items = self.commas(start + 2, last);
        let items = items.into_iter().map(|(from, to)| self.span(from, self.before_direction(from, to)));
        let rollup = if rolls_up { self.span(last, end) } else { None };
        Some(Clause { span: self.span(start, end)?, items: items.collect::<Option<_>>()?, rollup })
    }

    fn before_direction(&self, from: usize, to: usize) -> usize {
        let directed = to > from + 1 && (self.is_word(to - 1, "ASC") || self.is_word(to - 1, "DESC"));
        if directed { to - 1 } else { to }
    }

    fn without_alias(&self, from: usize, to: usize) -> Option<Span> {
        let alias_like = |index: usize| {
            matches!(self.tokens[index].kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::Text)
        };
        if to >= from + 3 && self.is_word(to - 2, "AS") {
            return self.span(from, to - 2);
        }
        let bare = to >= from + 2
            && alias_like(to - 1)
            && self.ends_expression(to - 2)
            && !self.is_word(to - 1, "END")
            && !self.is_unit(from, to - 1)
            && !self.leads_literal(to - 2, to - 1);
        self.span(from, if bare { to - 1 } else { to })
    }

    /// Whether a word is the unit of the last INTERVAL before it.
    fn is_unit(&self, from: usize, word: usize) -> bool {
        let names_unit = |at: usize| {
            let token = &self.tokens[at];
            token.kind == TokenKind::Word
                && std::str::from_utf8(token.span.of(self.sql)).is_ok_and(is_interval_unit)
        };
        let interval = (from..word).rev().find(|&at| self.is_word(at, "INTERVAL"));
        names_unit(word) && interval.is_some_and(|interval| !(interval + 1..word).any(names_unit))
    }

    /// Whether a word and a text are one literal: DATE'2026-01-01', _utf8mb4'x'.
    fn leads_literal(&self, word: usize, text: usize) -> bool {
        let typed = ["DATE", "TIME", "TIMESTAMP"].iter().any(|name| self.is_word(word, name));
        let introducer = self.tokens[word].kind == TokenKind::Word
            && self.span(word, word + 1).is_some_and(|at| at.of(self.sql).starts_with(b"_"));
        self.tokens[text].kind == TokenKind::Text && (typed || introducer)
    }

    /// Whether an expression can end with this token, so that a word behind it is an alias.
    fn ends_expression(&self, index: usize) -> bool {
        let token = &self.tokens[index];
        match token.kind {
            TokenKind::Symbol(symbol) => symbol == b')',
            TokenKind::Word => {
                const OPERATORS: [&str; 14] = [
                    "AND", "OR", "NOT", "XOR", "DIV", "MOD", "IS", "LIKE", "IN", "REGEXP", "RLIKE", "BINARY",
                    "BETWEEN", "COLLATE",
                ];
                !OPERATORS.iter().any(|word| self.is_word(index, word))
            }
            TokenKind::Operator => false,
            _ => true,
        }
    }

    fn modifiers(&self, first: usize, end: usize) -> usize {
        (first..end).take_while(|&index| MODIFIERS.iter().any(|word| self.is_word(index, word))).count()
    }

    /// The token ranges between commas at depth 0 of a clause.
    fn commas(&self, first: usize, end: usize) -> Vec<(usize, usize)> {
        let mut parts = Vec::new();
        let (mut depth, mut from) = (0_usize, first);
        for index in first..end {
            match self.tokens[index].kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
                TokenKind::Symbol(b',') if depth == 0 => {
                    parts.push((from, index));
                    from = index + 1;
                }
                _ => {}
            }
        }
        parts.push((from, end));
        parts
    }

    fn span(&self, from: usize, to: usize) -> Option<Span> {
        let last = to.checked_sub(1).filter(|&last| last >= from)?;
        Some(Span { start: self.tokens.get(from)?.span.start, end: self.tokens.get(last)?.span.end })
    }

    fn follows_dot(&self, index: usize) -> bool {
        index > 0 && self.tokens[index - 1].is_symbol(b'.')
    }

    fn is_word(&self, index: usize, word: &str) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is_word(self.sql, word))
    }
}
