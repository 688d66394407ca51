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

/// A condition on the exact numbers of a row, true, false or NULL as SQL's are. A number is its digits, with a sign and a point
/// where it has them; before the statement's values are known it is what gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition<N = String> {
    /// AND.
    All(Vec<Self>),
    /// OR.
    Any(Vec<Self>),
    /// NOT.
    Not(Box<Self>),
    /// A column against a number; NULL where the column is.
    Compare {
        /// An integer or a DECIMAL.
        column: ColumnRef,
        /// How.
        comparison: Comparison,
        /// The number.
        number: N,
    },
    /// IS NULL.
    IsNull(ColumnRef),
}

impl<N> Condition<N> {
    /// The same with its numbers.
    ///
    /// # Errors
    /// Those of `number`.
    pub fn with_numbers<M, E>(&self, number: &impl Fn(&N) -> Result<M, E>) -> Result<Condition<M>, E> {
        let each =
            |all: &[Self]| all.iter().map(|one| one.with_numbers(number)).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Self::All(all) => Condition::All(each(all)?),
            Self::Any(any) => Condition::Any(each(any)?),
            Self::Not(inner) => Condition::Not(Box::new(inner.with_numbers(number)?)),
            Self::Compare { column, comparison, number: own } => {
                Condition::Compare { column: *column, comparison: *comparison, number: number(own)? }
            }
            Self::IsNull(column) => Condition::IsNull(*column),
        })
    }
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
