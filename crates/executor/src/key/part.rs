//! One cell, decoded as far as comparing needs.

use bytes::Bytes;

/// The comparable form of one cell. Within a column all parts are NULL or of one form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Null,
    /// Integers, YEAR, TIME in microseconds, and dates of binary rows.
    Integer(i128),
    Float(f64),
    /// The text of a DECIMAL.
    Decimal(Bytes),
    /// Binary strings, BIT, weights, and what sorts as its text does: DATE, DATETIME and TIMESTAMP of text rows.
    Bytes(Bytes),
}

/// A BIT cell without the zeros in front: its bytes, high ones first, or the digits that MAX makes of them.
pub(super) fn bits(cell: &[u8]) -> &[u8] {
    let zeros = cell.iter().take_while(|&&byte| byte == 0).count();
    &cell[zeros..]
}
