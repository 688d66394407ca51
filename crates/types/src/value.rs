//! One SQL value, as a literal, a parameter or a decoded column holds it.

use std::str::FromStr;

use bigdecimal::BigDecimal;

/// A SQL value outside a column: what a literal or a parameter says, before any column's type is applied.
///
/// Conversion to a column's type is the catalog's business, because it decides where a row lives.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// An integer that fits `BIGINT`.
    Int(i64),
    /// An integer above `i64::MAX` that fits `BIGINT UNSIGNED`.
    UInt(u64),
    /// An exact number: any integer wider than 64 bits, or one written with a decimal point.
    Decimal(BigDecimal),
    /// A number written with an exponent, or a FLOAT or DOUBLE parameter.
    Double(f64),
    /// A character string, in the bytes of the connection's character set.
    Text(Vec<u8>),
    /// A binary string: a hexadecimal or bit literal, or a BLOB parameter.
    Bytes(Vec<u8>),
    /// A parameter of type DATE, DATETIME or TIMESTAMP, as it is printed. Beside a text column it makes a moment of the column's
    /// values, which a text in its place would not.
    Moment(String),
    /// A parameter of type TIME, as it is printed. Beside a DATETIME column it is a time of the current day.
    Time(String),
}

impl Value {
    /// The value of a run of decimal digits with an optional sign.
    ///
    /// Digits too many for 64 bits become [`Value::Decimal`], as in MySQL. Text that is no number at all is
    /// [`Value::Text`]; callers pass what a lexer has already called an integer.
    #[must_use]
    pub fn integer(digits: &str) -> Self {
        if let Ok(value) = digits.parse::<i64>() {
            return Self::Int(value);
        }
        if let Ok(value) = digits.parse::<u64>() {
            return Self::UInt(value);
        }
        Self::decimal(digits)
    }

    /// The exact value of digits with a decimal point, or [`Value::Text`] where it is no number.
    #[must_use]
    pub fn decimal(digits: &str) -> Self {
        BigDecimal::from_str(digits).map_or_else(|_| Self::Text(digits.as_bytes().to_vec()), Self::Decimal)
    }

    /// `-self`, as a unary minus before a literal means it; `None` where the value is no number.
    #[must_use]
    pub fn negated(&self) -> Option<Self> {
        match self {
            Self::Int(value) => Some(match value.checked_neg() {
                Some(negated) => Self::Int(negated),
                None => Self::UInt(value.unsigned_abs()),
            }),
            Self::UInt(value) if *value == i64::MIN.unsigned_abs() => Some(Self::Int(i64::MIN)),
            Self::UInt(value) => Some(Self::Decimal(-BigDecimal::from(*value))),
            Self::Decimal(value) => Some(Self::Decimal(-value.clone())),
            Self::Double(value) => Some(Self::Double(-value)),
            Self::Null | Self::Text(_) | Self::Bytes(_) | Self::Moment(_) | Self::Time(_) => None,
        }
    }

    /// Whether this is SQL `NULL`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_widen_as_mysql_does() {
        assert_eq!(Value::integer("-9223372036854775808"), Value::Int(i64::MIN));
        assert_eq!(Value::integer("9223372036854775808"), Value::UInt(1 << 63));
        assert!(matches!(Value::integer("18446744073709551616"), Value::Decimal(_)));
    }

    #[test]
    fn negation_keeps_the_extremes() {
        assert_eq!(Value::UInt(1 << 63).negated(), Some(Value::Int(i64::MIN)));
        assert_eq!(Value::Int(i64::MIN).negated(), Some(Value::UInt(1 << 63)));
        assert_eq!(Value::Text(b"1".to_vec()).negated(), None);
    }
}
