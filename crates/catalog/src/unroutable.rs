//! Why a value has no shard.

use serval_types::{ErrorCode, MysqlError};

/// A value of the sharding column that names no shard, so that its row cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unroutable {
    /// The sharding column is NULL.
    #[error("Column '{column}' cannot be null: it decides which shard stores the row")]
    Null {
        /// The sharding column.
        column: String,
    },
    /// The column's type takes the value, but the rule has no shard for it.
    #[error("Table has no partition for value {value} in column '{column}': {reason}")]
    NoShard {
        /// The sharding column.
        column: String,
        /// The value as the statement wrote it.
        value: String,
        /// For example the window of months that the rule covers.
        reason: String,
    },
    /// What storing the value would make of it is an error or not certain.
    #[error("Value {value} for sharding column '{column}' cannot be routed: {reason}")]
    Unconvertible {
        /// The sharding column.
        column: String,
        /// The value as the statement wrote it.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The row lies where its parent's row lies, and who asks has not looked for that.
    #[error("Where a row lies whose column '{column}' is given says the row of {parent} alone")]
    Follows {
        /// The column that holds the parent's key.
        column: String,
        /// `table.column`.
        parent: String,
    },
    /// The column's type is not known yet, so no value can be converted to it.
    #[error(
        "The definition of the table is not known yet, so a value of its sharding column '{column}' cannot be routed"
    )]
    DefinitionUnknown {
        /// The sharding column.
        column: String,
    },
}

impl Unroutable {
    /// The error a client sees: 1048 for NULL, else 1526.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        let code = match self {
            Self::Null { .. } => ErrorCode::ColumnCannotBeNull,
            Self::NoShard { .. }
            | Self::Unconvertible { .. }
            | Self::Follows { .. }
            | Self::DefinitionUnknown { .. } => ErrorCode::NoShardForValue,
        };
        MysqlError::new(code, self.to_string())
    }
}
