//! What can go wrong between Serval and a server, split by what the caller may do next.

use serval_types::{ErrorCode, MysqlError};
use serval_wire::WireError;

/// A failure that is not a server's answer to the statement; those are parts of the answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Nothing was sent: no server of the group can be reached. Another try later may succeed.
    #[error("group {group}: no server is available ({reason})")]
    Unavailable {
        /// The group's configured name.
        group: String,
        /// Why, for the log; may name an address.
        reason: String,
    },
    /// Nothing was sent: every connection of the group stayed busy until the deadline.
    #[error("group {group}: no free connection within the time allowed")]
    Exhausted {
        /// The group's configured name.
        group: String,
    },
    /// The connection broke. `sent` tells whether the statement may have run.
    #[error("group {group}: the connection to {server} was lost ({reason})")]
    Lost {
        /// The group's configured name.
        group: String,
        /// The server's configured name.
        server: String,
        /// Whether the statement had been handed to the socket.
        sent: bool,
        /// Why, for the log.
        reason: String,
    },
    /// A connection that a session had for itself broke, and with it what lived there: no other connection will do.
    #[error("the session's own connection was lost, with its {lost}")]
    SessionLost {
        /// What was lost, in words: `temporary tables, table locks`.
        lost: String,
        /// Whether the statement had been handed to the socket.
        sent: bool,
    },
    /// The server refused to take over the session's state, database or transaction, or to prepare the statement, which
    /// did not run.
    #[error("{0}")]
    Refused(MysqlError),
    /// The server's bytes make no sense.
    #[error("group {group}: {source}")]
    Wire {
        /// The group's configured name.
        group: String,
        /// What was wrong.
        source: WireError,
    },
}

impl RemoteError {
    /// The error as the client sees it: without addresses.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        match self {
            Self::Unavailable { group, .. } => MysqlError::new(
                ErrorCode::BackendUnavailable,
                format!("Group {group} has no available server for this statement; retry when it is back"),
            ),
            Self::Exhausted { group } => MysqlError::new(
                ErrorCode::WaitTimeout,
                format!(
                    "Group {group}: every connection stayed busy for the time allowed; try restarting the transaction"
                ),
            ),
            Self::Lost { group, sent: false, .. } => MysqlError::new(
                ErrorCode::BackendUnavailable,
                format!("Group {group}: the server went away before the statement was sent; it did not run"),
            ),
            Self::Lost { group, sent: true, .. } => MysqlError::new(
                ErrorCode::BackendUnavailable,
                format!(
                    "Group {group}: the server went away during the statement; it may or may not have run"
                ),
            ),
            Self::SessionLost { lost, sent } => MysqlError::new(
                ErrorCode::BackendUnavailable,
                format!(
                    "The server closed the connection that this session had for itself, and with it are lost: {lost}; the \
                     statement {}",
                    if *sent { "may or may not have run" } else { "did not run" }
                ),
            ),
            Self::Refused(error) => error.clone(),
            Self::Wire { group, .. } => MysqlError::new(
                ErrorCode::BackendUnavailable,
                format!("Group {group}: the server's answer was malformed; the connection was closed"),
            ),
        }
    }

    /// Whether the statement certainly did not run.
    #[must_use]
    pub fn not_sent(&self) -> bool {
        !matches!(
            self,
            Self::Lost { sent: true, .. } | Self::SessionLost { sent: true, .. } | Self::Wire { .. }
        )
    }
}
