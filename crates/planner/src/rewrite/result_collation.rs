//! What is known of the collation of an expression's value.

use std::ops::ControlFlow;

use serval_types::{Collation, ColumnType};
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, visit_expressions,
};

use super::expression::{is_named, strip};
use super::sort_key::is_column;
use crate::analysis::Scope;

/// Where the collation of a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A column of text decides it.
    Column(Collation),
    /// The session decides it, if the value is text at all, and no value has a character that sorts before a space.
    Plain,
    /// Only the servers know.
    Servers,
    /// Several columns' are mixed.
    Mixed,
    /// A column's type is not known, or its values are too long to be sorted fully.
    TooLong,
}

/// Functions whose value has the collation of their arguments of text.
const KEEPING: [&str; 21] = [
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "GREATEST",
    "IFNULL",
    "LCASE",
    "LEAST",
    "LEFT",
    "LOWER",
    "LPAD",
    "LTRIM",
    "MID",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "RPAD",
    "RTRIM",
    "SUBSTR",
    "SUBSTRING",
    "UCASE",
    "UPPER",
];
/// Functions whose value has letters and digits only.
const LETTERS: [&str; 6] = ["HEX", "MD5", "SHA", "SHA1", "SHA2", "TO_BASE64"];

/// What is known of the collation of this expression, which is no column itself.
pub(super) fn origin(scope: Scope<'_>, expr: &Expr) -> Origin {
    let mut of_text = false;
    let mut simple = true;
    let mut too_long = false;
    let _ = visit_expressions(expr, |inner| {
        if is_column(scope, inner) {
            match scope.declared(inner) {
                Some(ColumnType::Text { length: Some(_), collation: Some(_) }) => of_text = true,
                Some(ColumnType::Text { .. } | ColumnType::Json) | None => too_long = true,
                Some(_) => {}
            }
        }
        simple &= !sorts_low(inner);
        ControlFlow::<()>::Continue(())
    });
    if too_long {
        return Origin::TooLong;
    }
    let letters = |function: &Function| LETTERS.iter().any(|name| is_named(function, name));
    if matches!(strip(expr), Expr::Function(function) if letters(function)) {
        return Origin::Plain;
    }
    let mut values = Vec::new();
    let known = if of_text { collect(scope, expr, &mut values) } else { true };
    match values.pop() {
        Some(last) if known && values.iter().all(|other| *other == last) => Origin::Column(last),
        Some(_) if known => Origin::Mixed,
        None if known && simple => Origin::Plain,
        _ => Origin::Servers,
    }
}

/// Collects the collations of the columns of text that can become the value; `false` where that is not known.
fn collect(scope: Scope<'_>, expr: &Expr, found: &mut Vec<Collation>) -> bool {
    let expr = strip(expr);
    if is_column(scope, expr) {
        return match scope.declared(expr) {
            Some(ColumnType::Text { collation: Some(collation), .. }) => {
                found.push(collation.clone());
                true
            }
            Some(other) => is_number_or_moment(other),
            None => false,
        };
    }
    match expr {
        Expr::Value(value) => matches!(
            value.value,
            Value::Number(..)
                | Value::SingleQuotedString(_)
                | Value::DoubleQuotedString(_)
                | Value::Null
                | Value::Boolean(_)
        ),
        Expr::Substring { expr, .. } | Expr::Trim { expr, trim_what: None, .. } => {
            collect(scope, expr, found)
        }
        Expr::Case { conditions, else_result, .. } => conditions
            .iter()
            .map(|when| &when.result)
            .chain(else_result.as_deref())
            .all(|result| collect(scope, result, found)),
        Expr::Function(function) => {
            let Some(arguments) = arguments(function) else { return false };
            let skipped = match () {
                () if KEEPING.iter().any(|name| is_named(function, name)) => 0,
                () if is_named(function, "IF") => 1,
                () => return false,
            };
            arguments.iter().skip(skipped).all(|argument| collect(scope, argument, found))
        }
        _ => false,
    }
}

/// The arguments of a plain call.
fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let expression = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(expression).collect()
}

/// Whether a value gives way to a text's collation.
fn is_number_or_moment(declared: &ColumnType) -> bool {
    !matches!(
        declared,
        ColumnType::Binary { .. }
            | ColumnType::Bit { .. }
            | ColumnType::Enum { .. }
            | ColumnType::Set { .. }
            | ColumnType::Json
            | ColumnType::Other(_)
    )
}

/// Whether an expression is a text that can end in what sorts like a space or before it.
fn sorts_low(expr: &Expr) -> bool {
    let Expr::Value(value) = expr else { return false };
    match &value.value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
            text.ends_with(' ') || text.chars().any(|letter| letter < ' ')
        }
        Value::Number(..) | Value::Null | Value::Boolean(_) => false,
        _ => true,
    }
}
