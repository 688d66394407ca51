//! Why a statement failed, split by what the session may do next.

use serval_remote::RemoteError;
use serval_transaction::CommitError;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::WireError;

use crate::sink::SinkError;

/// A statement that failed. Whether its columns had gone to the client already is the session's own knowledge.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A server's own error, number and SQLSTATE kept, physical names mapped back to logical ones.
    #[error("{0}")]
    Server(MysqlError),
    /// A server could not be reached, or its connection broke.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The client is gone; there is nobody to tell.
    #[error(transparent)]
    Client(#[from] SinkError),
    /// Something that cannot be done here, with what to do instead.
    #[error("{0}")]
    Refused(MysqlError),
    /// The rows that the statement has to hold are more than it may.
    #[error("more than {limit} bytes of rows")]
    Memory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The nodes disagree about the type of a column, so their rows cannot be merged.
    #[error("column {column}: node {one} has {one_type}, node {other} has {other_type}")]
    Definitions {
        /// The column's name.
        column: String,
        /// A node.
        one: String,
        /// Its type of the column.
        one_type: String,
        /// Another node.
        other: String,
        /// Its type of the column.
        other_type: String,
    },
    /// A server's packets make no sense here.
    #[error("{from}: {source}")]
    Malformed {
        /// Whose, for example `node dn0`.
        from: String,
        /// What was wrong.
        source: WireError,
    },
    /// A number that no column of its type holds.
    #[error("{0}")]
    OutOfRange(String),
    /// The statement's own transaction did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl ExecuteError {
    /// The error as the client sees it.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        match self {
            Self::Server(error) | Self::Refused(error) => error.clone(),
            Self::Remote(error) => error.to_mysql(),
            Self::Client(_) => MysqlError::new(ErrorCode::Unknown, "The client is gone"),
            Self::Memory { limit } => MysqlError::new(
                ErrorCode::CapacityExceeded,
                format!(
                    "Memory capacity of {limit} bytes for this statement (memory_per_query) exceeded while rows of \
                     several shards were merged; narrow it with WHERE or LIMIT, or raise memory_per_query"
                ),
            ),
            Self::Definitions { column, one, one_type, other, other_type } => MysqlError::new(
                ErrorCode::DefinitionsDiffer,
                format!(
                    "Table definition differs between nodes: column '{column}' is {one_type} on node {one} and \
                     {other_type} on node {other}; alter the table so that all nodes agree"
                ),
            ),
            Self::Malformed { from, .. } => MysqlError::new(
                ErrorCode::MalformedPacket,
                format!("The answer of {from} was malformed; the statement was given up"),
            ),
            Self::OutOfRange(text) => MysqlError::new(ErrorCode::OutOfRange, text.clone()),
            Self::Commit(error) => error.to_mysql(),
        }
    }

    /// A refusal (1235).
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(MysqlError::refused(message))
    }

    /// A part of an answer that no node should send.
    pub(crate) fn malformed(from: &str, what: &'static str) -> Self {
        Self::Malformed { from: from.to_owned(), source: WireError::Malformed { what } }
    }

    /// A server asks the client for a file. Serval itself answers LOAD DATA LOCAL; here it stands in a statement of another
    /// kind, such as a CALL.
    pub(crate) fn local_infile() -> Self {
        Self::refused(
            "LOAD DATA LOCAL INFILE can only be a statement of its own, because Serval reads the file's rows; send it by \
             itself",
        )
    }
}
