//! Our tokens as sqlparser's.

use serval_types::Value;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Span as SqlSpan, Token as Sql, TokenWithSpan, Word};

use super::frame::{self, Frame};
use super::keywords;
use crate::literal::{identifier_value, literal_value};
use crate::{HoleKind, LexOptions, Span, Token, TokenKind};

/// Converts tokens, comments left out, to what sqlparser's tokenizer would make of them if it read MySQL rightly.
pub(super) fn convert(sql: &[u8], options: LexOptions, tokens: &[Token]) -> Vec<TokenWithSpan> {
    let mut converter = Converter {
        sql,
        options,
        tokens,
        out: Vec::with_capacity(tokens.len() + 4),
        frame: Frame::outermost(),
        outer: Vec::new(),
        after_duplicate: false,
        update_targets: false,
    };
    for at in 0..tokens.len() {
        converter.token(at);
    }
    converter.out
}

struct Converter<'a> {
    sql: &'a [u8],
    options: LexOptions,
    tokens: &'a [Token],
    out: Vec<TokenWithSpan>,
    /// The innermost open parenthesis.
    frame: Frame,
    /// Those around it.
    outer: Vec<Frame>,
    /// Behind ON DUPLICATE KEY UPDATE, VALUES is a function.
    after_duplicate: bool,
    /// Between UPDATE and its SET.
    update_targets: bool,
}

/// What a word turns into.
enum Turned {
    Word(Keyword),
    Token(Sql),
    /// Three tokens.
    Triple(Sql, Sql, Sql),
    Nothing,
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
                let operator = self.operator(token.span.of(self.sql));
                self.push(token.span, operator);
            }
            _ => {
                if let Some(literal) = self.literal(token) {
                    self.push(token.span, literal);
                }
            }
        }
    }

    fn push(&mut self, span: Span, token: Sql) {
        let location = |byte: u32| Location { line: 1, column: u64::from(byte) + 1 };
        let span = SqlSpan { start: location(span.start), end: location(span.end) };
        self.out.push(TokenWithSpan { token, span });
    }

    fn text(&self, span: Span) -> String {
        String::from_utf8_lossy(span.of(self.sql)).into_owned()
    }

    fn quoted(&mut self, token: Token) {
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
        let frame = self.frame.inside(self.sql, self.tokens, at, last);
        if !frame.idle {
            self.push(token.span, Sql::LParen);
        }
        self.outer.push(std::mem::replace(&mut self.frame, frame));
    }

    fn close(&mut self, token: Token) {
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

    fn word(&mut self, at: usize, token: Token) {
        let text = self.text(token.span);
        let turned = self.turn(at, token, &text);
        match turned {
            Turned::Word(keyword) => {
                self.note(at, keyword);
                self.push(token.span, Sql::Word(Word { value: text, quote_style: None, keyword }));
            }
            Turned::Token(one) => self.push(token.span, one),
            Turned::Triple(one, two, three) => {
                self.push(token.span, one);
                self.push(token.span, two);
                self.push(token.span, three);
            }
            Turned::Nothing => {}
        }
    }

    fn turn(&self, at: usize, token: Token, text: &str) -> Turned {
        let previous = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let next = self.tokens.get(at + 1);
        let after_dot = previous.is_some_and(|previous| previous.is_symbol(b'.'));
        let before_dot = next.is_some_and(|next| next.is_symbol(b'.') && next.span.start == token.span.end);
        if after_dot || before_dot {
            return Turned::Word(Keyword::NoKeyword);
        }
        let known = lookup(text);
        let before_parenthesis = next.is_some_and(|next| next.is_symbol(b'('));
        if self.frame.in_type {
            return self.in_type(at, text, known);
        }
        if let Some(turned) = self.special(at, text, known, before_parenthesis) {
            return turned;
        }
        let before_text = next.is_some_and(|next| next.kind == TokenKind::Text);
        let is_keyword = if before_parenthesis && known == Keyword::VALUES {
            !self.after_duplicate
        } else if before_parenthesis && keywords::is_function_before_parenthesis(known) {
            at == 0
        } else if keywords::is_special_function(known) {
            before_parenthesis
        } else if keywords::is_typed_literal(known) && before_text {
            true
        } else if known == Keyword::OFFSET {
            previous
                .is_some_and(|previous| matches!(previous.kind, TokenKind::Integer | TokenKind::Parameter))
        } else if self.frame.in_json_table {
            return Turned::Word(known);
        } else {
            keywords::is_mysql(known)
        };
        Turned::Word(if is_keyword { known } else { Keyword::NoKeyword })
    }

    /// Words that are spelt differently for sqlparser.
    fn special(&self, at: usize, text: &str, known: Keyword, before_parenthesis: bool) -> Option<Turned> {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let last = self.out.last().map(|last| &last.token);
        let last_keyword = last_keyword(last);
        let next = self.tokens.get(at + 1);
        if text == "\\N" {
            return Some(Turned::Token(keyword("NULL", Keyword::NULL)));
        }
        if known == Keyword::NULL && matches!(last_keyword, Some(Keyword::RLIKE | Keyword::REGEXP)) {
            // sqlparser swallows a NULL right behind these two.
            return Some(Turned::Triple(Sql::LParen, keyword(text, Keyword::NULL), Sql::RParen));
        }
        if keywords::is_bare_call(text) && !before_parenthesis {
            return Some(Turned::Triple(identifier(text.to_owned(), None), Sql::LParen, Sql::RParen));
        }
        if known == Keyword::INTERVAL && before_parenthesis && frame::comma_inside(self.tokens, at + 1) {
            return Some(Turned::Word(Keyword::NoKeyword));
        }
        if self.frame.opener == Keyword::TRIM {
            // TRIM(LEADING FROM a) is TRIM(LEADING ' ' FROM a).
            let which = matches!(known, Keyword::LEADING | Keyword::TRAILING | Keyword::BOTH);
            let nothing = next.is_some_and(|next| next.is_word(self.sql, "FROM")) && which;
            let opens = matches!(last, Some(Sql::LParen));
            if nothing || (known == Keyword::FROM && opens) {
                return Some(Turned::Nothing);
            }
        }
        if is("DISTINCTROW") {
            return Some(Turned::Word(Keyword::DISTINCT));
        }
        if is("VALUE") && before_parenthesis && self.values_may_follow(at) {
            return Some(Turned::Word(Keyword::VALUES));
        }
        if !ends_operand(last) {
            return None;
        }
        if is("DIV") {
            return Some(Turned::Token(Sql::CustomBinaryOperator("DIV".to_owned())));
        }
        if is("MOD") {
            return Some(Turned::Token(Sql::Mod));
        }
        composite_unit(text).map(|(from, to)| {
            // INTERVAL '1:30' MINUTE_SECOND in the standard's words.
            Turned::Triple(keyword(from, lookup(from)), keyword("TO", Keyword::TO), keyword(to, lookup(to)))
        })
    }

    /// VALUE is VALUES behind the table or the column list of an INSERT.
    fn values_may_follow(&self, at: usize) -> bool {
        let inserts = self
            .tokens
            .first()
            .is_some_and(|first| first.is_word(self.sql, "INSERT") || first.is_word(self.sql, "REPLACE"));
        let previous = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let table_is_named = previous.is_some_and(|previous| {
            !["INTO", "INSERT", "REPLACE"].iter().any(|word| previous.is_word(self.sql, word))
        });
        inserts && self.outer.is_empty() && table_is_named && at > 1
    }

    /// The words of a type. Character sets say nothing that matters here, and sqlparser does not know them.
    fn in_type(&self, at: usize, text: &str, known: Keyword) -> Turned {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let before = |back: usize, word: &str| {
            let token = at.checked_sub(back).and_then(|at| self.tokens.get(at));
            token.is_some_and(|token| token.is_word(self.sql, word))
        };
        let starts =
            before(1, "AS") || !before_type_word(at.checked_sub(1).and_then(|at| self.tokens.get(at)));
        let names_charset =
            before(1, "CHARSET") || before(1, "COLLATE") || (before(1, "SET") && before(2, "CHARACTER"));
        let of_charset = is("CHARSET") || is("COLLATE") || (is("SET") && before(1, "CHARACTER"));
        let attribute =
            !starts && ["ASCII", "UNICODE", "BYTE", "BINARY", "CHARACTER"].iter().any(|word| is(word));
        if names_charset || of_charset || attribute { Turned::Nothing } else { Turned::Word(known) }
    }

    fn note(&mut self, at: usize, keyword: Keyword) {
        let behind = |word: &str| {
            let previous = at.checked_sub(1).and_then(|before| self.tokens.get(before));
            previous.is_some_and(|previous| previous.is_word(self.sql, word))
        };
        match keyword {
            Keyword::DUPLICATE => self.after_duplicate = true,
            Keyword::UPDATE if self.outer.is_empty() && !behind("FOR") && !behind("KEY") => {
                self.update_targets = true;
                self.frame.in_tables = true;
            }
            Keyword::SET if self.outer.is_empty() => self.update_targets = false,
            _ => {}
        }
        self.frame.note(keyword);
    }
}

fn identifier(value: String, quote_style: Option<char>) -> Sql {
    Sql::Word(Word { value, quote_style, keyword: Keyword::NoKeyword })
}

fn keyword(value: &str, keyword: Keyword) -> Sql {
    Sql::Word(Word { value: value.to_owned(), quote_style: None, keyword })
}

fn lookup(word: &str) -> Keyword {
    match Sql::make_word(word, None) {
        Sql::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

fn last_keyword(last: Option<&Sql>) -> Option<Keyword> {
    match last {
        Some(Sql::Word(word)) => Some(word.keyword),
        _ => None,
    }
}

/// Whether the token can be the last of an operand, so that an operator may follow.
fn ends_operand(last: Option<&Sql>) -> bool {
    match last {
        Some(Sql::Word(word)) => {
            word.keyword == Keyword::NoKeyword || keywords::ends_expression(word.keyword)
        }
        Some(
            Sql::RParen
            | Sql::RBrace
            | Sql::Number(..)
            | Sql::SingleQuotedString(_)
            | Sql::NationalStringLiteral(_)
            | Sql::HexStringLiteral(_)
            | Sql::SingleQuotedByteStringLiteral(_)
            | Sql::Placeholder(_),
        ) => true,
        _ => false,
    }
}

/// Whether a type goes on behind the token: a word of it, or its length.
fn before_type_word(previous: Option<&Token>) -> bool {
    previous.is_some_and(|previous| previous.kind == TokenKind::Word || previous.is_symbol(b')'))
}

fn composite_unit(word: &str) -> Option<(&'static str, &'static str)> {
    const UNITS: [(&str, &str, &str); 11] = [
        ("YEAR_MONTH", "YEAR", "MONTH"),
        ("DAY_HOUR", "DAY", "HOUR"),
        ("DAY_MINUTE", "DAY", "MINUTE"),
        ("DAY_SECOND", "DAY", "SECOND"),
        ("DAY_MICROSECOND", "DAY", "MICROSECOND"),
        ("HOUR_MINUTE", "HOUR", "MINUTE"),
        ("HOUR_SECOND", "HOUR", "SECOND"),
        ("HOUR_MICROSECOND", "HOUR", "MICROSECOND"),
        ("MINUTE_SECOND", "MINUTE", "SECOND"),
        ("MINUTE_MICROSECOND", "MINUTE", "MICROSECOND"),
        ("SECOND_MICROSECOND", "SECOND", "MICROSECOND"),
    ];
    UNITS.iter().find(|(name, ..)| word.eq_ignore_ascii_case(name)).map(|(_, from, to)| (*from, *to))
}
