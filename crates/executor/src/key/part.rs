//! One cell, decoded as far as comparing needs.

use bytes::Bytes;

/// The comparable form of one cell. Within a column all parts are NULL or of one form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Null,
    /// Integers, YEAR, and TIME in microseconds.
    Integer(i128),
    Float(f64),
    /// The text of a DECIMAL.
    Decimal(Bytes),
    /// Binary strings, BIT, weights, and what sorts as its text does: DATE, DATETIME and TIMESTAMP.
    Bytes(Bytes),
}

/// The microseconds of a TIME's text, from -838:59:59.999999 to 838:59:59.999999.
pub(super) fn time(text: &str) -> Option<i128> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut seconds: i128 = 0;
    for field in whole.split(':') {
        seconds = seconds * 60 + i128::from(field.parse::<u32>().ok()?);
    }
    let micros: u32 = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse().ok()? };
    let value = seconds * 1_000_000 + i128::from(micros);
    Some(if negative { -value } else { value })
}

/// A BIT cell without the zeros in front: its bytes, high ones first, or the digits that MAX makes of them.
pub(super) fn bits(cell: &[u8]) -> &[u8] {
    let zeros = cell.iter().take_while(|&&byte| byte == 0).count();
    &cell[zeros..]
}
