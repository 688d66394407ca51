//! Why a text cannot be cut into tokens.

/// A text that MySQL's lexer would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {position}")]
pub struct LexError {
    /// The byte where the offending token begins.
    pub position: u32,
    /// What is wrong.
    pub kind: LexErrorKind,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LexErrorKind {
    /// A string without its closing quote.
    #[error("unterminated string")]
    UnterminatedString,
    /// A quoted identifier without its closing quote.
    #[error("unterminated identifier")]
    UnterminatedIdentifier,
    /// A comment without `*/`.
    #[error("unterminated comment")]
    UnterminatedComment,
    /// A version comment whose end depends on who reads it: `*/` inside a string or a line comment, or another version
    /// comment inside.
    #[error("ambiguous version comment")]
    AmbiguousVersionComment,
    /// `x'1'`, `x'zz'`, `b'2'`.
    #[error("malformed hexadecimal or bit literal")]
    MalformedLiteral,
    /// `1.5e`.
    #[error("malformed number")]
    MalformedNumber,
    /// A NUL byte outside literals and comments.
    #[error("NUL byte")]
    Nul,
    /// A text of 4 GiB or more.
    #[error("text too long")]
    TooLong,
}
