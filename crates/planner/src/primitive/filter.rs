//! `Filter`: HAVING over groups that were combined.

use super::{ColumnRef, Primitive};

/// Passes on the rows for which the condition is true; neither what is false nor what is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The groups.
    pub input: Box<Primitive>,
    /// What they must be like.
    pub condition: Condition,
}

/// A condition on the exact numbers of a row, true, false or NULL as SQL's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// AND.
    All(Vec<Condition>),
    /// OR.
    Any(Vec<Condition>),
    /// NOT.
    Not(Box<Condition>),
    /// A column against a number; NULL where the column is.
    Compare {
        /// An integer or a DECIMAL.
        column: ColumnRef,
        /// How.
        comparison: Comparison,
        /// The number's digits, with a sign and a point where it has them.
        number: String,
    },
    /// IS NULL.
    IsNull(ColumnRef),
}

/// How two numbers may have to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The same with its sides exchanged.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// As SQL writes it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}
