//! What a parenthesis in a statement encloses.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token as Sql;

use crate::{Token, TokenKind};

/// A parenthesis, or the statement outside all of them.
#[derive(Debug)]
pub(super) struct Frame {
    /// The keyword before it.
    pub(super) opener: Keyword,
    /// A type stands from here to the closing parenthesis: CAST(… AS type), CONVERT(…, type).
    pub(super) in_type: bool,
    /// Inside JSON_TABLE, at any depth.
    pub(super) in_json_table: bool,
    /// Where a table may stand, a comma separates tables: behind FROM, up to WHERE and its like.
    pub(super) in_tables: bool,
    /// `(t1, t2)` among tables: its commas are joins.
    pub(super) joins: bool,
    /// CASEs whose END is still to come.
    pub(super) cases: u32,
    /// `(t1)` among tables: the parentheses mean nothing, and sqlparser does not know them.
    pub(super) idle: bool,
}

impl Frame {
    pub(super) fn outermost() -> Self {
        Self {
            opener: Keyword::NoKeyword,
            in_type: false,
            in_json_table: false,
            in_tables: false,
            joins: false,
            cases: 0,
            idle: false,
        }
    }

    /// The parenthesis at `tokens[at]`, with this one around it, behind the token `last`.
    pub(super) fn inside(
        &self,
        sql: &[u8],
        (tokens, closes): (&[Token], &[usize]),
        at: usize,
        last: Option<&Sql>,
    ) -> Self {
        let opener = match last {
            Some(Sql::Word(word)) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        let mut frame = Self { opener, in_json_table: self.in_json_table, ..Self::outermost() };
        frame.in_json_table |= opener == Keyword::JSON_TABLE;
        let at_table = match last {
            Some(Sql::Word(word)) => {
                matches!(
                    word.keyword,
                    Keyword::FROM | Keyword::JOIN | Keyword::STRAIGHT_JOIN | Keyword::UPDATE
                )
            }
            Some(Sql::Comma) => self.in_tables,
            Some(Sql::LParen) => self.joins || self.idle,
            None => false,
            _ => false,
        };
        if at_table && self.in_tables && !is_query(sql, tokens, closes, at) {
            frame.in_tables = true;
            frame.joins = true;
            frame.idle = !joins_inside(sql, tokens, at);
        }
        frame
    }

    /// Takes notice of a keyword in the parenthesis.
    pub(super) fn note(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::CASE => self.cases += 1,
            Keyword::END => self.cases = self.cases.saturating_sub(1),
            Keyword::AS if self.opener == Keyword::CAST => self.in_type = true,
            Keyword::FROM | Keyword::JOIN | Keyword::STRAIGHT_JOIN if !self.takes_words() => {
                self.in_tables = true
            }
            Keyword::SELECT
            | Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::SET
            | Keyword::UNION
            | Keyword::WINDOW
            | Keyword::FOR => self.in_tables = false,
            _ => {}
        }
    }

    /// FROM and FOR in the parentheses of these functions are no clauses.
    fn takes_words(&self) -> bool {
        matches!(self.opener, Keyword::EXTRACT | Keyword::TRIM | Keyword::SUBSTRING | Keyword::SUBSTR)
    }
}

/// Whether the parenthesis holds a query: `(SELECT …)`, `((SELECT …) UNION …)`, but not `((SELECT …) AS t, u)`.
fn is_query(sql: &[u8], tokens: &[Token], closes: &[usize], mut at: usize) -> bool {
    const BEHIND_QUERY: [&str; 6] = ["ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "LOCK"];
    while let Some(first) = tokens.get(at + 1) {
        if !first.is_symbol(b'(') {
            return ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| first.is_word(sql, word));
        }
        at += 1;
        let goes_on = tokens.get(closes[at] + 1).is_some_and(|next| {
            let mut words = BEHIND_QUERY.iter().chain(&SET_OPERATIONS);
            next.is_symbol(b')') || words.any(|word| next.is_word(sql, word))
        });
        if !goes_on {
            return false;
        }
    }
    false
}

/// For each `(` the place of its `)`, and the end for one that is never closed.
pub(super) fn closes(tokens: &[Token]) -> Vec<usize> {
    let mut closes = vec![tokens.len(); tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'(') => open.push(at),
            TokenKind::Symbol(b')') => {
                if let Some(opened) = open.pop() {
                    closes[opened] = at;
                }
            }
            _ => {}
        }
    }
    closes
}

/// The parentheses right inside others that hold a query and that a set operation follows.
pub(super) fn unions<'a>(
    sql: &'a [u8],
    tokens: &'a [Token],
    closes: &'a [usize],
) -> impl Iterator<Item = Token> + 'a {
    let inner = (1..tokens.len()).filter(|&at| tokens[at].is_symbol(b'(') && tokens[at - 1].is_symbol(b'('));
    let unites = move |at: &usize| {
        let next = tokens.get(closes[*at] + 1);
        let unites = next.is_some_and(|next| SET_OPERATIONS.iter().any(|word| next.is_word(sql, word)));
        unites && is_query(sql, tokens, closes, *at)
    };
    inner.filter(unites).map(|at| tokens[at])
}

/// The parentheses that hold a list whose first element is a query: `((SELECT 1), 2)`.
pub(super) fn lists<'a>(
    sql: &'a [u8],
    tokens: &'a [Token],
    closes: &'a [usize],
) -> impl Iterator<Item = Token> + 'a {
    let outer = (0..tokens.len().saturating_sub(1))
        .filter(|&at| tokens[at].is_symbol(b'(') && tokens[at + 1].is_symbol(b'('));
    let lists = move |at: &usize| {
        let behind = tokens.get(closes[at + 1] + 1).is_some_and(|next| next.is_symbol(b','));
        behind && is_query(sql, tokens, closes, at + 1)
    };
    outer.filter(lists).map(|at| tokens[at])
}

const SET_OPERATIONS: [&str; 3] = ["UNION", "EXCEPT", "INTERSECT"];

/// Whether a join or a comma stands right inside the parenthesis at `tokens[at]`.
fn joins_inside(sql: &[u8], tokens: &[Token], at: usize) -> bool {
    inside(tokens, at).any(|token| {
        token.is_symbol(b',') || token.is_word(sql, "JOIN") || token.is_word(sql, "STRAIGHT_JOIN")
    })
}

/// Whether a comma stands right inside the parenthesis at `tokens[at]`.
pub(super) fn comma_inside(tokens: &[Token], at: usize) -> bool {
    inside(tokens, at).any(|token| token.is_symbol(b','))
}

/// The tokens right inside the parenthesis that opens at `tokens[at]`, without those in parentheses of their own.
fn inside(tokens: &[Token], at: usize) -> impl Iterator<Item = &Token> {
    let mut depth = 0_u32;
    let of_parenthesis = tokens.iter().skip(at).take_while(move |token| {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth -= 1,
            _ => {}
        }
        depth > 0
    });
    let mut nested = 0_u32;
    of_parenthesis.skip(1).filter(move |token| {
        match token.kind {
            TokenKind::Symbol(b'(') => nested += 1,
            TokenKind::Symbol(b')') => nested -= 1,
            _ => {}
        }
        nested == 0 && !token.is_symbol(b')')
    })
}
