//! `Sort`: an order that the nodes could not make.

use super::{Primitive, SortKey};

/// Reads its whole input, sorts it in memory (bounded by the session's limit of bytes per query; past it the
/// statement fails) and passes it on. Needed where the key is known only after aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The rows.
    pub input: Box<Primitive>,
    /// The order.
    pub keys: Vec<SortKey>,
    /// Only this many rows of the result will be read: the sort need keep no more.
    pub keep: Option<u64>,
}
