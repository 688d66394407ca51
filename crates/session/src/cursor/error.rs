//! Why rows could not be put aside, or not be had again.

use std::io;

use serval_types::{ErrorCode, MysqlError};

/// See the module.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CursorError {
    /// The client's cursors hold as much as they may.
    #[error("more than {limit} bytes of rows")]
    Full {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The temporary file.
    #[error("temporary file: {0}")]
    File(#[from] io::Error),
}

impl CursorError {
    /// The error as the client sees it.
    pub(crate) fn to_mysql(&self) -> MysqlError {
        match self {
            Self::Full { limit } => MysqlError::new(
                ErrorCode::CapacityExceeded,
                format!(
                    "Capacity of {limit} bytes for the rows of this connection's cursors (cursor_spool) exceeded; \
                     fetch or close other cursors, narrow the statement, or execute it without a cursor"
                ),
            ),
            Self::File(error) => {
                // ER_ERROR_ON_WRITE, without the file's name: it has none.
                let message = format!("Error writing the temporary file of a cursor ({})", error.kind());
                MysqlError { number: 1026, sqlstate: *b"HY000", message }
            }
        }
    }
}
