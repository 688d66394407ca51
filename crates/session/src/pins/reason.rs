//! Why a session keeps a server's connection to itself.

use std::fmt;

/// Why a session keeps one connection of a group between its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PinReason {
    /// It has made a temporary table there.
    TemporaryTable,
    /// It has said LOCK TABLES.
    LockTables,
    /// It holds a lock of GET_LOCK.
    NamedLock,
    /// Variables that a statement has set there are about to be read. Whoever takes this reason away has brought the
    /// connection into a state in which those variables stand, so that the next session's state resets them.
    ReadBack,
    /// A stored routine ran there and may have left anything behind.
    Routine,
    /// A cursor is open there, or a HANDLER.
    Cursor,
}

impl PinReason {
    /// What is lost with the connection, as the client is told.
    pub(crate) fn lost(self) -> &'static str {
        match self {
            Self::TemporaryTable => "temporary tables",
            Self::LockTables => "table locks",
            Self::NamedLock => "named locks",
            Self::ReadBack => "user variables that were being set",
            Self::Routine => "what a stored routine left",
            Self::Cursor => "open cursors",
        }
    }

    /// Whether the server's session is not as it was once the reason is gone, so that nobody else may have it.
    pub(super) fn is_lasting(self) -> bool {
        matches!(self, Self::TemporaryTable | Self::Routine)
    }
}

impl fmt::Display for PinReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TemporaryTable => "temporary table",
            Self::LockTables => "LOCK TABLES",
            Self::NamedLock => "named lock",
            Self::ReadBack => "user variables",
            Self::Routine => "stored routine",
            Self::Cursor => "cursor",
        })
    }
}
