//! What the columns of a query are that is to be computed before it is gathered, as far as its result is the same wherever
//! and for whichever rows it is evaluated: columns and aggregates of numbers, texts and dates.

use serval_types::{ColumnType, IntWidth};
use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    LimitClause, OrderByKind, Query, Select, Value,
};

use super::super::total::Total;
use crate::analysis::Scope;
use crate::primitive::Loading;
use crate::rewrite::expression::is_named;

/// DECIMAL has no more digits.
const MOST_DIGITS: u32 = 65;
/// So many can be added up for as many rows as there can be. The sum of more may be out of range, which one server says
/// only if it comes to compute it.
const SUMMED_DIGITS: u32 = MOST_DIGITS - 20;

/// A column of a result.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// As far as rows are found by it; that of sums is nobody's business.
    pub(super) column_type: ColumnType,
    pub(super) nullable: bool,
    pub(super) loading: Loading,
    /// It is this column of a table, and no aggregate.
    pub(super) column: Option<crate::analysis::Column>,
}

/// A query's expressions.
pub(super) struct Shapes<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) select: &'a Select,
}

impl Shapes<'_> {
    fn total(&self) -> Total<'_> {
        Total { scope: self.scope, around: None }
    }

    /// What an item of the select list is.
    pub(super) fn of(&self, expr: &Expr) -> Option<Shape> {
        if let Some(column) = self.scope.column(expr) {
            let column_type = self.scope.column_type(column.table, &column.name)?.clone();
            let definition = self.scope.refs[column.table].table.table.definition.as_deref()?;
            let declared = definition.column(&column.name)?;
            let nullable = declared.nullable || self.scope.refs[column.table].nullable;
            let loading = loading(&column_type)?;
            return Some(Shape { column_type, nullable, loading, column: Some(column) });
        }
        let plain = |column_type, nullable, loading| Shape { column_type, nullable, loading, column: None };
        let sum = || ColumnType::Other("sum".into());
        match expr {
            Expr::Nested(inner) => self.of(inner),
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) if is_integer(&digits.to_string()) => {
                    Some(plain(sum(), false, Loading::Number))
                }
                _ => None,
            },
            Expr::Function(function) => match self.aggregate(function)? {
                Aggregated::Count => {
                    let count = ColumnType::Int { width: IntWidth::Big, unsigned: false };
                    Some(plain(count, false, Loading::Number))
                }
                Aggregated::Exact => Some(plain(sum(), true, Loading::Number)),
                Aggregated::Double => {
                    Some(plain(ColumnType::Double { decimals: None }, true, Loading::Bytes))
                }
                Aggregated::Extreme(declared) => {
                    let loading = loading(&declared)?;
                    Some(plain(declared, true, loading))
                }
            },
            _ => None,
        }
    }

    /// The table of the column that an expression is the least or greatest of.
    pub(super) fn extreme_of(&self, expr: &Expr) -> Option<usize> {
        let Expr::Function(function) = expr else { return None };
        let extreme = is_named(function, "MIN") || is_named(function, "MAX");
        let argument = crate::rewrite::expression::argument(function).filter(|_| extreme)?;
        self.scope.column(argument).map(|column| column.table)
    }

    fn aggregate(&self, function: &Function) -> Option<Aggregated> {
        let FunctionArguments::List(list) = &function.args else { return None };
        let plain = list.clauses.is_empty() && function.over.is_none() && function.filter.is_none();
        let [FunctionArg::Unnamed(argument)] = &*list.args else { return None };
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        if !plain {
            return None;
        }
        let argument = match argument {
            FunctionArgExpr::Wildcard => {
                return (is_named(function, "COUNT") && !distinct).then_some(Aggregated::Count);
            }
            FunctionArgExpr::Expr(argument) => argument,
            _ => return None,
        };
        let declared = self.scope.column(argument);
        let declared = declared.and_then(|column| self.scope.column_type(column.table, &column.name));
        match () {
            () if is_named(function, "COUNT") => {
                (declared.is_some() || matches!(argument, Expr::Value(_))).then_some(Aggregated::Count)
            }
            () if is_named(function, "SUM") || is_named(function, "AVG") => match declared {
                Some(ColumnType::Double { decimals: None }) => Some(Aggregated::Double),
                Some(ColumnType::Int { .. }) => Some(Aggregated::Exact),
                Some(ColumnType::Decimal { .. }) | None => {
                    let exact = self.exact(argument)?;
                    (exact.1 && exact.0 <= SUMMED_DIGITS).then_some(Aggregated::Exact)
                }
                Some(_) => None,
            },
            () if is_named(function, "MIN") || is_named(function, "MAX") => {
                declared.filter(|declared| loading(declared).is_some()).cloned().map(Aggregated::Extreme)
            }
            () => None,
        }
    }

    /// The digits of arithmetic that cannot fail, and whether it is one of DECIMAL.
    fn exact(&self, expr: &Expr) -> Option<(u32, bool)> {
        match expr {
            Expr::Nested(inner) => self.exact(inner),
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) => {
                    let text = digits.to_string();
                    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                    let length = u32::try_from(text.len()).ok()?;
                    (plain && length < 20).then(|| (length, text.contains('.')))
                }
                _ => None,
            },
            Expr::BinaryOp { left, op, right } => {
                let ((one, exact), (two, other)) = (self.exact(left)?, self.exact(right)?);
                // Without a DECIMAL it is that of integers, which overflows.
                let digits = match op {
                    BinaryOperator::Plus | BinaryOperator::Minus => one + two + 1,
                    BinaryOperator::Multiply => one + two,
                    _ => return None,
                };
                (digits <= MOST_DIGITS && (exact || other)).then_some((digits, true))
            }
            column => {
                let column = self.scope.column(column)?;
                match self.scope.column_type(column.table, &column.name)? {
                    ColumnType::Int { .. } => Some((20, false)),
                    ColumnType::Decimal { precision, .. } => Some((u32::from(*precision), true)),
                    _ => None,
                }
            }
        }
    }

    /// Whether a condition of HAVING has a value for every group.
    pub(super) fn having(&self, having: &Expr) -> bool {
        use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
        match having {
            Expr::Nested(inner) => self.having(inner),
            Expr::BinaryOp { left, op: And | Or, right } => self.having(left) && self.having(right),
            Expr::BinaryOp { left, op: Eq | NotEq | Lt | LtEq | Gt | GtEq, right } => {
                self.is_number(left) && self.total().is_number(right)
            }
            _ => false,
        }
    }

    /// Whether an expression of HAVING is an aggregate that is a number, by itself or by its alias.
    fn is_number(&self, expr: &Expr) -> bool {
        let of = |expr: &Expr| match expr {
            Expr::Function(function) => matches!(
                self.aggregate(function),
                Some(Aggregated::Count | Aggregated::Exact | Aggregated::Extreme(ColumnType::Int { .. }))
            ),
            _ => false,
        };
        match expr {
            Expr::Nested(inner) => self.is_number(inner),
            Expr::Identifier(name) if !self.scope.may_own(&name.value.to_lowercase()) => {
                self.aliased(&name.value).is_some_and(of)
            }
            expr => of(expr),
        }
    }

    /// The item of the select list that has an alias.
    fn aliased(&self, name: &str) -> Option<&Expr> {
        use sqlparser::ast::SelectItem;
        let mut found = self.select.projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value.eq_ignore_ascii_case(name) => Some(expr),
            _ => None,
        });
        let only = found.next()?;
        found.next().is_none().then_some(only)
    }

    /// Whether ORDER BY and LIMIT are by what cannot fail.
    pub(super) fn ends(&self, query: &Query) -> bool {
        let ordered = match query.order_by.as_ref().map(|order| &order.kind) {
            None => true,
            Some(OrderByKind::Expressions(items)) => items.iter().all(|item| {
                let by_name =
                    matches!(&item.expr, Expr::Identifier(name) if self.aliased(&name.value).is_some());
                item.with_fill.is_none() && (by_name || self.of(&item.expr).is_some())
            }),
            Some(_) => false,
        };
        let number =
            |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(value.value, Value::Number(..)));
        let limited = match &query.limit_clause {
            None => true,
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                limit_by.is_empty()
                    && limit.as_ref().is_none_or(number)
                    && offset.as_ref().is_none_or(|offset| number(&offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => number(offset) && number(limit),
        };
        ordered && limited
    }
}

enum Aggregated {
    Count,
    /// A sum or average that is exact.
    Exact,
    Double,
    /// MIN or MAX of a column of this type.
    Extreme(ColumnType),
}

/// How a value of a type is loaded that is read as it stands; `None` where its text is not all of it.
fn loading(column_type: &ColumnType) -> Option<Loading> {
    match column_type {
        ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Year => Some(Loading::Number),
        ColumnType::Text { .. }
        | ColumnType::Double { .. }
        | ColumnType::Date
        | ColumnType::DateTime { .. }
        | ColumnType::Time { .. } => Some(Loading::Bytes),
        _ => None,
    }
}

fn is_integer(digits: &str) -> bool {
    digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit())
}
