//! `Cut`: the hidden columns go.

use super::Primitive;

/// Drops the last `hidden` columns of each row and of the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The rows.
    pub input: Box<Primitive>,
    /// How many columns to drop.
    pub hidden: usize,
}
