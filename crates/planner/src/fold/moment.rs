//! Dates: the statement's instant, intervals, CAST.

use serval_catalog::{CalendarUnit, Moment};
use serval_types::Value;
use sqlparser::ast::{BinaryOperator, CastKind, DataType, DateTimeField, Expr, Interval, TimezoneInfo};

use super::{Place, call};
use crate::operand::{Operand, Values};

/// Servers know no dates before, and none behind.
const YEARS: std::ops::RangeInclusive<u16> = 1000..=9999;

/// A date that is computed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MomentFold {
    /// NOW(), with so many digits of the fraction.
    Now {
        /// None means none of them.
        digits: Option<Operand>,
    },
    /// A text that is a date, with a time only where `timed`.
    Text {
        /// The text.
        operand: Operand,
        /// `YYYY-MM-DD hh:mm:ss` is one too.
        timed: bool,
    },
    /// Its day.
    Day(Box<Self>),
    /// Without a fraction it is itself as DATETIME.
    Whole(Box<Self>),
    /// So much later.
    Shifted {
        /// Than this.
        base: Box<Self>,
        /// How many.
        amount: Operand,
        /// Earlier.
        back: bool,
        /// What is counted.
        unit: CalendarUnit,
    },
}

impl MomentFold {
    pub(super) fn of(expr: &Expr, place: Place<'_>) -> Option<Self> {
        match expr {
            Expr::Nested(expr) => Self::of(expr, place),
            Expr::BinaryOp { left, op, right } => match (&**left, op, &**right) {
                (base, BinaryOperator::Plus, Expr::Interval(interval))
                | (Expr::Interval(interval), BinaryOperator::Plus, base) => {
                    Self::shifted(base, interval, false, place)
                }
                (base, BinaryOperator::Minus, Expr::Interval(interval)) => {
                    Self::shifted(base, interval, true, place)
                }
                _ => None,
            },
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => {
                Self::cast(expr, data_type, place)
            }
            Expr::Function(function) => {
                let (name, arguments) = call(function)?;
                Self::call(name, &arguments, place)
            }
            _ => None,
        }
    }

    /// What intervals are added to: texts, too.
    fn base(expr: &Expr, place: Place<'_>) -> Option<Self> {
        let text = |expr: &Expr| {
            let operand = Operand::of(expr, place.locator, place.scan)?;
            Some(Self::Text { operand, timed: true })
        };
        match expr {
            Expr::Nested(expr) => Self::base(expr, place),
            Expr::Value(_) => text(expr),
            Expr::TypedString(typed) if is_dated(&typed.data_type) => text(expr),
            expr => Self::of(expr, place),
        }
    }

    fn shifted(base: &Expr, interval: &Interval, back: bool, place: Place<'_>) -> Option<Self> {
        let Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } =
            interval;
        if leading_precision.is_some() || last_field.is_some() || fractional_seconds_precision.is_some() {
            return None;
        }
        let unit = match leading_field.as_ref()? {
            DateTimeField::Year => CalendarUnit::Years,
            DateTimeField::Quarter => CalendarUnit::Quarters,
            DateTimeField::Month => CalendarUnit::Months,
            DateTimeField::Week(None) => CalendarUnit::Weeks,
            DateTimeField::Day => CalendarUnit::Days,
            DateTimeField::Hour => CalendarUnit::Hours,
            DateTimeField::Minute => CalendarUnit::Minutes,
            DateTimeField::Second => CalendarUnit::Seconds,
            _ => return None,
        };
        let amount = Operand::of(value, place.locator, place.scan)?;
        Some(Self::Shifted { base: Box::new(Self::base(base, place)?), amount, back, unit })
    }

    fn cast(expr: &Expr, data_type: &DataType, place: Place<'_>) -> Option<Self> {
        let text = |timed| {
            let plain = matches!(expr, Expr::Value(_));
            let operand = Operand::of(expr, place.locator, place.scan).filter(|_| plain)?;
            Some(Self::Text { operand, timed })
        };
        match data_type {
            DataType::Date => text(false).or_else(|| Some(Self::Day(Box::new(Self::of(expr, place)?)))),
            DataType::Datetime(None) => {
                text(true).or_else(|| Some(Self::Whole(Box::new(Self::of(expr, place)?))))
            }
            _ => None,
        }
    }

    fn call(name: &str, arguments: &[&Expr], place: Place<'_>) -> Option<Self> {
        const NOW: [&str; 4] = ["NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        match *arguments {
            [] if is(&NOW) => Some(Self::Now { digits: None }),
            [digits] if is(&NOW) => {
                let digits = Operand::of(digits, place.locator, place.scan)?;
                Some(Self::Now { digits: Some(digits) })
            }
            [] if is(&["CURDATE", "CURRENT_DATE"]) => Some(Self::Day(Box::new(Self::Now { digits: None }))),
            [moment] if is(&["DATE"]) => Some(Self::Day(Box::new(Self::of(moment, place)?))),
            [base, Expr::Interval(interval)] if is(&["DATE_ADD", "ADDDATE"]) => {
                Self::shifted(base, interval, false, place)
            }
            [base, Expr::Interval(interval)] if is(&["DATE_SUB", "SUBDATE"]) => {
                Self::shifted(base, interval, true, place)
            }
            _ => None,
        }
    }

    pub(super) fn looks_at_clock(&self) -> bool {
        match self {
            Self::Now { .. } => true,
            Self::Text { .. } => false,
            Self::Day(inner) | Self::Whole(inner) | Self::Shifted { base: inner, .. } => {
                inner.looks_at_clock()
            }
        }
    }

    pub(super) fn value(&self, values: &Values<'_>) -> Option<Moment> {
        let moment = match self {
            Self::Now { digits } => {
                let Value::Text(now) = values.now? else { return None };
                let (now, _) = Moment::parse_text(str::from_utf8(now).ok()?)?;
                now.cut(digits.as_ref().map_or(Some(0), |digits| fraction(&digits.value(values)))?)
            }
            Self::Text { operand, timed } => written(&operand.value(values), *timed)?,
            Self::Day(inner) => inner.value(values)?.midnight(),
            // Servers differ in whether they round or cut it.
            Self::Whole(inner) => inner.value(values).filter(|moment| moment.micros == 0)?,
            Self::Shifted { base, amount, back, unit } => {
                let amount = whole(&amount.value(values))?;
                base.value(values)?.plus(if *back { -amount } else { amount }, *unit)?
            }
        };
        YEARS.contains(&moment.year).then_some(moment)
    }
}

fn is_dated(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date | DataType::Timestamp(None, TimezoneInfo::None))
}

fn fraction(digits: &Value) -> Option<u8> {
    match digits {
        Value::Int(digits @ 0..=6) => u8::try_from(*digits).ok(),
        _ => None,
    }
}

/// How many of a unit; a text may be many things besides a number.
fn whole(amount: &Value) -> Option<i64> {
    /// More leads out of the calendar.
    const MOST: i64 = 1 << 40;
    match amount {
        Value::Int(amount) => Some(*amount).filter(|amount| (-MOST..=MOST).contains(amount)),
        Value::Text(text) if (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) => {
            str::from_utf8(text).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// `2026-01-31`, or with a time behind it.
fn written(value: &Value, timed: bool) -> Option<Moment> {
    let Value::Text(text) = value else { return None };
    let like = |pattern: &[u8]| {
        let same =
            |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
        text.len() == pattern.len() && text.iter().zip(pattern).all(same)
    };
    if !(like(b"0000-00-00") || timed && like(b"0000-00-00 00:00:00")) {
        return None;
    }
    Moment::parse_text(str::from_utf8(text).ok()?).map(|(moment, _)| moment)
}
