//! `Spread`: one write on several nodes.

use super::Target;

/// A statement without rows on several targets, all of them or none: outside a transaction it opens one on every
/// group involved, and commits only when all targets succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Whom to tell, in the order of their groups. Never empty.
    pub targets: Vec<Target>,
    /// How the numbers of the targets become one.
    pub tally: Tally,
    /// For each row of VALUES, in their order, the index of the target that takes it. Each target takes its own in their
    /// order. Nothing where all targets take the same rows ([`Tally::First`]), and of what is no INSERT.
    pub rows: Vec<usize>,
    /// The numbers that a sequence gave to rows, where it is not known beforehand which of them will be stored.
    pub numbers: Option<GivenNumbers>,
}

/// Numbers of a sequence for rows that may be left out (IGNORE) or change others in their place (ON DUPLICATE KEY
/// UPDATE). The insert id is the smallest that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenNumbers {
    /// The AUTO_INCREMENT column of the statement's first table.
    pub column: String,
    /// The smallest.
    pub first: u64,
    /// The largest.
    pub last: u64,
}

impl Spread {
    /// A write whose rows are not those of a VALUES.
    #[must_use]
    pub fn new(targets: Vec<Target>, tally: Tally) -> Self {
        Self { targets, tally, rows: Vec::new(), numbers: None }
    }
}

/// How affected rows are counted over targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Each target holds rows of its own: numbers add up.
    Sum,
    /// Each target holds a copy of the same rows (global tables): the first one's numbers count.
    First,
    /// DDL: nothing is counted, no transaction is opened, and every target is tried even when one fails, so that
    /// running it again can finish the rest.
    Definition,
}
