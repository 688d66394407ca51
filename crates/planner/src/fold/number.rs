//! Whole numbers: arithmetic and CAST.

use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, UnaryOperator};

use super::Place;
use crate::operand::{Operand, Values};
use serval_types::Value;

/// Up to here a whole number is the same as BIGINT, as DECIMAL and as DOUBLE, and no operation on two of them overflows.
const EXACT: i64 = 1 << 53;
/// The digits of a text that every server casts without a warning and within [`EXACT`].
const DIGITS: usize = 15;

/// A whole number that is computed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NumberFold {
    /// A literal or a parameter.
    Given(Operand),
    /// `-x`.
    Negated(Box<Self>),
    /// Two of them.
    Two(Operation, Box<Self>, Box<Self>),
    /// `CAST(x AS SIGNED)`, or AS UNSIGNED.
    Cast {
        /// A number.
        number: Box<Self>,
        /// As UNSIGNED.
        unsigned: bool,
    },
    /// A text that is cast to a number.
    Digits(Operand),
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `+`.
    Sum,
    /// `-`.
    Difference,
    /// `*`.
    Product,
    /// `%`, MOD.
    Remainder,
    /// DIV.
    Quotient,
}

/// A number and whether its type is UNSIGNED, which makes errors of what is below zero.
#[derive(Debug, Clone, Copy)]
struct Whole {
    value: i64,
    unsigned: bool,
}

impl NumberFold {
    pub(super) fn of(expr: &Expr, place: Place<'_>) -> Option<Self> {
        let inner = |expr: &Expr| Self::of(expr, place);
        match expr {
            Expr::Nested(expr) | Expr::UnaryOp { op: UnaryOperator::Plus, expr } => inner(expr),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(Self::Negated(Box::new(inner(expr)?))),
            Expr::BinaryOp { left, op, right } => {
                let operation = operation(op)?;
                Some(Self::Two(operation, Box::new(inner(left)?), Box::new(inner(right)?)))
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => {
                let unsigned = is_unsigned(data_type)?;
                let number = match Operand::of(expr, place.locator, place.scan) {
                    Some(operand) => Self::Digits(operand),
                    None => inner(expr)?,
                };
                Some(Self::Cast { number: Box::new(number), unsigned })
            }
            expr => Operand::of(expr, place.locator, place.scan).map(Self::Given),
        }
    }

    pub(super) fn value(&self, values: &Values<'_>) -> Option<i64> {
        self.whole(values).map(|whole| whole.value)
    }

    fn whole(&self, values: &Values<'_>) -> Option<Whole> {
        let signed = |value: i64| Whole { value, unsigned: false };
        let whole = match self {
            Self::Given(operand) => match operand.value(values) {
                Value::Int(value) => signed(value),
                _ => return None,
            },
            Self::Digits(operand) => match operand.value(values) {
                Value::Int(value) => signed(value),
                Value::Text(text) => signed(digits(&text)?),
                _ => return None,
            },
            Self::Negated(inner) => signed(-inner.whole(values).filter(|inner| !inner.unsigned)?.value),
            Self::Cast { number, unsigned } => Whole { unsigned: *unsigned, ..number.whole(values)? },
            Self::Two(operation, left, right) => {
                let (left, right) = (left.whole(values)?, right.whole(values)?);
                let value = operation.of(left.value, right.value)?;
                Whole { value, unsigned: left.unsigned || right.unsigned }
            }
        };
        let fits = whole.value.unsigned_abs() <= EXACT.unsigned_abs();
        (fits && !(whole.unsigned && whole.value < 0)).then_some(whole)
    }
}

impl Operation {
    fn of(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Sum => left.checked_add(right),
            Self::Difference => left.checked_sub(right),
            Self::Product => left.checked_mul(right),
            // By zero it is NULL, and a warning or an error.
            Self::Remainder => left.checked_rem(right),
            Self::Quotient => left.checked_div(right),
        }
    }
}

fn operation(op: &BinaryOperator) -> Option<Operation> {
    match op {
        BinaryOperator::Plus => Some(Operation::Sum),
        BinaryOperator::Minus => Some(Operation::Difference),
        BinaryOperator::Multiply => Some(Operation::Product),
        BinaryOperator::Modulo => Some(Operation::Remainder),
        BinaryOperator::Custom(name) if name == "DIV" => Some(Operation::Quotient),
        _ => None,
    }
}

/// Whether a type that is cast to is UNSIGNED; `None` where it is no whole number.
fn is_unsigned(data_type: &DataType) -> Option<bool> {
    match data_type {
        DataType::Signed | DataType::SignedInteger => Some(false),
        DataType::Unsigned | DataType::UnsignedInteger => Some(true),
        _ => None,
    }
}

/// The number that a text is, in the one way of writing it that needs no reading.
fn digits(text: &[u8]) -> Option<i64> {
    let number = text.strip_prefix(b"-").unwrap_or(text);
    let plain = (1..=DIGITS).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    if !plain {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}
