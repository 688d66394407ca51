//! Where results go: a session, which encodes them for its client.

use std::future::Future;
use std::io;

use serval_remote::Burst;
use serval_wire::StatusFlags;
use serval_wire::packet::{ColumnDefinition, OkPacket};

/// The client is gone.
#[derive(Debug, thiserror::Error)]
#[error("the client is gone: {0}")]
pub struct SinkError(#[from] pub io::Error);

/// The end of a result set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// Warnings that the statement left.
    pub warnings: u16,
    /// What the server said of the result; nothing where several did. More of the statement's results may follow.
    pub status: StatusFlags,
}

impl End {
    pub(crate) fn of(end: &OkPacket) -> Self {
        Self { warnings: end.warnings, status: end.status }
    }
}

/// Takes one statement's result: either relayed bursts; or columns, rows and an end; or an OK.
///
/// A sink that waits holds up the servers, which is how a slow client costs no memory. After an error the answer may
/// be unfinished: whoever owns the sink ends it with the error.
pub trait ResultSink: Send {
    /// Whether the client speaks the same dialect as the servers (`CLIENT_DEPRECATE_EOF`), so that packets may pass
    /// as they are. Sinks that are no clients want columns and rows.
    fn relays(&self) -> bool {
        false
    }

    /// Whole packets of a server's answer; never called where [`ResultSink::relays`] is false.
    fn relay(&mut self, _burst: Burst) -> impl Future<Output = Result<(), SinkError>> + Send {
        async { Ok(()) }
    }

    /// The columns of a result set; exactly once before its rows.
    fn columns(&mut self, columns: &[ColumnDefinition])
    -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The payload of one row.
    fn row(&mut self, payload: &[u8]) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The end of a result set.
    fn end(&mut self, end: End) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The answer of a statement without rows.
    fn ok(&mut self, ok: &OkPacket) -> impl Future<Output = Result<(), SinkError>> + Send;
}
