//! The answer of a procedure, whose end says what it did to the server's session.

use std::io;

use serval_executor::SinkError;
use serval_types::MysqlError;
use serval_wire::StatusFlags;
use serval_wire::packet::ColumnDefinition;
use tokio::io::AsyncWrite;

use super::rows;
use crate::stream::Writer;

/// What a procedure has left that no session can keep.
#[derive(Debug, Default)]
pub(super) struct Routine {
    refusal: Option<MysqlError>,
    /// A result that has only begun: what its columns end with is known behind its rows, where it has one at most.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    columns: Vec<ColumnDefinition>,
    row: Option<Vec<u8>>,
}

impl Routine {
    /// Looks at the flags of an OK packet beside those of the client's session when it called. Only the last packet
    /// counts.
    ///
    /// # Errors
    /// The session cannot go on like this; [`Routine::refusal`] has the reason.
    pub(super) fn check(&mut self, server: StatusFlags, session: StatusFlags) -> Result<(), SinkError> {
        let refusal = if server.more_results() {
            None
        } else if server.in_transaction() && !session.in_transaction() {
            Some(
                "The procedure left a transaction open, which has been rolled back: no transaction outlives a CALL that \
                 began it here; say BEGIN before CALL, or COMMIT in the procedure",
            )
        } else if !server.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT) {
            Some(
                "The procedure switched autocommit off, which does not outlive the CALL; SET autocommit before it",
            )
        } else {
            None
        };
        let Some(refusal) = refusal else { return Ok(()) };
        self.refusal = Some(MysqlError::refused(refusal));
        Err(SinkError::from(io::Error::other(refusal)))
    }

    /// A result begins.
    pub(super) fn columns(&mut self, columns: &[ColumnDefinition]) {
        self.held = Some(Held { columns: columns.to_vec(), row: None });
    }

    /// Keeps a result's first row; whether it did.
    pub(super) fn holds(&mut self, row: &[u8]) -> bool {
        match &mut self.held {
            Some(Held { row: first @ None, .. }) => {
                *first = Some(row.to_vec());
                true
            }
            _ => false,
        }
    }

    /// Sends what is kept. Clients without `CLIENT_DEPRECATE_EOF` look for the mark of OUT parameters behind the
    /// columns. Behind every result of a procedure there is another one, be it the last OK.
    pub(super) fn release<W: AsyncWrite + Unpin>(&mut self, writer: &mut Writer<W>, status: StatusFlags) {
        let Some(held) = self.held.take() else { return };
        rows::columns(writer, &held.columns, status | StatusFlags::SERVER_MORE_RESULTS_EXISTS);
        if let Some(row) = held.row {
            writer.packet(&row);
        }
    }

    /// Why the client is not told that the procedure has succeeded.
    pub(super) fn refusal(&mut self) -> Option<MysqlError> {
        self.refusal.take()
    }
}

/// The flags for the client: a transaction that the procedure has ended is over.
pub(super) fn status(server: StatusFlags, mut status: StatusFlags) -> StatusFlags {
    if !server.in_transaction() {
        status.remove(StatusFlags::SERVER_STATUS_IN_TRANS | StatusFlags::SERVER_STATUS_IN_TRANS_READONLY);
    }
    status
}
