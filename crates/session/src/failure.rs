//! Why a command has no answer.

use std::io;

use serval_types::{ErrorCode, MysqlError};

/// Split by what is still possible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The client is told, and goes on.
    #[error("{0}")]
    Told(MysqlError),
    /// The client is told, and the connection ends.
    #[error("{0}")]
    Fatal(MysqlError),
    /// The client is gone.
    #[error("the client is gone")]
    Gone,
}

impl From<MysqlError> for Failure {
    fn from(error: MysqlError) -> Self {
        Self::Told(error)
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A refusal as a failure.
pub(crate) fn refused(message: impl Into<String>) -> Failure {
    Failure::Told(MysqlError::refused(message))
}

/// No schema is selected.
pub(crate) fn no_schema() -> MysqlError {
    MysqlError::new(ErrorCode::NoSchemaSelected, "No database selected")
}

/// There is no such schema.
pub(crate) fn unknown_schema(name: &str) -> MysqlError {
    MysqlError::new(ErrorCode::UnknownSchema, format!("Unknown database '{name}'"))
}

/// There is no such table.
pub(crate) fn unknown_table(schema: &str, table: &str) -> MysqlError {
    MysqlError::new(ErrorCode::NoSuchTable, format!("Table '{schema}.{table}' doesn't exist"))
}

/// KILL CONNECTION.
pub(crate) fn killed() -> MysqlError {
    // ER_CONNECTION_KILLED of MariaDB; MySQL says 1317 or just closes.
    MysqlError { number: 1927, sqlstate: *b"70100", message: "Connection was killed".to_owned() }
}

/// KILL QUERY.
pub(crate) fn interrupted() -> MysqlError {
    MysqlError::new(ErrorCode::QueryInterrupted, "Query execution was interrupted")
}

/// The proxy is going down.
pub(crate) fn shutting_down() -> MysqlError {
    MysqlError::new(ErrorCode::ShuttingDown, "Server shutdown in progress")
}
