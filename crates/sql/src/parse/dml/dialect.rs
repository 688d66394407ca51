//! MySQL's operators for sqlparser: what binds tighter than what.
//!
//! sqlparser's own MySQL dialect has PostgreSQL's order of precedence, in which `a = 1 XOR b = 2` compares with an XOR,
//! and a BINARY that takes in all that follows it. Either would route a statement by a condition that it does not have.

use std::any::TypeId;
use std::collections::HashSet;

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, ObjectName, UnaryOperator,
};
use sqlparser::dialect::{Dialect, MySqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::reserved;

/// The dialect. It parses only; the lexer is ours.
#[derive(Debug, Default)]
pub(super) struct MySql {
    /// The columns of parentheses, right inside others, that a set operation follows.
    pub(super) unions: HashSet<u64>,
    /// The columns of parentheses that hold a list whose first element is a query.
    pub(super) lists: HashSet<u64>,
}

/// How tightly each kind of operator binds
/// ([manual](https://dev.mysql.com/doc/refman/8.4/en/operator-precedence.html); where the manual puts comparisons and
/// LIKE on one level, the server's grammar has `a = b LIKE c` compare with what LIKE says).
mod binds {
    pub(super) const OR: u8 = 5;
    pub(super) const XOR: u8 = 7;
    pub(super) const AND: u8 = 10;
    pub(super) const NOT: u8 = 15;
    pub(super) const COMPARISON: u8 = 20;
    pub(super) const PREDICATE: u8 = 21;
    pub(super) const BIT_OR: u8 = 22;
    pub(super) const BIT_AND: u8 = 23;
    pub(super) const SHIFT: u8 = 24;
    pub(super) const SUM: u8 = 30;
    pub(super) const PRODUCT: u8 = 40;
    pub(super) const BIT_XOR: u8 = 45;
    pub(super) const UNARY: u8 = 46;
    pub(super) const BANG: u8 = 47;
    pub(super) const BINARY: u8 = 48;
    pub(super) const ARROW: u8 = 50;
    pub(super) const PERIOD: u8 = 100;
    pub(super) const NOTHING: u8 = 0;
}

impl Dialect for MySql {
    /// sqlparser asks for this where it has no question of its own.
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn is_identifier_start(&self, _: char) -> bool {
        false
    }

    fn is_identifier_part(&self, _: char) -> bool {
        false
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        match precedence {
            Precedence::Period => binds::PERIOD,
            Precedence::DoubleColon | Precedence::AtTz | Precedence::Colon | Precedence::PgOther => {
                binds::ARROW
            }
            Precedence::MulDivModOp => binds::PRODUCT,
            Precedence::PlusMinus => binds::SUM,
            Precedence::Xor => binds::XOR,
            Precedence::Ampersand => binds::BIT_AND,
            Precedence::Caret => binds::SHIFT,
            Precedence::Pipe => binds::BIT_OR,
            Precedence::Like | Precedence::Between => binds::PREDICATE,
            Precedence::Eq | Precedence::Is => binds::COMPARISON,
            Precedence::UnaryNot => binds::NOT,
            Precedence::And => binds::AND,
            Precedence::Or => binds::OR,
        }
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let binds = match &parser.peek_token_ref().token {
            Token::Word(word) => return word_precedence(word.keyword, parser).map(Ok),
            Token::Caret => binds::BIT_XOR,
            Token::ShiftLeft | Token::ShiftRight => binds::SHIFT,
            Token::Arrow | Token::LongArrow => binds::ARROW,
            Token::StringConcat => binds::BIT_XOR,
            Token::CustomBinaryOperator(operator) if operator == "SOUNDS LIKE" => binds::PREDICATE,
            Token::CustomBinaryOperator(_) => binds::PRODUCT,
            // The prefix takes `@a := …`; anything else with it is an error.
            Token::Assignment => binds::NOTHING,
            Token::ExclamationMark | Token::Colon | Token::LBracket | Token::Tilde => binds::NOTHING,
            _ => return None,
        };
        Some(Ok(binds))
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Word(word) if word.keyword == Keyword::BINARY => {
                parser.advance_token();
                Some(binary(parser))
            }
            Token::Word(word) if word.keyword == Keyword::MATCH => Some(full_text(parser)),
            Token::LParen => query(parser, &self.unions),
            Token::Word(word) if word.quote_style.is_none() && word.value.starts_with('@') => {
                assignment(parser)
            }
            Token::Minus => Some(unary(parser, UnaryOperator::Minus, binds::UNARY)),
            Token::Plus => Some(unary(parser, UnaryOperator::Plus, binds::UNARY)),
            Token::Tilde => Some(unary(parser, UnaryOperator::BitwiseNot, binds::UNARY)),
            Token::ExclamationMark => Some(unary(parser, UnaryOperator::BangNot, binds::BANG)),
            Token::Word(word) if reserved::is_no_operand(word.keyword) => {
                Some(parser.expected_ref("an expression", parser.peek_token_ref()))
            }
            _ => None,
        }
    }

    /// The second operand of BETWEEN may be another predicate: `a BETWEEN 1 AND b IN (2)`; and a list behind IN may begin
    /// with a query: `a IN ((SELECT 1), 2)`.
    fn parse_infix(&self, parser: &mut Parser<'_>, expr: &Expr, _: u8) -> Option<Result<Expr, ParserError>> {
        if let Some(listed) = in_list(parser, expr, &self.lists) {
            return Some(listed);
        }
        let negated = parser.parse_keywords(&[Keyword::NOT, Keyword::BETWEEN]);
        if !negated && !parser.parse_keyword(Keyword::BETWEEN) {
            return None;
        }
        Some(between(parser, expr, negated))
    }

    fn is_column_alias(&self, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        !reserved::is_no_name(*keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        !reserved::is_no_name(*keyword)
    }

    fn is_table_factor_alias(&self, explicit: bool, keyword: &Keyword, _: &mut Parser<'_>) -> bool {
        explicit || !reserved::is_no_name(*keyword)
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_bang_not_operator(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_insert_set(&self) -> bool {
        true
    }

    fn supports_table_hints(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_update_order_by(&self) -> bool {
        true
    }

    fn supports_data_type_signed_suffix(&self) -> bool {
        true
    }

    fn supports_cross_join_constraint(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        false
    }
}

fn word_precedence(keyword: Keyword, parser: &Parser<'_>) -> Option<u8> {
    match keyword {
        Keyword::XOR => Some(binds::XOR),
        Keyword::OR => Some(binds::OR),
        Keyword::AND => Some(binds::AND),
        Keyword::NOT => match &parser.peek_nth_token_ref(1).token {
            Token::Word(next) if is_predicate(next.keyword) => Some(binds::PREDICATE),
            _ => Some(binds::NOTHING),
        },
        _ => is_predicate(keyword).then_some(binds::PREDICATE),
    }
}

fn is_predicate(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::IN | Keyword::BETWEEN | Keyword::LIKE | Keyword::RLIKE | Keyword::REGEXP | Keyword::MEMBER
    )
}

fn unary(parser: &mut Parser<'_>, op: UnaryOperator, binds: u8) -> Result<Expr, ParserError> {
    parser.advance_token();
    Ok(Expr::UnaryOp { op, expr: Box::new(parser.parse_subexpr(binds)?) })
}

fn binary(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    let expr = Box::new(parser.parse_subexpr(binds::BINARY)?);
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type: DataType::Binary(None), format: None })
}

fn in_list(parser: &mut Parser<'_>, expr: &Expr, lists: &HashSet<u64>) -> Option<Result<Expr, ParserError>> {
    let is = |ahead: usize, keyword: Keyword| matches!(&parser.peek_nth_token_ref(ahead).token, Token::Word(word) if word.keyword == keyword);
    let negated = is(0, Keyword::NOT);
    let ahead = usize::from(negated);
    if !is(ahead, Keyword::IN) || !lists.contains(&parser.peek_nth_token_ref(ahead + 1).span.start.column) {
        return None;
    }
    (0..ahead + 2).for_each(|_| parser.advance_token());
    let list = parser.parse_comma_separated(Parser::parse_expr);
    Some(list.and_then(|list| {
        parser.expect_token(&Token::RParen)?;
        Ok(Expr::InList { expr: Box::new(expr.clone()), list, negated })
    }))
}

/// `MATCH (a, b) AGAINST (…)` as a call, so that its columns are columns like all others.
fn full_text(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    let name = parser.parse_identifier()?;
    let in_parentheses = parser.consume_token(&Token::LParen);
    let mut arguments = parser.parse_comma_separated(|parser| parser.parse_subexpr(binds::PREDICATE))?;
    if in_parentheses {
        parser.expect_token(&Token::RParen)?;
    }
    parser.expect_keyword(Keyword::AGAINST)?;
    parser.expect_token(&Token::LParen)?;
    arguments.push(parser.parse_subexpr(binds::PREDICATE)?);
    let _ = parser.parse_keywords(&[Keyword::IN, Keyword::BOOLEAN, Keyword::MODE]);
    let _ = parser.parse_keywords(&[Keyword::IN, Keyword::NATURAL, Keyword::LANGUAGE, Keyword::MODE]);
    let _ = parser.parse_keywords(&[Keyword::WITH, Keyword::QUERY, Keyword::EXPANSION]);
    parser.expect_token(&Token::RParen)?;
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    Ok(Expr::Function(Function {
        name: ObjectName::from(vec![name]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }))
}

/// Queries where sqlparser expects an expression: `(VALUES …)`, and those that begin with a query in parentheses, as in
/// `= ANY ((SELECT …) UNION …)`.
fn query(parser: &mut Parser<'_>, unions: &HashSet<u64>) -> Option<Result<Expr, ParserError>> {
    let values =
        matches!(&parser.peek_nth_token_ref(1).token, Token::Word(word) if word.keyword == Keyword::VALUES);
    if values {
        parser.advance_token();
        let query = parser.parse_query();
        return Some(query.and_then(|query| {
            parser.expect_token(&Token::RParen)?;
            Ok(Expr::Subquery(query))
        }));
    }
    let place = parser.peek_token_ref().span.start.column;
    unions.contains(&place).then(|| parser.parse_query().map(Expr::Subquery))
}

fn between(parser: &mut Parser<'_>, expr: &Expr, negated: bool) -> Result<Expr, ParserError> {
    let low = Box::new(parser.parse_subexpr(binds::PREDICATE)?);
    parser.expect_keyword(Keyword::AND)?;
    let high = Box::new(parser.parse_subexpr(binds::COMPARISON)?);
    Ok(Expr::Between { expr: Box::new(expr.clone()), negated, low, high })
}

/// `@a := …`, which takes in everything that follows it, whatever stands before it.
fn assignment(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    if parser.peek_nth_token_ref(1).token != Token::Assignment {
        return None;
    }
    let variable = parser.parse_identifier();
    parser.advance_token();
    let value = parser.parse_expr();
    Some(variable.and_then(|variable| {
        let left = Box::new(Expr::Identifier(variable));
        Ok(Expr::BinaryOp { left, op: BinaryOperator::Assignment, right: Box::new(value?) })
    }))
}
