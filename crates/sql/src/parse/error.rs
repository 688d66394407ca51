//! A statement that does not parse, and what the client is told.

use serval_types::{ErrorCode, MysqlError};

use crate::LexError;

/// The longest piece of a statement that an error quotes, as MySQL's own message does.
const NEAR_LENGTH: usize = 80;

/// A statement that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.to_mysql().message)]
pub struct ParseError {
    /// The byte where the offending token begins.
    pub position: u32,
    /// The statement's text from there on, cut after 80 characters.
    pub near: String,
    /// The line of that token, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The text is not SQL as this crate knows it.
    Syntax,
    /// The text is SQL, but this crate refuses it; the text says what, and what to do instead.
    Refused(String),
    /// Words that do not go together.
    Usage(&'static str),
    /// There is no statement in the text.
    Empty,
}

impl ParseError {
    /// A syntax error at a byte of the text.
    #[must_use]
    pub fn at(sql: &str, position: u32) -> Self {
        Self::new(sql, position, Problem::Syntax)
    }

    /// A refusal of what stands at a byte of the text.
    #[must_use]
    pub fn refused(sql: &str, position: u32, message: impl Into<String>) -> Self {
        Self::new(sql, position, Problem::Refused(message.into()))
    }

    /// Words at a byte of the text that do not go together.
    #[must_use]
    pub fn usage(sql: &str, position: u32, words: &'static str) -> Self {
        Self::new(sql, position, Problem::Usage(words))
    }

    /// A problem at a byte of the text.
    #[must_use]
    pub fn new(sql: &str, position: u32, problem: Problem) -> Self {
        let mut start = (position as usize).min(sql.len());
        while !sql.is_char_boundary(start) {
            start -= 1;
        }
        let (before, rest) = sql.split_at(start);
        let at_end = rest.trim_end_matches([';', ' ', '\t', '\r', '\n']).is_empty();
        let near = if at_end { String::new() } else { rest.chars().take(NEAR_LENGTH).collect() };
        let newlines = before.bytes().filter(|byte| *byte == b'\n').count();
        let line = u32::try_from(newlines).unwrap_or(u32::MAX).saturating_add(1);
        Self { position, near, line, problem }
    }

    /// What the lexer refused, as a syntax error.
    #[must_use]
    pub fn from_lex(sql: &str, error: &LexError) -> Self {
        Self::at(sql, error.position)
    }

    /// The error as the client sees it: 1064, 1065 for an empty statement, 1221 for words that do not go
    /// together, 1235 for a refusal.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        match &self.problem {
            Problem::Syntax => MysqlError::new(
                ErrorCode::Syntax,
                format!(
                    "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server \
                     version for the right syntax to use near '{}' at line {}",
                    self.near, self.line
                ),
            ),
            Problem::Refused(message) => MysqlError::refused(message.clone()),
            Problem::Usage(words) => {
                let message = format!("Incorrect usage of {words}");
                MysqlError { number: 1221, sqlstate: *b"HY000", message }
            }
            Problem::Empty => {
                MysqlError { number: 1065, sqlstate: *b"42000", message: "Query was empty".to_owned() }
            }
        }
    }
}
