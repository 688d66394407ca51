//! What an expression computes, as far as that is certain from the definitions of its columns.
//!
//! Rows of several shards are compared by what the nodes print. Of some values that is less than what servers compare and add
//! up: a FLOAT has six digits, a quotient of exact numbers four more than its operands, though servers go on computing with
//! nine; and a text is compared by its collation. What is not listed here is not certain, and is left to a server that has
//! all rows.

mod choice;
mod function;
mod number;
mod text;

use serval_types::ColumnType;
use sqlparser::ast::{BinaryOperator, DataType, Expr, Function, UnaryOperator, Value};

pub(super) use self::text::{Collated, Text};
use super::expression::{is_aggregate, is_condition, strip, whole_number};
use super::sort_key::is_column;
use crate::analysis::Scope;

/// The longest text of a number or a moment.
const OF_NUMBER: u32 = 85;

/// What a value is, and what its text says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Computed {
    /// NULL, which takes every type.
    Null,
    /// An integer or DECIMAL: its text is all of it.
    Exact,
    /// A DECIMAL of which servers keep more digits than they print.
    Quotient,
    /// A DOUBLE that is printed in full.
    Double,
    /// A FLOAT, which is printed with six digits, but computed with as a DOUBLE.
    Float,
    /// A DOUBLE that has no more decimals than are printed.
    Rounded,
    /// A DOUBLE of which perhaps not all is printed.
    Short,
    /// A DATE.
    Date,
    /// A DATETIME.
    DateTime,
    /// A TIME.
    Time,
    /// A TIMESTAMP, whose text is ambiguous when clocks go back.
    Timestamp,
    /// A BIT, which is a number or bytes, as it is used.
    Bits,
    /// Bytes, at most so many.
    Binary(u32),
    /// Characters.
    Text(Text),
}

impl Computed {
    /// What this expression computes; `None` where that is not certain.
    pub(super) fn of(scope: Scope<'_>, expr: &Expr) -> Option<Self> {
        let expr = strip(expr);
        if is_column(scope, expr) {
            return Self::of_column(scope.declared(expr)?);
        }
        if is_condition(expr) {
            return Some(Self::Exact);
        }
        let of = |expr: &Expr| Self::of(scope, expr);
        match expr {
            Expr::Value(value) => Self::of_value(&value.value),
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => of(expr),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => number::negated(&of(expr)?),
            Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::BangNot, .. } => Some(Self::Exact),
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
                text::concatenated(&[of(left)?, of(right)?])
            }
            Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right }
                if matches!(&**right, Expr::Interval(_)) =>
            {
                text::later(of(left)?)
            }
            Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr } => {
                number::arithmetic(&of(expr)?, &BinaryOperator::BitwiseOr, &Self::Exact)
            }
            Expr::BinaryOp { op: BinaryOperator::MyIntegerDivide, .. } => Some(Self::Exact),
            Expr::BinaryOp { op: BinaryOperator::Custom(word), .. } if word == "DIV" => Some(Self::Exact),
            Expr::BinaryOp { left, op, right } => number::arithmetic(&of(left)?, op, &of(right)?),
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
                choice::any(results.map(of))
            }
            Expr::Cast { expr, data_type, .. } => text::cast(of(expr), data_type),
            Expr::Convert { expr, data_type: Some(data_type), .. } => text::cast(of(expr), data_type),
            Expr::Convert { expr, data_type: None, charset: Some(_), .. } => text::converted(&of(expr)?),
            Expr::TypedString(typed) => match typed.data_type {
                DataType::Date => Some(Self::Date),
                DataType::Time(..) => Some(Self::Time),
                DataType::Timestamp(..) | DataType::Datetime(_) => Some(Self::DateTime),
                _ => None,
            },
            Expr::Extract { .. } | Expr::Position { .. } => Some(Self::Exact),
            Expr::Ceil { expr, .. } | Expr::Floor { expr, .. } => number::whole(&of(expr)?),
            Expr::Substring { expr, substring_for, .. } => {
                text::cut(of(expr)?, substring_for.as_deref().and_then(whole_number))
            }
            Expr::Trim { expr, .. } => text::cut(of(expr)?, None),
            Expr::Collate { expr, .. } => text::servers_own(of(expr)?),
            Expr::Function(function) => Self::of_function(scope, expr, function),
            _ => None,
        }
    }

    fn of_function(scope: Scope<'_>, expr: &Expr, function: &Function) -> Option<Self> {
        if is_aggregate(expr) || function.over.is_some() {
            return function::of_rows(scope, function);
        }
        function::of_values(scope, function)
    }

    /// What a column of this type holds; `None` where that is of no one kind.
    pub(super) fn of_column(declared: &ColumnType) -> Option<Self> {
        Some(match declared {
            ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Year => Self::Exact,
            ColumnType::Float { decimals: None } => Self::Float,
            ColumnType::Float { decimals: Some(_) } => Self::Short,
            ColumnType::Double { decimals: None } => Self::Double,
            ColumnType::Double { decimals: Some(_) } => Self::Rounded,
            ColumnType::Date => Self::Date,
            ColumnType::DateTime { .. } => Self::DateTime,
            ColumnType::Time { .. } => Self::Time,
            ColumnType::Binary { length, .. } => Self::Binary(length.unwrap_or(u32::MAX)),
            ColumnType::Text { length, collation } => Self::Text(Text {
                collated: collation.clone().map_or(Collated::ByServers, Collated::By),
                characters: length.unwrap_or(u32::MAX),
                ..Text::SHORT
            }),
            ColumnType::Enum { members, .. } | ColumnType::Set { members, .. } => Self::Text(Text {
                collated: Collated::ByServers,
                characters: members.iter().map(|member| text::characters(member) + 1).sum(),
                ..Text::SHORT
            }),
            ColumnType::Timestamp { .. } => Self::Timestamp,
            ColumnType::Bit { .. } => Self::Bits,
            ColumnType::Json | ColumnType::Other(_) => return None,
        })
    }

    fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(digits, _) => {
                let exact = digits.to_string().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                Some(if exact { Self::Exact } else { Self::Double })
            }
            Value::Boolean(_) => Some(Self::Exact),
            Value::Null => Some(Self::Null),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                Some(Self::Text(Text::literal(text)))
            }
            _ => None,
        }
    }

    /// Whether the sum of sums, each as it is printed, is the sum.
    pub(super) fn adds_up(&self) -> bool {
        !matches!(self, Self::Quotient | Self::Short)
    }

    fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Exact | Self::Quotient | Self::Double | Self::Float | Self::Rounded | Self::Short
        )
    }
}
