//! `Fold`: expressions of constants, computed where a predicate's values are bound.
//!
//! A fold answers only where every server computes the same value, whatever type it gives to what stands between. All
//! else is not known, which reaches every shard.

mod moment;
mod number;

use serval_sql::{Locator, Scan};
use serval_types::{ColumnType, Value};
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use crate::operand::{Operand, Values, is_date};
use moment::MomentFold;
use number::NumberFold;

/// An expression of constants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fold {
    /// A whole number.
    Number(NumberFold),
    /// A date, with or without a time.
    Moment(MomentFold),
    /// An operand that is not known where it is NULL: `<=>`, which finds NULL as well.
    Present(Box<Operand>),
}

/// Where expressions are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// From the parser's places to bytes.
    pub(crate) locator: &'a Locator,
    /// Where the holes are.
    pub(crate) scan: &'a Scan,
}

impl Fold {
    /// What an expression that is compared with a column of this type computes; `None` where that is not understood.
    pub(crate) fn of(expr: &Expr, declared: &ColumnType, place: Place<'_>) -> Option<Self> {
        match declared {
            ColumnType::Int { .. } => NumberFold::of(expr, place).map(Self::Number),
            declared if is_date(declared) => MomentFold::of(expr, place).map(Self::Moment),
            // A computed string has a collation of its own, and a computed number makes others of them.
            _ => None,
        }
    }

    /// The value; `None` where it is not known.
    pub(crate) fn value(&self, values: &Values<'_>) -> Option<Value> {
        match self {
            Self::Number(number) => number.value(values).map(Value::Int),
            Self::Moment(moment) => {
                moment.value(values).map(|moment| Value::Text(moment.to_string().into_bytes()))
            }
            Self::Present(operand) => operand.known(values).filter(|value| !value.is_null()),
        }
    }

    /// Whether the statement's instant decides.
    pub(crate) fn looks_at_clock(&self) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Moment(moment) => moment.looks_at_clock(),
            Self::Present(operand) => operand.looks_at_clock(),
        }
    }
}

/// The single-part name of a function, and its arguments where they are plain.
fn call(function: &Function) -> Option<(&str, Vec<&Expr>)> {
    let [name] = &*function.name.0 else { return None };
    let plain = function.over.is_none() && function.filter.is_none() && function.within_group.is_empty();
    let arguments = match &function.args {
        FunctionArguments::None => Vec::new(),
        FunctionArguments::List(list) if list.clauses.is_empty() && list.duplicate_treatment.is_none() => {
            let plain = list.args.iter().map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            });
            plain.collect::<Option<_>>()?
        }
        _ => return None,
    };
    let name = name.as_ident()?;
    (plain && name.quote_style.is_none()).then_some((&*name.value, arguments))
}
