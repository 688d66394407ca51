//! Words on their way to sqlparser: which are keywords, and which it spells differently.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token as Sql, Word};

use super::convert::{Converter, identifier, keyword};
use super::{frame, keywords};
use crate::{Token, TokenKind};

/// What a word turns into.
enum Turned {
    Word(Keyword),
    Token(Sql),
    Pair(Sql, Sql),
    Triple(Sql, Sql, Sql),
    Nothing,
}

impl Converter<'_> {
    pub(super) fn word(&mut self, at: usize, token: Token) {
        let text = self.text(token.span);
        if self.phrase(at, token, &text) {
            return;
        }
        let turned = self.turn(at, token, &text);
        match turned {
            Turned::Word(keyword) => {
                self.note(at, keyword);
                self.push(token.span, Sql::Word(Word { value: text, quote_style: None, keyword }));
            }
            Turned::Token(one) => self.push(token.span, one),
            Turned::Pair(one, two) => {
                self.push(token.span, one);
                self.push(token.span, two);
            }
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
        if self.frame.in_json_table {
            return Turned::Word(known);
        }
        let is_keyword = self.is_keyword(at, known, before_parenthesis);
        Turned::Word(if is_keyword { known } else { Keyword::NoKeyword })
    }

    /// Whether the word is a keyword here. Most of MySQL's are reserved and always are; what follows or precedes the
    /// others says so.
    fn is_keyword(&self, at: usize, known: Keyword, before_parenthesis: bool) -> bool {
        let previous = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let next = self.tokens.get(at + 1);
        let next_is = |word: &str| next.is_some_and(|next| next.is_word(self.sql, word));
        let before_text = next.is_some_and(|next| next.kind == TokenKind::Text);
        match known {
            Keyword::VALUES if before_parenthesis => !self.after_duplicate,
            Keyword::OFFSET if self.counts_rows(at + 1) => true,
            Keyword::OFFSET => {
                previous.is_some_and(|token| matches!(token.kind, TokenKind::Integer | TokenKind::Parameter))
            }
            Keyword::AGAINST => before_parenthesis && self.matching,
            Keyword::MATCH => true,
            Keyword::FETCH => self.fetches(at),
            Keyword::WITHIN => next_is("GROUP") && previous.is_some_and(|token| token.is_symbol(b')')),
            Keyword::FIRST | Keyword::NEXT | Keyword::ONLY | Keyword::TIES => self.fetching(at),
            Keyword::DUPLICATE => next_is("KEY"),
            Keyword::END => self.frame.cases > 0,
            Keyword::ESCAPE => {
                self.begins_operand(at + 1) || self.follows_operand() && self.computes_operand(at + 1)
            }
            Keyword::ANY | Keyword::SOME | Keyword::LATERAL => before_parenthesis,
            Keyword::MEMBER => next_is("OF"),
            Keyword::RETURNING => self.outer.is_empty() && self.changes_rows(),
            _ if before_parenthesis && keywords::is_function_before_parenthesis(known) => at == 0,
            _ if keywords::is_special_function(known) => before_parenthesis,
            _ if keywords::is_typed_literal(known) => before_text,
            _ => keywords::is_mysql(known),
        }
    }

    fn changes_rows(&self) -> bool {
        let words = ["INSERT", "REPLACE", "DELETE"];
        self.tokens.first().is_some_and(|first| words.iter().any(|word| first.is_word(self.sql, word)))
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
        if known == Keyword::STRAIGHT_JOIN {
            // As a JOIN it may wait for its ON.
            return Some(Turned::Word(Keyword::JOIN));
        }
        if text.starts_with('_') && next.is_some_and(|next| next.kind == TokenKind::Bit) {
            // sqlparser knows character sets before other literals only.
            return Some(Turned::Nothing);
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
        if is("IGNORE") && self.is_value(at) {
            // MariaDB's IGNORE in the place of a value.
            return Some(Turned::Token(keyword("DEFAULT", Keyword::DEFAULT)));
        }
        if is("MID") && before_parenthesis {
            // It takes FROM and FOR as well.
            return Some(Turned::Token(keyword(text, Keyword::SUBSTRING)));
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
        if known == Keyword::MEMBER && before_parenthesis {
            return Some(Turned::Pair(keyword(text, known), keyword("OF", Keyword::OF)));
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
            !starts && ["ASCII", "UNICODE", "BYTE", "BINARY", "CHARACTER", "INT"].iter().any(|word| is(word));
        // MariaDB's INTERVAL DAY_SECOND(6), which is a time.
        let unit = composite_unit(text).is_some();
        if names_charset || of_charset || attribute || unit {
            return Turned::Nothing;
        }
        Turned::Word(if known == Keyword::INTERVAL { Keyword::TIME } else { known })
    }

    fn note(&mut self, at: usize, keyword: Keyword) {
        let behind = |word: &str| {
            let previous = at.checked_sub(1).and_then(|before| self.tokens.get(before));
            previous.is_some_and(|previous| previous.is_word(self.sql, word))
        };
        match keyword {
            Keyword::DUPLICATE => self.after_duplicate = true,
            Keyword::MATCH => self.matching = true,
            Keyword::AGAINST => self.matching = false,
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

pub(super) fn lookup(word: &str) -> Keyword {
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
pub(super) fn ends_operand(last: Option<&Sql>) -> bool {
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

/// Whether a word is a unit of INTERVAL, in any case: DAY, DAY_HOUR.
#[must_use]
pub fn is_interval_unit(word: &str) -> bool {
    keywords::is_unit(lookup(word)) || composite_unit(word).is_some()
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
        // sqlparser knows no SECOND TO. Nothing reads more of a composite unit than that it is one.
        ("SECOND_MICROSECOND", "MINUTE", "SECOND"),
    ];
    UNITS.iter().find(|(name, ..)| word.eq_ignore_ascii_case(name)).map(|(_, from, to)| (*from, *to))
}
