//! `Rollup`: GROUP BY … WITH ROLLUP over combined groups.

use super::{ColumnRef, Combine, Primitive, SortKey};

/// Passes groups on, and behind those that have their first keys in common, one row for all of them; at the end one for all
/// groups.
///
/// The memory needed is one row for each key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollup {
    /// Groups, in the order of their keys.
    pub input: Box<Primitive>,
    /// What makes groups: one level each.
    pub keys: Vec<SortKey>,
    /// For each key the column that is NULL in rows of all its values. In those of one value it is the last group's: of equal texts,
    /// servers show that one.
    pub shown: Vec<Option<ColumnRef>>,
    /// How each column, visible ones first, is combined.
    pub columns: Vec<Combine>,
    /// Where there are no groups there is a row for all of them none the less: the way of MySQL, and not of all MariaDB.
    pub totals_nothing: bool,
}
