//! FLOAT and DOUBLE as servers print them.

/// Decimals of a column whose values have as many as they need.
const NOT_FIXED: u8 = 31;

/// The places of the point, counted from before the first digit, between which no exponent is needed.
const PLAIN: std::ops::RangeInclusive<i32> = -14..=15;

/// The value of a cell.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The text of a value: with the column's decimals, or else with the fewest digits that read back as the same
/// value, as servers do (`my_gcvt`): `100000000000000`, `1e15`, `1234567890123456.8`, `0.00001`, `1.5e-20`.
pub(crate) fn format_double(value: f64, decimals: u8) -> String {
    // Servers print no negative zero.
    let value = value + 0.0;
    if decimals < NOT_FIXED {
        return format!("{value:.*}", usize::from(decimals));
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    // A number with a fraction is written in full, however many digits are before its point.
    let has_fraction = usize::try_from(point).is_ok_and(|point| digits > point);
    if PLAIN.contains(&point) || has_fraction { format!("{value}") } else { format!("{mantissa}e{exponent}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: f64, text: &str) {
        assert_eq!(format_double(value, NOT_FIXED), text);
        assert_eq!(parse_double(text.as_bytes()), Some(value));
    }

    /// What MariaDB 10.11 printed for the same values.
    #[test]
    fn values_print_as_servers_print_them() {
        check(0.0, "0");
        check(1.5, "1.5");
        check(-3.0, "-3");
        check(1e14, "100000000000000");
        check(999_999_999_999_999.0, "999999999999999");
        check(1e15, "1e15");
        check(1e20, "1e20");
        check(1.234_567_890_123_456_8e17, "1.2345678901234568e17");
        check(0.1 + 0.2, "0.30000000000000004");
        check(1_234_567_890_123_456.0, "1.234567890123456e15");
        check(1_234_567_890_123_456.8, "1234567890123456.8");
        check(2_251_799_813_685_248.5, "2251799813685248.5");
        check(12_345_678_901_234_568.0, "1.2345678901234568e16");
        check(1.5e-15, "0.0000000000000015");
        check(1.5e-16, "1.5e-16");
        check(1e-5, "0.00001");
        check(1e-15, "0.000000000000001");
        check(1e-16, "1e-16");
        check(-1.5e-20, "-1.5e-20");
        check(f64::MAX, "1.7976931348623157e308");
    }

    #[test]
    fn fixed_decimals_stay() {
        assert_eq!(format_double(2.5, 2), "2.50");
        assert_eq!(format_double(-0.125, 2), "-0.12");
        assert_eq!(format_double(1e15, 1), "1000000000000000.0");
        assert_eq!(format_double(-0.0, 2), "0.00");
    }
}
