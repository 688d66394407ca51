//! Numbers: integer and DECIMAL columns.

use std::ops::Bound;
use std::str::FromStr;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};
use serval_types::Value;

use super::Candidates;
use crate::Key;

/// Above this, DOUBLE has no room for every whole number.
const EXACT_IN_DOUBLE: i128 = 1 << 53;
/// A decimal text of this many digits and a DOUBLE name each other.
const DIGITS_OF_DOUBLE: u64 = 15;
/// No number that any column holds has more digits or a larger exponent. Beyond it arithmetic would only cost time.
const LONGEST_NUMBER: usize = 128;
const LARGEST_EXPONENT: i64 = 128;

/// Storing into an integer column: exact numbers round half away from zero, DOUBLE rounds half to even.
pub(super) fn store_integer(value: &Value, low: i128, high: i128) -> Result<Key, String> {
    let whole = match value {
        Value::Int(number) => i128::from(*number),
        Value::UInt(number) => i128::from(*number),
        // -0.4 would round to 0, but servers refuse it in an unsigned column before they round.
        Value::Decimal(number) if low == 0 && number.sign() == Sign::Minus => -1,
        Value::Decimal(number) => rounded(number),
        Value::Double(number) if number.is_nan() => return Err(not_a_number()),
        Value::Double(number) => double_rounded(*number),
        Value::Text(text) => rounded(&number_in(text).ok_or_else(not_a_number)?),
        Value::Moment(_) | Value::Time(_) => return Err(not_a_number()),
        Value::Null | Value::Bytes(_) => return Err(BINARY_STRING.to_owned()),
    };
    if (low..=high).contains(&whole) {
        return Ok(Key::Integer(whole));
    }
    Err(format!("it is out of the column's range, {low} to {high}"))
}

/// Storing into DECIMAL(precision, scale) rounds half away from zero.
pub(super) fn store_decimal(value: &Value, precision: u8, scale: u8, unsigned: bool) -> Result<Key, String> {
    let number = match value {
        Value::Int(number) => BigDecimal::from(*number),
        Value::UInt(number) => BigDecimal::from(*number),
        Value::Decimal(number) => number.clone(),
        Value::Text(text) => number_in(text).ok_or_else(not_a_number)?,
        Value::Double(_) => {
            return Err(
                "a DOUBLE has no exact decimal value; write the number without an exponent".to_owned()
            );
        }
        Value::Moment(_) | Value::Time(_) => return Err(not_a_number()),
        Value::Null | Value::Bytes(_) => return Err(BINARY_STRING.to_owned()),
    };
    let negative = number.sign() == Sign::Minus;
    let number = number.with_scale_round(scale.into(), RoundingMode::HalfUp);
    if (unsigned && negative) || (!number.is_zero() && number.digits() > precision.into()) {
        return Err("it is out of the column's range".to_owned());
    }
    Ok(Key::number(&number))
}

pub(super) fn equal_integer(value: &Value, low: i128, high: i128) -> Candidates {
    match Point::of(value) {
        None => Candidates::Anything,
        Some(Point { floor, whole: true }) if (low..=high).contains(&floor) => {
            Candidates::One(Key::Integer(floor))
        }
        Some(_) => Candidates::Nothing,
    }
}

pub(super) fn equal_decimal(value: &Value, precision: u8, scale: u8) -> Candidates {
    let number = match value {
        Value::Int(number) => BigDecimal::from(*number),
        Value::UInt(number) => BigDecimal::from(*number),
        Value::Decimal(number) => number.clone(),
        // Compared as DOUBLE, which is exact only where both sides have few digits.
        Value::Text(text) => match number_in(text) {
            Some(number)
                if number.digits() <= DIGITS_OF_DOUBLE && u64::from(precision) <= DIGITS_OF_DOUBLE =>
            {
                number
            }
            _ => return Candidates::Anything,
        },
        _ => return Candidates::Anything,
    };
    if number.normalized().fractional_digit_count() > scale.into() {
        return Candidates::Nothing;
    }
    Candidates::One(Key::number(&number))
}

/// The whole numbers of the column between the bounds.
pub(super) fn integer_range(low: Bound<&Value>, high: Bound<&Value>, least: i128, most: i128) -> Candidates {
    let low = match low {
        Bound::Included(value) => {
            Point::of(value).map_or(least, |p| if p.whole { p.floor } else { p.floor + 1 })
        }
        Bound::Excluded(value) => Point::of(value).map_or(least, |p| p.floor + 1),
        Bound::Unbounded => least,
    };
    let high = match high {
        Bound::Included(value) => Point::of(value).map_or(most, |p| p.floor),
        Bound::Excluded(value) => {
            Point::of(value).map_or(most, |p| if p.whole { p.floor - 1 } else { p.floor })
        }
        Bound::Unbounded => most,
    };
    let (low, high) = (low.max(least), high.min(most));
    if low > high {
        return Candidates::Nothing;
    }
    Candidates::Range(Bound::Included(Key::Integer(low)), Bound::Included(Key::Integer(high)))
}

/// Where a value lies among the whole numbers, when an integer column compares with it exactly.
struct Point {
    floor: i128,
    whole: bool,
}

impl Point {
    /// `None` where MySQL would compare as DOUBLE and that is not exact, or where the text is no clean number.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self { floor: (*number).into(), whole: true }),
            Value::UInt(number) => Some(Self { floor: (*number).into(), whole: true }),
            Value::Decimal(number) => Some(Self::of_decimal(number)),
            Value::Double(number) => {
                let floor = number.floor();
                let exact = floor.is_finite() && floor.abs() <= EXACT_IN_DOUBLE as f64;
                exact.then_some(Self { floor: floor as i128, whole: floor == *number })
            }
            Value::Text(text) => {
                let number = number_in(text)?;
                let point = Self::of_decimal(&number);
                let exact = point.floor.abs() < EXACT_IN_DOUBLE
                    && (point.whole || number.digits() <= DIGITS_OF_DOUBLE);
                exact.then_some(point)
            }
            Value::Null | Value::Bytes(_) | Value::Moment(_) | Value::Time(_) => None,
        }
    }

    fn of_decimal(number: &BigDecimal) -> Self {
        let floor = number.with_scale_round(0, RoundingMode::Floor);
        Self { whole: floor == *number, floor: saturate(&floor) }
    }
}

/// Numbers far outside every column stay far outside it, with room for one more or less.
fn saturate(whole: &BigDecimal) -> i128 {
    let limit = i128::from(u64::MAX) * 4;
    whole.to_i128().unwrap_or(if whole.sign() == Sign::Minus { -limit } else { limit }).clamp(-limit, limit)
}

fn rounded(number: &BigDecimal) -> i128 {
    saturate(&number.with_scale_round(0, RoundingMode::HalfUp))
}

fn double_rounded(number: f64) -> i128 {
    let limit = 4.0 * u64::MAX as f64;
    number.round_ties_even().clamp(-limit, limit) as i128
}

/// The number that the whole text is, spaces around it allowed; `None` for anything else, `7abc` too.
pub(super) fn number_in(text: &[u8]) -> Option<BigDecimal> {
    let text =
        std::str::from_utf8(text).ok()?.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    if text.len() > LONGEST_NUMBER || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let well_formed = unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && unsigned.bytes().filter(|b| *b == b'.').count() <= 1
        && unsigned.bytes().any(|b| b.is_ascii_digit());
    if !well_formed || exponent.abs() > LARGEST_EXPONENT {
        return None;
    }
    BigDecimal::from_str(text).ok()
}

const BINARY_STRING: &str = "a binary string stored in a number depends on the server; write it as a number";

fn not_a_number() -> String {
    "it is not a number".to_owned()
}
