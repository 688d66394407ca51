//! Our tokens as sqlparser's.

use std::collections::{HashMap, HashSet};

use serval_types::Value;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Span as SqlSpan, Token as Sql, TokenWithSpan, Word};

use super::frame::{self, Frame};
use crate::literal::{identifier_value, literal_value};
use crate::{HoleKind, LexOptions, Span, Token, TokenKind};

/// What sqlparser's parser gets.
pub(super) struct Converted {
    pub(super) tokens: Vec<TokenWithSpan>,
    /// Each TABLE that became `SELECT * FROM`.
    pub(super) table_words: Vec<Span>,
    /// The columns of parentheses, right inside others, that a set operation follows.
    pub(super) unions: HashSet<u64>,
    /// The columns of parentheses that hold a list whose first element is a query.
    pub(super) lists: HashSet<u64>,
}

/// Converts tokens, comments left out, to what sqlparser's tokenizer would make of them if it read MySQL rightly.
///
/// `left` stands before a `)` for elements that are left out of `tokens`, by the byte of the parenthesis.
pub(super) fn convert(
    sql: &[u8],
    options: LexOptions,
    tokens: &[Token],
    left: &HashMap<u32, String>,
) -> Converted {
    let closes = frame::closes(tokens);
    let unions = frame::unions(sql, tokens, &closes).map(|token| column(token.span.start)).collect();
    let lists = frame::lists(sql, tokens, &closes).map(|token| column(token.span.start)).collect();
    let mut converter = Converter {
        sql,
        options,
        tokens,
        closes,
        out: Vec::with_capacity(tokens.len() + 4),
        frame: Frame::outermost(),
        outer: Vec::new(),
        after_duplicate: false,
        update_targets: false,
        matching: false,
        skip_to: 0,
        left,
        table_words: Vec::new(),
    };
    for at in 0..tokens.len() {
        if at >= converter.skip_to {
            converter.token(at);
        }
    }
    Converted { tokens: converter.out, table_words: converter.table_words, unions, lists }
}

/// The tokens so far, and where in the statement they are.
pub(super) struct Converter<'a> {
    pub(super) sql: &'a [u8],
    options: LexOptions,
    pub(super) tokens: &'a [Token],
    /// For each `(` its `)`.
    closes: Vec<usize>,
    pub(super) out: Vec<TokenWithSpan>,
    /// The innermost open parenthesis.
    pub(super) frame: Frame,
    /// Those around it.
    pub(super) outer: Vec<Frame>,
    /// Behind ON DUPLICATE KEY UPDATE, VALUES is a function.
    pub(super) after_duplicate: bool,
    /// Between UPDATE and its SET.
    pub(super) update_targets: bool,
    /// Between MATCH and its AGAINST.
    pub(super) matching: bool,
    /// What stands for elements that are left out, before the `)` at this byte.
    left: &'a HashMap<u32, String>,
    /// Tokens before this one are converted already.
    pub(super) skip_to: usize,
    /// Each TABLE that became `SELECT * FROM`.
    pub(super) table_words: Vec<Span>,
}

impl Converter<'_> {
    fn token(&mut self, at: usize) {
        let Some(token) = self.tokens.get(at).copied() else { return };
        match token.kind {
            TokenKind::Word => self.word(at, token),
            TokenKind::QuotedIdent => self.quoted(token),
            TokenKind::UserVariable | TokenKind::SystemVariable => {
                let value = self.text(token.span);
                self.push(token.span, identifier(value, None));
            }
            TokenKind::Symbol(symbol) => self.symbol(at, token, symbol),
            TokenKind::Operator => {
                let operator = match token.span.of(self.sql) {
                    // `SET a := 1` of a column.
                    b":=" if !self.follows_variable(at) => Sql::Eq,
                    operator => self.operator(operator),
                };
                self.push(token.span, operator);
            }
            // CAST(a AS CHAR CHARACTER SET 'utf8mb4').
            TokenKind::Text if self.frame.in_type => {}
            TokenKind::Text if self.bounds_frame(at) => {
                self.push(token.span, Sql::LParen);
                self.push_literal(token);
                self.push(token.span, Sql::RParen);
            }
            _ => self.push_literal(token),
        }
    }

    fn push_literal(&mut self, token: Token) {
        if let Some(literal) = self.literal(token) {
            self.push(token.span, literal);
        }
    }

    pub(super) fn push(&mut self, span: Span, token: Sql) {
        let location = |byte: u32| Location { line: 1, column: column(byte) };
        let span = SqlSpan { start: location(span.start), end: location(span.end) };
        self.out.push(TokenWithSpan { token, span });
    }

    pub(super) fn text(&self, span: Span) -> String {
        String::from_utf8_lossy(span.of(self.sql)).into_owned()
    }

    fn follows_variable(&self, at: usize) -> bool {
        let previous = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        previous.is_some_and(|previous| previous.kind == TokenKind::UserVariable)
    }

    pub(super) fn quoted(&mut self, token: Token) {
        let text = token.span.of(self.sql);
        let value = String::from_utf8_lossy(&identifier_value(text)).into_owned();
        let quote = text.first().map(|quote| char::from(*quote));
        self.push(token.span, identifier(value, quote));
    }

    fn literal(&self, token: Token) -> Option<Sql> {
        let kind = HoleKind::of_token(token.kind)?;
        let text = || match literal_value(self.sql, token.span, kind, self.options) {
            Value::Text(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            _ => String::new(),
        };
        let digits =
            || self.text(token.span).trim_end_matches('\'').chars().skip(2).filter(|c| *c != '\'').collect();
        Some(match kind {
            HoleKind::Integer | HoleKind::Decimal | HoleKind::Float => {
                Sql::Number(self.text(token.span), false)
            }
            HoleKind::Text => Sql::SingleQuotedString(text()),
            HoleKind::National => Sql::NationalStringLiteral(text()),
            HoleKind::Hex => Sql::HexStringLiteral(digits()),
            HoleKind::Bit => Sql::SingleQuotedByteStringLiteral(digits()),
            HoleKind::Parameter => Sql::Placeholder("?".to_owned()),
            HoleKind::Comment | HoleKind::List(_) => return None,
        })
    }

    fn symbol(&mut self, at: usize, token: Token, symbol: u8) {
        let converted = match symbol {
            b'(' => return self.open(at, token),
            b')' => return self.close(token),
            b',' => return self.comma(token),
            b'.' => Sql::Period,
            b';' => Sql::SemiColon,
            b'=' if self.names_table(at) => return,
            b'=' => Sql::Eq,
            b'<' => Sql::Lt,
            b'>' => Sql::Gt,
            b'+' => Sql::Plus,
            b'-' => Sql::Minus,
            b'*' => Sql::Mul,
            b'/' => Sql::Div,
            b'%' => Sql::Mod,
            b'&' => Sql::Ampersand,
            b'|' => Sql::Pipe,
            b'^' => Sql::Caret,
            b'~' => Sql::Tilde,
            b'!' => Sql::ExclamationMark,
            b'{' => Sql::LBrace,
            b'}' => Sql::RBrace,
            _ => Sql::Char(char::from(symbol)),
        };
        self.push(token.span, converted);
    }

    fn operator(&self, operator: &[u8]) -> Sql {
        match operator {
            b"<=" => Sql::LtEq,
            b">=" => Sql::GtEq,
            b"<>" | b"!=" => Sql::Neq,
            b"<=>" => Sql::Spaceship,
            b":=" => Sql::Assignment,
            b"->" => Sql::Arrow,
            b"->>" => Sql::LongArrow,
            b"<<" => Sql::ShiftLeft,
            b">>" => Sql::ShiftRight,
            b"&&" => keyword("AND", Keyword::AND),
            b"||" if self.options.pipes_as_concat => Sql::StringConcat,
            b"||" => keyword("OR", Keyword::OR),
            _ => Sql::Char('?'),
        }
    }

    fn open(&mut self, at: usize, token: Token) {
        let last = self.out.last().map(|last| &last.token);
        let frame = self.frame.inside(self.sql, (self.tokens, &self.closes), at, last);
        if !frame.idle {
            self.push(token.span, Sql::LParen);
        }
        self.outer.push(std::mem::replace(&mut self.frame, frame));
    }

    fn close(&mut self, token: Token) {
        if let Some(mark) = self.left.get(&token.span.start) {
            self.push(token.span, Sql::Comma);
            self.push(token.span, Sql::Placeholder(mark.clone()));
        }
        if !self.frame.idle {
            self.push(token.span, Sql::RParen);
        }
        self.frame = self.outer.pop().unwrap_or_else(Frame::outermost);
    }

    /// `UPDATE a, b SET` and `FROM (a, b)` are joins of a and b, which sqlparser knows only as such.
    fn comma(&mut self, token: Token) {
        if self.frame.joins || (self.update_targets && self.outer.is_empty()) {
            self.push(token.span, keyword("CROSS", Keyword::CROSS));
            self.push(token.span, keyword("JOIN", Keyword::JOIN));
            return;
        }
        self.frame.in_type |= self.frame.opener == Keyword::CONVERT;
        self.push(token.span, Sql::Comma);
    }
}

/// The column that a byte has for sqlparser.
fn column(byte: u32) -> u64 {
    u64::from(byte) + 1
}

pub(super) fn identifier(value: String, quote_style: Option<char>) -> Sql {
    Sql::Word(Word { value, quote_style, keyword: Keyword::NoKeyword })
}

pub(super) fn keyword(value: &str, keyword: Keyword) -> Sql {
    Sql::Word(Word { value: value.to_owned(), quote_style: None, keyword })
}
