//! `Limit`: LIMIT and OFFSET over merged rows.

use super::Primitive;

/// Skips `offset` rows, passes on `count`, and then, unless it counts them all, stops reading its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The rows.
    pub input: Box<Primitive>,
    /// Rows to skip.
    pub offset: u64,
    /// Rows to pass on.
    pub count: u64,
    /// Read the input to its end all the same, to know how many rows there are.
    pub counts_all: bool,
}
