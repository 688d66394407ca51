//! Why a statement has no plan.

use serval_catalog::Unroutable;
use serval_sql::ParseError;
use serval_types::{ErrorCode, MysqlError};

/// A statement that cannot be planned or bound, split by what the client is told.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The text is not SQL.
    #[error(transparent)]
    Syntax(#[from] ParseError),
    /// A table name without a schema, and the session has none.
    #[error("No database selected")]
    NoSchema,
    /// A schema that the catalog does not know.
    #[error("Unknown database '{0}'")]
    UnknownSchema(String),
    /// A table of a schema of the servers' own, which [`system_query`](crate::system_query) is for.
    #[error("Tables of {0} are not planned; the proxy answers for them")]
    SystemSchema(String),
    /// A table that the catalog does not know, in a schema without a default node.
    #[error("Table '{schema}.{table}' doesn't exist")]
    UnknownTable {
        /// The logical schema.
        schema: String,
        /// The name as written.
        table: String,
    },
    /// A sharded table whose definition is not known, so that no row can be placed: it may have been made through another
    /// proxy, or not at all.
    #[error(
        "The definition of table '{schema}.{table}' is not known yet, so its rows can be neither placed nor gathered; try \
         again when its data nodes answer, or write the schema snapshot (serval snapshot)"
    )]
    Undefined {
        /// The logical schema.
        schema: String,
        /// The logical table.
        table: String,
    },
    /// A row of INSERT has more or fewer values than there are columns.
    #[error("Column count doesn't match value count at row {row}")]
    ValueCount {
        /// Counted from 1.
        row: usize,
        /// The logical schema.
        schema: String,
        /// The logical table.
        table: String,
    },
    /// No shard takes the value.
    #[error(transparent)]
    Unroutable(#[from] Unroutable),
    /// Rows lie beside those of a parent, for which nobody has looked.
    #[error(
        "Where a row of {table} lies says the row of {parent} whose key it holds, which has to be looked for first"
    )]
    Follows {
        /// The logical table.
        table: String,
        /// The parent's key, `table.column`.
        parent: String,
    },
    /// A hint that is not understood, or that would make the answer wrong.
    #[error("{0}")]
    Hint(String),
    /// What a server answers, word for word.
    #[error("{}", .0.message)]
    Server(Box<MysqlError>),
    /// Something Serval does not do (yet); the text says what, and what to do instead.
    #[error("{0}")]
    Refused(String),
}

impl PlanError {
    /// A refusal with its text.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }

    /// The same, behind the reason why it was tried at all.
    pub(crate) fn because(self, reason: &str) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(format!("{reason}. It cannot be gathered either: {text}")),
            error => error,
        }
    }

    /// The error as the client sees it.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        let code = match self {
            Self::Syntax(error) => return error.to_mysql(),
            Self::Unroutable(error) => return error.to_mysql(),
            Self::Server(error) => return MysqlError::clone(error),
            Self::NoSchema => ErrorCode::NoSchemaSelected,
            Self::UnknownSchema(_) => ErrorCode::UnknownSchema,
            Self::UnknownTable { .. } => ErrorCode::NoSuchTable,
            Self::Hint(_) => ErrorCode::WrongArguments,
            Self::ValueCount { .. } => ErrorCode::WrongValueCount,
            Self::SystemSchema(_) | Self::Undefined { .. } | Self::Follows { .. } | Self::Refused(_) => {
                ErrorCode::NotSupported
            }
        };
        MysqlError::new(code, self.to_string())
    }
}
