//! What a sort or a group compares rows by.

/// A column of a primitive's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRef {
    /// Counted from 0 among the columns that the client asked for.
    Visible(usize),
    /// Counted from 0 among the hidden columns, which follow the visible ones.
    Hidden(usize),
}

/// How weights of different lengths compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Padding {
    /// As they are: NO PAD collations, and weights that the server already padded.
    None,
    /// As if the shorter one were continued with this weight of a space, again and again.
    Weight(Vec<u8>),
}

/// One key of an order.
///
/// NULL sorts before everything, as in MySQL. Values compare by their column's type: numbers and times by value,
/// binary strings by bytes. Character strings compare by `weight`, a hidden `WEIGHT_STRING(…)` of the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The value itself.
    pub value: ColumnRef,
    /// Its weight; used where the value's column turns out to be a character string.
    pub weight: Option<ColumnRef>,
    /// How weights compare.
    pub padding: Padding,
    /// DESC.
    pub descending: bool,
}
