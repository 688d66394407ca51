//! Predicates that have a value for every row, without an error and without a warning.
//!
//! Which rows a server evaluates a predicate for depends on its plan, so one that may fail (`unsigned - 1`) or warn
//! (`text = 5`) must not be evaluated for more rows, or for fewer, than the statement itself does.

use serval_types::ColumnType;
use sqlparser::ast::{
    BinaryOperator, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    UnaryOperator, Value,
};

use crate::analysis::Scope;

/// Functions of text that are text, and those that are numbers.
const TEXT_OF_TEXT: [&str; 6] = ["UPPER", "LOWER", "UCASE", "LCASE", "REVERSE", "HEX"];
const NUMBER_OF_TEXT: [&str; 4] = ["LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH"];
const NUMBER_OF_MOMENT: [&str; 5] = ["YEAR", "MONTH", "DAY", "DAYOFMONTH", "QUARTER"];
/// The moment of the statement.
const NOW: [&str; 6] = ["NOW", "CURRENT_TIMESTAMP", "CURDATE", "CURRENT_DATE", "LOCALTIME", "LOCALTIMESTAMP"];

/// What values are compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    Number,
    Text,
    /// A literal's text that is a number.
    Digits,
    /// A date with or without a time, or a time.
    Moment,
    /// A literal's text that may be one.
    Civil,
    /// ENUM and SET.
    Member,
    Null,
}

/// Whether `expr` is such a predicate over columns of `scope`.
pub(super) fn is_total(expr: &Expr, scope: Scope<'_>) -> bool {
    Total { scope, around: None }.predicate(expr)
}

/// What is known of the columns that a predicate may have.
pub(super) struct Total<'a> {
    pub(super) scope: Scope<'a>,
    /// Those around a subquery.
    pub(super) around: Option<Scope<'a>>,
}

impl Total<'_> {
    pub(super) fn predicate(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Nested(inner) => self.predicate(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.predicate(expr),
            Expr::IsNull(expr) | Expr::IsNotNull(expr) => self.domain(expr).is_some() || self.predicate(expr),
            Expr::IsTrue(expr) | Expr::IsNotTrue(expr) | Expr::IsFalse(expr) | Expr::IsNotFalse(expr) => {
                self.predicate(expr)
            }
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor => {
                    self.predicate(left) && self.predicate(right)
                }
                BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
                | BinaryOperator::Spaceship => self.compare(left, right),
                _ => false,
            },
            Expr::Between { expr, low, high, .. } => self.compare(expr, low) && self.compare(expr, high),
            Expr::InList { expr, list, .. } => self.in_list(expr, list),
            Expr::Like { expr, pattern, escape_char: None, any: false, .. } => {
                let text = matches!(self.domain(expr), Some(Domain::Text));
                text && matches!(**pattern, Expr::Value(_)) && self.compare(expr, pattern)
            }
            _ => false,
        }
    }

    /// All elements are compared with the value; a list of several kinds is compared in several ways.
    fn in_list(&self, expr: &Expr, list: &[Expr]) -> bool {
        if let Expr::Tuple(columns) = expr {
            return list.iter().all(|row| match row {
                Expr::Tuple(values) => {
                    values.len() == columns.len()
                        && columns.iter().zip(values).all(|(column, value)| self.compare(column, value))
                }
                _ => false,
            });
        }
        if !serval_sql::is_shortened(list) {
            return list.iter().all(|value| self.compare(expr, value));
        }
        // Texts that are not there may be no number and no date.
        let values = &list[..list.len() - 1];
        let texts = values.iter().all(|value| self.is_number(value))
            || matches!(self.domain(expr), Some(Domain::Text | Domain::Member));
        texts && values.iter().all(|value| self.compare(expr, value))
    }

    pub(super) fn compare(&self, left: &Expr, right: &Expr) -> bool {
        let (Some(left), Some(right)) = (self.domain(left), self.domain(right)) else { return false };
        let fits = |one, two| {
            matches!(
                (one, two),
                (Domain::Null, _)
                    | (Domain::Number, Domain::Number | Domain::Digits)
                    | (Domain::Text | Domain::Member, Domain::Text | Domain::Digits | Domain::Civil)
                    | (Domain::Moment, Domain::Civil)
            )
        };
        // Two dates, of which neither is converted.
        (left == Domain::Moment && right == Domain::Moment) || fits(left, right) || fits(right, left)
    }

    fn domain(&self, expr: &Expr) -> Option<Domain> {
        match expr {
            Expr::Nested(inner) => self.domain(inner),
            Expr::Value(value) => literal(&value.value),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Expr::Value(value) => literal(&value.value).filter(|domain| *domain == Domain::Number),
                _ => None,
            },
            Expr::TypedString(typed) => {
                let dated = matches!(typed.data_type, DataType::Date | DataType::Timestamp(..));
                let plain = literal(&typed.value.value) == Some(Domain::Civil);
                (dated && plain).then_some(Domain::Moment)
            }
            Expr::Collate { expr, .. } => self.domain(expr).filter(|domain| *domain == Domain::Text),
            Expr::Extract { field, expr, .. } => {
                let field = matches!(field, DateTimeField::Year | DateTimeField::Month | DateTimeField::Day);
                (field && self.is_dated(expr)).then_some(Domain::Number)
            }
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let counts = [Some(from), substring_for.as_ref()].into_iter().flatten();
                let plain = counts
                    .into_iter()
                    .all(|count| matches!(&**count, Expr::Value(value) if is_count(&value.value)));
                self.domain(expr).filter(|domain| plain && *domain == Domain::Text)
            }
            Expr::Function(function) => self.function(function),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.column(expr),
            _ => None,
        }
    }

    fn column(&self, expr: &Expr) -> Option<Domain> {
        match self.declared(expr)? {
            ColumnType::Int { .. }
            | ColumnType::Decimal { .. }
            | ColumnType::Float { .. }
            | ColumnType::Double { .. }
            | ColumnType::Year
            | ColumnType::Bit { .. } => Some(Domain::Number),
            ColumnType::Text { .. } => Some(Domain::Text),
            ColumnType::Enum { .. } | ColumnType::Set { .. } => Some(Domain::Member),
            ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => {
                Some(Domain::Moment)
            }
            _ => None,
        }
    }

    fn declared(&self, expr: &Expr) -> Option<&ColumnType> {
        let scopes = std::iter::once(&self.scope).chain(&self.around);
        let column = scopes.filter_map(|scope| Some((scope, scope.column(expr)?))).next();
        column.and_then(|(scope, column)| scope.column_type(column.table, &column.name))
    }

    /// Whether it is a column whose type is known.
    pub(super) fn is_column(&self, expr: &Expr) -> bool {
        self.declared(expr).is_some()
    }

    /// Whether it is a number as it is written.
    pub(super) fn is_number(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Value(_)) && self.domain(expr) == Some(Domain::Number)
    }

    /// Whether it is an aggregate that is the same in whatever order rows come.
    pub(super) fn is_aggregate(&self, expr: &Expr) -> bool {
        let Expr::Function(function) = expr else { return false };
        let FunctionArguments::List(list) = &function.args else { return false };
        let plain = list.clauses.is_empty() && function.over.is_none() && function.filter.is_none();
        let [FunctionArg::Unnamed(argument)] = &*list.args else { return false };
        let is =
            |names: &[&str]| names.iter().any(|name| function.name.to_string().eq_ignore_ascii_case(name));
        plain
            && match argument {
                FunctionArgExpr::Wildcard => is(&["COUNT"]),
                FunctionArgExpr::Expr(expr) => {
                    let exact = matches!(
                        self.declared(expr),
                        Some(ColumnType::Int { .. } | ColumnType::Decimal { .. })
                    );
                    is(&["COUNT"]) && self.is_column(expr) || exact && is(&["SUM", "MIN", "MAX", "AVG"])
                }
                _ => false,
            }
    }

    /// A column with a date in it.
    fn is_dated(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            && self.column(expr) == Some(Domain::Moment)
    }

    fn function(&self, function: &Function) -> Option<Domain> {
        let name = function.name.to_string();
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        let arguments: Vec<&Expr> = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::List(list)
                if list.clauses.is_empty() && list.duplicate_treatment.is_none() =>
            {
                let plain = list.args.iter().map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                    _ => None,
                });
                plain.collect::<Option<_>>()?
            }
            _ => return None,
        };
        match *arguments {
            [] if is(&NOW) => Some(Domain::Moment),
            [text] if is(&TEXT_OF_TEXT) => self.domain(text).filter(|domain| *domain == Domain::Text),
            [text] if is(&NUMBER_OF_TEXT) => {
                self.domain(text).filter(|domain| *domain == Domain::Text).map(|_| Domain::Number)
            }
            [text, Expr::Value(_)] if is(&["LEFT", "RIGHT"]) => {
                self.domain(text).filter(|domain| *domain == Domain::Text)
            }
            [text, Expr::Value(from)] if is(&["SUBSTRING", "SUBSTR"]) && is_count(&from.value) => {
                self.domain(text).filter(|domain| *domain == Domain::Text)
            }
            [text, Expr::Value(from), Expr::Value(length)]
                if is(&["SUBSTRING", "SUBSTR"]) && is_count(&from.value) && is_count(&length.value) =>
            {
                self.domain(text).filter(|domain| *domain == Domain::Text)
            }
            [date] if is(&NUMBER_OF_MOMENT) && self.is_dated(date) => Some(Domain::Number),
            [date] if is(&["DATE"]) && self.is_dated(date) => Some(Domain::Moment),
            _ => None,
        }
    }
}

fn literal(value: &Value) -> Option<Domain> {
    match value {
        Value::Null => Some(Domain::Null),
        Value::Boolean(_) | Value::Number(..) => Some(Domain::Number),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(match text.as_bytes() {
            text if is_digits(text) => Domain::Digits,
            text if is_civil(text) => Domain::Civil,
            _ => Domain::Text,
        }),
        _ => None,
    }
}

/// A number of characters.
fn is_count(value: &Value) -> bool {
    matches!(value, Value::Number(digits, _) if digits.len() < 10 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_digits(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// `2026-01-31`, or with a time behind it, that a calendar has.
fn is_civil(text: &[u8]) -> bool {
    let shape = |pattern: &[u8], text: &[u8]| {
        text.len() == pattern.len()
            && text
                .iter()
                .zip(pattern)
                .all(|(byte, like)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like })
    };
    let Some((date, time)) = text.split_at_checked(10) else { return false };
    let number = |text: &[u8]| {
        text.iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit.wrapping_sub(b'0')))
    };
    let dated = shape(b"0000-00-00", date)
        && (1..=12).contains(&number(&date[5..7]))
        && (1..=28).contains(&number(&date[8..10]).min(28))
        && (number(&date[8..10]) <= 30 || matches!(number(&date[5..7]), 1 | 3 | 5 | 7 | 8 | 10 | 12))
        && (number(&date[8..10]) <= 31)
        && (number(&date[5..7]) != 2 || number(&date[8..10]) <= 28);
    let timed = time.is_empty()
        || shape(b" 00:00:00", time)
            && number(&time[1..3]) < 24
            && number(&time[4..6]) < 60
            && number(&time[7..9]) < 60;
    dated && timed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_calendar_has_is_a_date() {
        for text in ["2026-01-31", "2026-02-28 23:59:59", "1995-12-31"] {
            assert!(is_civil(text.as_bytes()), "{text}");
        }
        for text in [
            "2026-02-30",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-04-31",
            "2026-01-32",
            "26-01-01",
            "x",
            "2026-01-01 24:00:00",
        ] {
            assert!(!is_civil(text.as_bytes()), "{text}");
        }
        assert!(is_digits(b"-12") && !is_digits(b"") && !is_digits(b"1x"));
    }
}
