//! `Aggregate`: partial results of nodes become the whole.

use super::{ColumnRef, Primitive, SortKey};

/// Combines neighbouring rows whose keys are equal into one. Without keys, all rows become one.
///
/// The nodes have grouped already, so the memory needed is one row, if the input is sorted by the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// A [`super::MergeSort`] by the keys, or a [`super::Route`] where there are none.
    pub input: Box<Primitive>,
    /// What makes two rows one group.
    pub keys: Vec<SortKey>,
    /// How each column, visible ones first, is combined.
    pub columns: Vec<Combine>,
}

/// How the values of one column within a group become one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Combine {
    /// The first row's: a key, or what is the same throughout the group.
    First,
    /// The sum: SUM itself, and COUNT. Exact for integers and DECIMAL. NULLs are skipped; all NULL gives NULL.
    Sum,
    /// The least, by the weight in another column where the value is a character string.
    Min {
        /// A hidden `WEIGHT_STRING(MIN(…))`.
        weight: Option<ColumnRef>,
    },
    /// The greatest, likewise.
    Max {
        /// A hidden `WEIGHT_STRING(MAX(…))`.
        weight: Option<ColumnRef>,
    },
    /// The quotient of two hidden columns that are combined by [`Combine::Sum`]; NULL where the count is 0. The
    /// scale is that of the column's own definition, rounded half away from zero, as MySQL does.
    Average {
        /// A hidden `SUM(…)`.
        sum: ColumnRef,
        /// A hidden `COUNT(…)`.
        count: ColumnRef,
    },
}
