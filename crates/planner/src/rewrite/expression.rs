//! Questions that rewrites ask of expressions.

use std::str::FromStr;

use sqlparser::ast::{
    BinaryOperator, DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, SelectItem, Value,
};

use super::operator::contains;

/// Functions that compute one value from many rows.
const AGGREGATES: [&str; 22] = [
    "ANY_VALUE",
    "AVG",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "COUNT",
    "GROUP_CONCAT",
    "GROUPING",
    "JSON_ARRAYAGG",
    "JSON_OBJECTAGG",
    "MAX",
    "MEDIAN",
    "MIN",
    "STD",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "ST_COLLECT",
    "SUM",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// Aggregates whose value over all shards follows from their values on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decomposable {
    /// COUNT.
    Count,
    /// SUM.
    Sum,
    /// MIN.
    Min,
    /// MAX.
    Max,
    /// AVG.
    Avg,
}

/// Whether an expression is a call of an aggregate function (not over a window).
pub(crate) fn is_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if function.over.is_none()
        && AGGREGATES.iter().any(|name| is_named(function, name)))
}

/// Whether an expression is a condition, which is 0 or 1 or NULL.
pub(super) fn is_condition(expr: &Expr) -> bool {
    match strip(expr) {
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::Like { .. }
        | Expr::RLike { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Exists { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::Between { .. } => true,
        Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
                | BinaryOperator::Spaceship
                | BinaryOperator::And
                | BinaryOperator::Or
                | BinaryOperator::Xor
        ),
        _ => false,
    }
}

/// The aggregate that an expression is, where it decomposes: no DISTINCT, no ORDER BY inside, one argument.
pub(super) fn decomposable(expr: &Expr) -> Option<(Decomposable, &Function)> {
    let Expr::Function(function) = expr else { return None };
    if function.over.is_some() || function.filter.is_some() {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = list.duplicate_treatment != Some(DuplicateTreatment::Distinct) && list.clauses.is_empty();
    if !plain || list.args.len() != 1 {
        return None;
    }
    let kinds = [
        ("COUNT", Decomposable::Count),
        ("SUM", Decomposable::Sum),
        ("MIN", Decomposable::Min),
        ("MAX", Decomposable::Max),
        ("AVG", Decomposable::Avg),
    ];
    kinds.into_iter().find(|(name, _)| is_named(function, name)).map(|(_, kind)| (kind, function))
}

/// The only argument of a function, where it is an expression.
pub(crate) fn argument(function: &Function) -> Option<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    match &*list.args {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Some(expr),
        _ => None,
    }
}

/// The expression of a select item; `None` for wildcards.
pub(super) fn item_expr(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// Whether two expressions say the same: the tree's equality does not look at positions, nor at quotes' places. Parameters are all
/// written alike, and may have different values.
pub(super) fn same(one: &Expr, two: &Expr) -> bool {
    if std::ptr::eq(one, two) {
        return true;
    }
    match (strip(one), strip(two)) {
        (Expr::Identifier(one), Expr::Identifier(two)) => one.value.eq_ignore_ascii_case(&two.value),
        (Expr::CompoundIdentifier(parts), Expr::Identifier(name))
        | (Expr::Identifier(name), Expr::CompoundIdentifier(parts)) => {
            parts.last().is_some_and(|last| last.value.eq_ignore_ascii_case(&name.value))
        }
        (one, two) => one == two && !contains(one, is_parameter) && !contains(one, is_worn),
    }
}

/// Whether words of an expression are not in its tree: the parser reads `WEIGHT_STRING(a AS CHAR(2))` without what stands behind a.
fn is_worn(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => {
            ["CHAR", "JSON_VALUE", "WEIGHT_STRING"].iter().any(|name| is_named(function, name))
        }
        _ => false,
    }
}

/// Whether an expression makes a text of a value, of which the tree does not say the character set.
pub(super) fn is_text_cast(expr: &Expr) -> bool {
    match expr {
        Expr::Cast { data_type, .. } => matches!(data_type, DataType::Char(_) | DataType::Character(_)),
        Expr::Convert { .. } => true,
        _ => false,
    }
}

fn is_parameter(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
}

/// Whether an expression is a name that can stand in the nodes' SQL as it is: no more than a table's and a column's.
pub(super) fn is_name(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) => true,
        Expr::CompoundIdentifier(parts) => parts.len() == 2,
        _ => false,
    }
}

/// The number that an expression is, where it is written without a sign and decimals.
pub(super) fn whole_number<N: FromStr>(expr: &Expr) -> Option<N> {
    match strip(expr) {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.to_string().parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// An expression without the parentheses around it.
pub(super) fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => strip(inner),
        other => other,
    }
}

/// Whether a function is called by this name, in any case.
pub(crate) fn is_named(function: &Function, name: &str) -> bool {
    matches!(&*function.name.0, [part] if part.as_ident().is_some_and(|ident| ident.value.eq_ignore_ascii_case(name)))
}
