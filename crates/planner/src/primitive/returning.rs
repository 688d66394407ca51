//! `Returning`: a write on several nodes that gives rows.

use super::Spread;

/// INSERT … RETURNING over several targets: the rows that they give are put into the order of VALUES again. DELETE …
/// RETURNING: they come in no order, as on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returning {
    /// The write.
    pub spread: Spread,
    /// For each row in the order of VALUES, the index of the target that gives it. Each target gives its own in their
    /// order. Nothing where all targets give the same rows ([`Tally::First`](super::Tally)), or where rows have no order.
    pub rows: Vec<usize>,
}
