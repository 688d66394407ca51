//! Queries and row changes, by way of sqlparser.
//!
//! sqlparser never sees the text. Its parser gets tokens of our own lexer, so that strings, comments and names mean
//! what they mean to MySQL in the session's sql_mode, and so that every position in the tree is a byte of the text.
//! On their way the tokens pass [`reduce`], which takes off what sqlparser does not know and MySQL's results do not
//! depend on; [`guard`], which bounds the tree's height; [`shorten`], which leaves out most of long lists; and [`convert`],
//! which leaves only those words keywords that are keywords in MySQL.

mod balance;
mod convert;
mod dialect;
mod frame;
mod guard;
mod keywords;
mod phrases;
mod reduce;
mod reserved;
mod shorten;
mod words;

use std::collections::HashMap;

use sqlparser::ast;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{self, TokenWithSpan};

pub use shorten::is_shortened;
pub use words::is_interval_unit;

use self::shorten::Shortened;
use super::ParseError;
use crate::lexer::Lexer;
use crate::{LexOptions, Span, Token, TokenKind, VersionComment};

/// A statement as sqlparser's tree, whose positions are bytes of the original text.
#[derive(Debug)]
pub struct Parsed {
    /// The tree. It is read, never printed.
    pub ast: ast::Statement,
    /// Turns the tree's positions into bytes.
    pub locator: Locator,
    /// LOCK IN SHARE MODE, which the tree does not show.
    pub trailing_lock: Option<Span>,
    /// `INTO @a, @b` of a SELECT, which the tree does not show.
    pub into_variables: Option<Span>,
    /// Words behind the verb and in clauses, which the tree does not show.
    pub modifiers: Vec<(Modifier, Span)>,
    /// Each TABLE of `TABLE t`, which the tree shows as the `SELECT * FROM t` that it is short for.
    pub table_words: Vec<Span>,
    /// Whether version comments were read as part of the statement.
    pub version_comments: VersionComments,
    /// Where the rows of VALUES begin that the tree does not have, in order; [`row_values`] reads them.
    pub rows_left: Vec<u32>,
}

/// Words that change how a statement runs. The tree does not show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// SQL_CALC_FOUND_ROWS.
    CalcFoundRows,
    /// IGNORE.
    Ignore,
    /// DELAYED.
    Delayed,
    /// ASC or DESC behind a key of GROUP BY, by which MariaDB sorts.
    GroupDirection,
    /// MariaDB's LIMIT ROWS EXAMINED.
    RowsExamined,
    /// Any other, which changes no result: HIGH_PRIORITY, LOW_PRIORITY, QUICK, SQL_NO_CACHE, …
    Other,
}

/// How much of a statement stands in version comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VersionComments {
    /// Nothing.
    None,
    /// Something that every supported server reads.
    Always,
    /// Something that one server reads and another skips: the tree, which contains it, holds for some only.
    Conditional,
}

/// Turns sqlparser's positions into bytes of the statement.
///
/// The parser is given tokens that all stand on line 1 and whose column is the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Locator;

impl Locator {
    /// The byte of a position.
    #[must_use]
    pub fn byte(&self, location: tokenizer::Location) -> u32 {
        u32::try_from(location.column.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The bytes of a span. Spans of whole expressions end where their last token with a position does: `NOW()` ends
    /// before its parenthesis, and a minus before a number is not part of it.
    #[must_use]
    pub fn span(&self, span: tokenizer::Span) -> Span {
        Span { start: self.byte(span.start), end: self.byte(span.end) }
    }
}

/// The nesting that sqlparser may reach. [`guard`] bounds what statements of sense need long before.
const RECURSION_LIMIT: usize = 4 * guard::HEIGHT as usize;

/// Parses a statement whose tokens these are, comments left out and version comments opened.
pub(super) fn parse(
    sql: &str,
    options: LexOptions,
    tokens: Vec<Token>,
    version_comments: VersionComments,
) -> Result<Box<Parsed>, ParseError> {
    guard::check(sql, &tokens)?;
    let reduced = reduce::reduce(sql, tokens)?;
    let end = reduced.tokens.last().map_or(0, |last| last.span.end);
    let shortened = match version_comments {
        VersionComments::None => shorten::shorten(sql.as_bytes(), reduced.tokens),
        // Not every reader of the text takes all of it for tokens.
        _ => Shortened { tokens: reduced.tokens, rows: Vec::new(), lists: HashMap::new() },
    };
    let converted = convert::convert(sql.as_bytes(), options, &shortened.tokens, &shortened.lists);
    drop(shortened.tokens);
    let dialect = dialect::MySql { unions: converted.unions, lists: converted.lists };
    let mut ast = run(sql, end, converted.tokens, &dialect)?;
    balance::balance(&mut ast);
    Ok(Box::new(Parsed {
        ast,
        locator: Locator,
        trailing_lock: reduced.lock,
        into_variables: reduced.into_variables,
        modifiers: reduced.modifiers,
        table_words: converted.table_words,
        version_comments,
        rows_left: shortened.rows,
    }))
}

/// The values of a row of VALUES that the tree does not have; `row` is where it stands, with its parentheses.
///
/// # Errors
/// Where it is no list of expressions.
pub fn row_values(sql: &str, options: LexOptions, row: Span) -> Result<Vec<ast::Expr>, ParseError> {
    let mut lexer = Lexer::within(sql.as_bytes(), row, options);
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next().map_err(|error| ParseError::from_lex(sql, &error))? {
        tokens.extend((!token.kind.is_comment()).then_some(token));
    }
    let converted = convert::convert(sql.as_bytes(), options, &tokens, &HashMap::new());
    let dialect = dialect::MySql { unions: converted.unions, lists: converted.lists };
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(converted.tokens);
    let parse = |parser: &mut Parser<'_>| {
        parser.expect_token(&tokenizer::Token::LParen)?;
        let values = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&tokenizer::Token::RParen)?;
        Ok(values)
    };
    parse(&mut parser).map_err(|error| located(sql, row.end, &error))
}

fn run(
    sql: &str,
    end: u32,
    tokens: Vec<TokenWithSpan>,
    dialect: &dialect::MySql,
) -> Result<ast::Statement, ParseError> {
    let mut parser =
        Parser::new(dialect).with_recursion_limit(RECURSION_LIMIT).with_tokens_with_locations(tokens);
    let ast = parser.parse_statement().map_err(|error| located(sql, end, &error))?;
    let next = parser.peek_token_ref();
    if next.token != tokenizer::Token::EOF {
        return Err(ParseError::at(sql, Locator.byte(next.span.start)));
    }
    match ast {
        ast::Statement::Query(_)
        | ast::Statement::Insert(_)
        | ast::Statement::Update(_)
        | ast::Statement::Delete(_) => Ok(ast),
        _ => Err(ParseError::at(sql, 0)),
    }
}

/// sqlparser says where only in its error's text: `…, found: x at Line: 1, Column: 8`.
fn located(sql: &str, end: u32, error: &ParserError) -> ParseError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
        ParserError::RecursionLimitExceeded => return guard::too_high(sql, 0),
    };
    let column = text.rsplit_once(" at Line: 1, Column: ").and_then(|(_, column)| column.parse::<u32>().ok());
    ParseError::at(sql, column.map_or(end, |column| column.saturating_sub(1)))
}

/// Leaves comments out and opens version comments.
pub(super) fn significant(
    sql: &str,
    options: LexOptions,
    tokens: &[Token],
) -> Result<(Vec<Token>, VersionComments), ParseError> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut seen = VersionComments::None;
    for token in tokens {
        match token.kind {
            TokenKind::Comment | TokenKind::Hint => {}
            TokenKind::VersionComment => {
                let comment = VersionComment::of(sql.as_bytes(), token.span.start, token.span.end);
                let kind = if comment.is_read_by_all() {
                    VersionComments::Always
                } else {
                    VersionComments::Conditional
                };
                seen = seen.max(kind);
                let body = comment.tokens(sql.as_bytes(), options);
                let body = body.map_err(|error| ParseError::from_lex(sql, &error))?;
                out.extend(body.into_iter().filter(|token| !token.kind.is_comment()));
            }
            _ => out.push(*token),
        }
    }
    Ok((out, seen))
}

#[cfg(test)]
mod tests;
