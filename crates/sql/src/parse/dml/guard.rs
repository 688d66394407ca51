//! Bounds on a statement's shape, checked before any recursive code sees it.
//!
//! Trees are walked, cloned and dropped recursively, by sqlparser's code and the planner's, on threads with a stack of
//! 2 MiB. The bounds are far above what people and ORMs write, and near those of MySQL itself, which joins at most
//! 61 tables and nests at most 63 queries.

use crate::parse::ParseError;
use crate::{Token, TokenKind};

/// The highest tree: nested parentheses, and chains of operators other than AND and OR, which make a tree as high as
/// the chain is long. (AND and OR are balanced after parsing.)
pub(super) const HEIGHT: u32 = 200;
/// What a query in parentheses adds to the height.
const QUERY_HEIGHT: u32 = 5;
/// The most queries under one chain of UNIONs.
const UNIONS: u32 = 250;
/// The most JOINs in a row whose ON is still to come.
const OPEN_JOINS: u32 = 16;

/// Refuses what would make a tree too high to walk.
pub(super) fn check(sql: &str, tokens: &[Token]) -> Result<(), ParseError> {
    let mut shape = Shape::default();
    for token in tokens {
        shape.see(sql.as_bytes(), token);
        if shape.is_too_high() {
            return Err(too_high(sql, token.span.start));
        }
    }
    shape.close_all();
    if shape.is_too_high() { Err(too_high(sql, 0)) } else { Ok(()) }
}

pub(super) fn too_high(sql: &str, position: u32) -> ParseError {
    let message = format!(
        "Expressions and queries nested or chained more than {HEIGHT} deep, {UNIONS} UNIONs, or {OPEN_JOINS} JOINs \
         without ON are refused; split the statement, use IN (...) for long lists, or write each ON behind its JOIN"
    );
    ParseError::refused(sql, position, message)
}

#[derive(Default)]
struct Shape {
    frame: Frame,
    /// The parentheses and CASEs around the innermost one.
    outer: Vec<Frame>,
    unions: u32,
    open_joins: u32,
    /// A word behind a `.` is a name.
    after_dot: bool,
}

/// What stands inside a parenthesis, or between CASE and END.
#[derive(Default)]
struct Frame {
    /// Operators since the last border between expressions.
    operators: u32,
    /// The highest operand since then.
    operand: u32,
    /// The highest expression before that.
    highest: u32,
    /// What the parenthesis itself adds.
    own: u32,
    /// Opened by CASE.
    is_case: bool,
}

impl Frame {
    fn height(&self) -> u32 {
        self.own + self.highest.max(self.operators + self.operand)
    }

    /// A border: the next expression does not stand on this one.
    fn end_expression(&mut self) {
        self.highest = self.highest.max(self.operators + self.operand);
        (self.operators, self.operand) = (0, 0);
    }
}

impl Shape {
    fn is_too_high(&self) -> bool {
        self.frame.height() > HEIGHT || self.unions > UNIONS || self.open_joins > OPEN_JOINS
    }

    fn see(&mut self, sql: &[u8], token: &Token) {
        match token.kind {
            TokenKind::Symbol(b'(') => self.open(false),
            TokenKind::Symbol(b')') => self.close_parenthesis(),
            TokenKind::Symbol(b',') => self.frame.end_expression(),
            TokenKind::Symbol(b'.') => {}
            TokenKind::Symbol(_) | TokenKind::Operator => self.frame.operators += 1,
            TokenKind::Word if !self.after_dot => self.word(token.span.of(sql)),
            _ => {}
        }
        self.after_dot = token.is_symbol(b'.');
    }

    fn word(&mut self, word: &[u8]) {
        const BORDERS: [&str; 11] =
            ["AND", "OR", "WHERE", "FROM", "SET", "BY", "HAVING", "LIMIT", "WHEN", "THEN", "ELSE"];
        const OPERATORS: [&str; 13] = [
            "NOT", "BINARY", "INTERVAL", "XOR", "DIV", "MOD", "IS", "LIKE", "RLIKE", "REGEXP", "IN",
            "BETWEEN", "COLLATE",
        ];
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let is_one_of = |names: &[&str]| names.iter().any(|name| is(name));
        if is_one_of(&OPERATORS) {
            self.frame.operators += 1;
        } else if is_one_of(&BORDERS) {
            self.frame.end_expression();
        } else if is("SELECT") {
            self.frame.end_expression();
            self.frame.own = QUERY_HEIGHT;
            self.open_joins = 0;
        } else if is("CASE") {
            self.open(true);
        } else if is("END") && self.frame.is_case {
            self.close();
        } else if is_one_of(&["UNION", "EXCEPT", "INTERSECT"]) {
            self.frame.end_expression();
            self.unions += 1;
        } else if is_one_of(&["JOIN", "STRAIGHT_JOIN"]) {
            self.frame.end_expression();
            self.open_joins += 1;
        } else if is_one_of(&["ON", "USING"]) {
            self.frame.end_expression();
            self.open_joins = self.open_joins.saturating_sub(1);
        }
    }

    fn open(&mut self, is_case: bool) {
        let inner = Frame { own: 1, is_case, ..Frame::default() };
        self.outer.push(std::mem::replace(&mut self.frame, inner));
    }

    fn close_parenthesis(&mut self) {
        while self.frame.is_case {
            self.close();
        }
        self.close();
    }

    fn close(&mut self) {
        let height = self.frame.height();
        self.frame = self.outer.pop().unwrap_or_default();
        self.frame.operand = self.frame.operand.max(height);
    }

    /// What is never closed is a syntax error, but the parser walks down before it finds out.
    fn close_all(&mut self) {
        while !self.outer.is_empty() {
            self.close();
        }
    }
}
