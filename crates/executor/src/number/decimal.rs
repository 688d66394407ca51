//! DECIMAL: compared and divided digit by digit, exact to its 65.

use std::cmp::Ordering;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};

/// Compares two DECIMAL texts by value, without making numbers of them.
pub(crate) fn compare_decimals(one: &[u8], other: &[u8]) -> Ordering {
    let (one, other) = (Digits::of(one), Digits::of(other));
    match (one.negative, other.negative) {
        (false, false) => one.compare_magnitude(&other),
        (true, true) => other.compare_magnitude(&one),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    }
}

/// A DECIMAL's text without zeros that carry no value.
struct Digits<'a> {
    /// Never for zero.
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Digits<'a> {
    fn of(text: &'a [u8]) -> Self {
        let (minus, unsigned) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            Some((b'+', rest)) => (false, rest),
            _ => (false, text),
        };
        let point = unsigned.iter().position(|&byte| byte == b'.').unwrap_or(unsigned.len());
        let whole = trim_start(&unsigned[..point]);
        let fraction = trim_end(unsigned.get(point + 1..).unwrap_or_default());
        Self { negative: minus && !(whole.is_empty() && fraction.is_empty()), whole, fraction }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        let by_length = self.whole.len().cmp(&other.whole.len());
        by_length.then_with(|| self.whole.cmp(other.whole)).then_with(|| self.fraction.cmp(other.fraction))
    }
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    &digits[..digits.len() - zeros]
}

/// `sum / count` with `scale` digits after the point, rounded half away from zero; `count` is not 0.
pub(crate) fn quotient(sum: &BigDecimal, count: i128, scale: u8) -> BigDecimal {
    let (digits, sum_scale) = sum.as_bigint_and_exponent();
    let shift = i64::from(scale) - sum_scale;
    let ten_to = |power: i64| BigInt::from(10).pow(u32::try_from(power.unsigned_abs()).unwrap_or(u32::MAX));
    let (numerator, denominator) = if shift >= 0 {
        (digits * ten_to(shift), BigInt::from(count))
    } else {
        (digits, BigInt::from(count) * ten_to(shift))
    };
    let (sign, numerator) = numerator.into_parts();
    let (divisor_sign, denominator) = denominator.into_parts();
    let sign = if divisor_sign == Sign::Minus { -sign } else { sign };
    // Servers divide in words of nine digits, and round only what has more of them than the column.
    let rounded = if scale > 0 && scale.is_multiple_of(9) {
        numerator / denominator
    } else {
        (numerator * 2u8 + &denominator) / (denominator * 2u8)
    };
    BigDecimal::new(BigInt::from_biguint(sign, rounded), i64::from(scale))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, expected: Ordering) {
        assert_eq!(compare_decimals(one.as_bytes(), other.as_bytes()), expected);
        assert_eq!(compare_decimals(other.as_bytes(), one.as_bytes()), expected.reverse());
    }

    #[test]
    fn decimals_compare_by_value() {
        check("9", "10", Ordering::Less);
        check("-9", "-10", Ordering::Greater);
        check("-1", "0.5", Ordering::Less);
        check("0.10", "0.1", Ordering::Equal);
        check("-0.00", "0", Ordering::Equal);
        check("007.5", "7.50", Ordering::Equal);
        check("0.09", "0.1", Ordering::Less);
        check(".5", "0.5", Ordering::Equal);
    }

    #[test]
    fn the_last_of_65_digits_counts() {
        let nines = "9".repeat(64);
        check(&format!("{nines}8"), &format!("{nines}9"), Ordering::Less);
        check(&format!("-{nines}8"), &format!("-{nines}9"), Ordering::Greater);
    }

    #[track_caller]
    fn check_quotient(sum: &str, count: i128, scale: u8, expected: &str) {
        let sum = BigDecimal::from_str(sum).unwrap();
        assert_eq!(quotient(&sum, count, scale).to_plain_string(), expected);
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        check_quotient("10", 4, 4, "2.5000");
        check_quotient("1", 3, 4, "0.3333");
        check_quotient("2", 3, 4, "0.6667");
        check_quotient("0.00001", 2, 5, "0.00001");
        check_quotient("-0.00001", 2, 5, "-0.00001");
        check_quotient("-1", 3, 4, "-0.3333");
        check_quotient("0.125", 1, 2, "0.13");
    }
}
