//! What the tree leaves out of long statements: rows of VALUES and elements of IN that are nothing but literals.
//!
//! An element takes a hundred times its bytes as a token and a node, and statements may have tens of megabytes. What is left
//! out looks like what stands before it, and can be read by itself where its values are needed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use sqlparser::ast::{Expr, Value};

use crate::scan::{HoleKind, ListClass};
use crate::token::closing;
use crate::{Span, Token, TokenKind};

/// So many rows, and so many elements of a list, are in the tree.
const KEPT: usize = 16;
/// What stands in the tree for the elements that are left out begins so.
const MARK: &str = "elements ";
/// Words that say where the rows of an INSERT come from.
const SOURCES: [&str; 6] = ["VALUES", "VALUE", "SELECT", "WITH", "TABLE", "SET"];
/// Words that are values.
const VALUES: [&str; 4] = ["NULL", "DEFAULT", "TRUE", "FALSE"];

/// Functions of the statement's instant, which are values for whoever reads the text.
const MOMENTS: [&str; 3] = ["NOW", "CURDATE", "CURRENT_TIMESTAMP"];

/// A statement without what is left out.
#[derive(Debug)]
pub(super) struct Shortened {
    pub(super) tokens: Vec<Token>,
    /// Where the rows begin that are left out, in order.
    pub(super) rows: Vec<u32>,
    /// What stands before a `)` for the elements that are left out, by the byte of the parenthesis.
    pub(super) lists: HashMap<u32, String>,
}

/// Leaves out what the tree does not need.
pub(super) fn shorten(sql: &[u8], tokens: Vec<Token>) -> Shortened {
    let mut shortener = Shortener { sql, tokens: &tokens, rows: Vec::new(), lists: HashMap::new() };
    let mut left: Vec<std::ops::Range<usize>> = shortener.rows();
    left.extend(shortener.lists());
    left.sort_by_key(|range| range.start);
    let Shortener { rows, lists, .. } = shortener;
    if left.is_empty() {
        return Shortened { tokens, rows, lists };
    }
    let mut left = left.into_iter().peekable();
    let mut at = 0;
    let mut tokens = tokens;
    tokens.retain(|_| {
        while left.next_if(|range| range.end <= at).is_some() {}
        let kept = !left.peek().is_some_and(|range| range.contains(&at));
        at += 1;
        kept
    });
    Shortened { tokens, rows, lists }
}

/// Whether elements of a list were left out of the tree, all of them literals of the first one's kind. The last of those
/// that are there is none of them.
///
/// ```
/// use serval_sql::{LexOptions, Statement, is_shortened, parse};
/// use sqlparser::ast::{Expr, SetExpr, Statement as Tree};
/// let sql = format!("SELECT 1 FROM t WHERE a IN (1{})", ", 2".repeat(100));
/// let Ok(Statement::Dml(parsed)) = parse(&sql, LexOptions::default()) else { panic!() };
/// let Tree::Query(query) = &parsed.ast else { panic!() };
/// let SetExpr::Select(select) = &*query.body else { panic!() };
/// let Some(Expr::InList { list, .. }) = &select.selection else { panic!() };
/// assert!(is_shortened(list) && list.len() == 17);
/// ```
#[must_use]
pub fn is_shortened(list: &[Expr]) -> bool {
    let marked = |value: &Value| matches!(value, Value::Placeholder(text) if text.starts_with(MARK));
    matches!(list.last(), Some(Expr::Value(last)) if marked(&last.value))
}

struct Shortener<'a> {
    sql: &'a [u8],
    tokens: &'a [Token],
    rows: Vec<u32>,
    lists: HashMap<u32, String>,
}

impl Shortener<'_> {
    /// The rows of VALUES that are left out, each with the comma before it.
    fn rows(&mut self) -> Vec<std::ops::Range<usize>> {
        let mut left = Vec::new();
        let inserts = self
            .tokens
            .first()
            .is_some_and(|first| first.is_word(self.sql, "INSERT") || first.is_word(self.sql, "REPLACE"));
        let is = |at: usize, words: &[&str]| words.iter().any(|word| self.tokens[at].is_word(self.sql, word));
        let source = self.outermost().find(|at| inserts && is(*at, &SOURCES));
        let Some(values) = source.filter(|at| is(*at, &["VALUES", "VALUE"])) else { return left };
        let (mut at, mut number) = (values + 1, 0);
        while self.tokens.get(at).is_some_and(|token| token.is_symbol(b'(')) {
            let plain = self.plain_row(at);
            let Some(close) = plain.or_else(|| closing(self.tokens, at)) else { break };
            if number >= KEPT && plain.is_some() {
                self.rows.push(self.tokens[at].span.start);
                left.push(at - 1..close + 1);
            }
            number += 1;
            if !self.tokens.get(close + 1).is_some_and(|token| token.is_symbol(b',')) {
                break;
            }
            at = close + 2;
        }
        left
    }

    /// The tokens outside of all parentheses.
    fn outermost(&self) -> impl Iterator<Item = usize> {
        let mut depth = 0_usize;
        self.tokens.iter().enumerate().filter_map(move |(at, token)| {
            depth += usize::from(token.is_symbol(b'('));
            let outside = depth == 0;
            depth = depth.saturating_sub(usize::from(token.is_symbol(b')')));
            outside.then_some(at)
        })
    }

    /// Where a row ends whose values are all literals.
    fn plain_row(&self, open: usize) -> Option<usize> {
        let mut at = open + 1;
        loop {
            at = self.behind_value(at)?;
            let token = self.tokens.get(at)?;
            if token.is_symbol(b')') {
                return Some(at);
            }
            if !token.is_symbol(b',') {
                return None;
            }
            at += 1;
        }
    }

    fn behind_value(&self, at: usize) -> Option<usize> {
        let token = self.tokens.get(at)?;
        if VALUES.iter().any(|word| token.is_word(self.sql, word)) {
            return Some(at + 1);
        }
        let is = |at: usize, symbol: u8| self.tokens.get(at).is_some_and(|token| token.is_symbol(symbol));
        if MOMENTS.iter().any(|word| token.is_word(self.sql, word)) {
            return (is(at + 1, b'(') && is(at + 2, b')')).then_some(at + 3);
        }
        let introducer = token.kind == TokenKind::Word && token.span.of(self.sql).starts_with(b"_");
        let at = if introducer || token.is_symbol(b'-') { at + 1 } else { at };
        self.literal(at).map(|_| at + 1)
    }

    fn literal(&self, at: usize) -> Option<ListClass> {
        ListClass::of_element(HoleKind::of_token(self.tokens.get(at)?.kind)?)
    }

    /// The elements of lists that are left out, each with the comma before it.
    fn lists(&mut self) -> Vec<std::ops::Range<usize>> {
        let mut left = Vec::new();
        for at in 1..self.tokens.len() {
            if !(self.tokens[at].is_symbol(b'(') && self.tokens[at - 1].is_word(self.sql, "IN")) {
                continue;
            }
            let Some(close) = self.plain_list(at).filter(|close| close - at > 2 * (KEPT + 1)) else {
                continue;
            };
            let first = at + 2 * KEPT;
            left.push(first..close);
            let text = Span { start: self.tokens[first].span.start, end: self.tokens[close].span.start };
            let mut hasher = DefaultHasher::new();
            text.of(self.sql).hash(&mut hasher);
            self.lists.insert(text.end, format!("{MARK}{:016x}", hasher.finish()));
        }
        left
    }

    /// Where a list ends whose elements are all literals of one class, as the scan makes one hole of it.
    fn plain_list(&self, open: usize) -> Option<usize> {
        let class = self.literal(open + 1).filter(|class| *class != ListClass::Parameter)?;
        let mut at = open + 1;
        while self.literal(at) == Some(class) {
            let separator = self.tokens.get(at + 1)?;
            if separator.is_symbol(b')') {
                return Some(at + 1);
            }
            if !separator.is_symbol(b',') {
                return None;
            }
            at += 2;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LexOptions;

    fn shortened(sql: &str) -> (String, usize, usize) {
        let tokens = crate::tokens(sql.as_bytes(), LexOptions::default()).unwrap();
        let found = shorten(sql.as_bytes(), tokens);
        let words: Vec<&str> = found.tokens.iter().map(|token| token.span.text(sql)).collect();
        (words.join(" "), found.rows.len(), found.lists.len())
    }

    #[test]
    fn rows_of_literals_are_left_out_behind_the_first() {
        let first = "(1, 'a')".to_owned() + &", (1, 'a')".repeat(15);
        let sql = format!(
            "INSERT INTO t (a, b) VALUES {first}, (-2, NULL), (3, f(4)), (DEFAULT, _binary 'x'), (NOW(), 1), (NOW(6), 1), (), (?, 0x1f) ON DUPLICATE \
             KEY UPDATE a = VALUES(a)"
        );
        let (text, rows, _) = shortened(&sql);
        assert_eq!(rows, 4);
        let behind = text.rsplit_once("( 1 , 'a' )").unwrap().1;
        assert_eq!(
            behind,
            " , ( 3 , f ( 4 ) ) , ( NOW ( 6 ) , 1 ) , ( ) ON DUPLICATE KEY UPDATE a = VALUES ( a )"
        );
    }

    #[test]
    fn other_statements_keep_their_rows() {
        let rows = "(1)".to_owned() + &", (1)".repeat(30);
        for sql in [
            format!("VALUES {rows}"),
            format!("SELECT * FROM (VALUES {rows}) t"),
            format!("INSERT INTO t {rows}"),
            format!("INSERT INTO t SELECT 1 UNION VALUES {rows}"),
        ] {
            assert_eq!(shortened(&sql).1, 0, "{sql}");
        }
    }

    #[test]
    fn lists_of_one_kind_are_left_out_behind_the_first_elements() {
        let many = |element: &str| [element].repeat(40).join(", ");
        let lists = |list: String| shortened(&format!("SELECT 1 FROM t WHERE a IN ({list}) AND b = 2")).2;
        assert_eq!(lists(many("1")), 1);
        assert_eq!(lists(many("'x'")), 1);
        assert_eq!(lists(many("?")), 0);
        assert_eq!(lists(many("-1")), 0);
        assert_eq!(lists(many("1") + ", 'x'"), 0);
        assert_eq!(lists(many("(1, 2)")), 0);
        assert_eq!(lists("1, 2, 3".to_owned()), 0);
        let (text, ..) = shortened(&format!("SELECT 1 FROM t WHERE a IN ({}) AND b = 2", many("1")));
        assert_eq!(text.matches('1').count(), 1 + KEPT);
        assert!(text.ends_with("1 ) AND b = 2"), "{text}");
    }
}
