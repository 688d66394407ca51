//! `MergeSort`: one sorted stream out of several.

use super::{Route, SortKey};

/// A k-way merge of the streams of a [`Route`], each sorted by the same keys, in constant memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeSort {
    /// Whose streams, each already in order.
    pub input: Route,
    /// The order, most significant key first. Never empty.
    pub keys: Vec<SortKey>,
}
