//! How an answer ended.

use crate::StatusFlags;
use crate::packet::{ErrPacket, OkPacket};

/// What the last result of an answer was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CompletionKind {
    /// An OK packet.
    #[default]
    Ok,
    /// Rows to their end.
    ResultSet,
    /// An error, in place of a result or in the middle of rows.
    Err,
    /// A request for a file; the answer goes on once the file was sent.
    LocalInfile,
}

/// The end of an answer. Where it has several results, all fields but `rows` are the last one's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// What the last result was.
    pub kind: CompletionKind,
    /// The session's status. An error and a request for a file say nothing of it; then it is empty.
    pub status: StatusFlags,
    /// How many warnings the statement left.
    pub warnings: u16,
    /// Rows changed.
    pub affected_rows: u64,
    /// The first AUTO_INCREMENT value that the statement made; 0 for none.
    pub last_insert_id: u64,
    /// The rows of all results.
    pub rows: u64,
    /// Where the two bytes of the status stand in the buffer that was scanned last, to be changed in place.
    pub status_offset: Option<usize>,
    /// The error.
    pub error: Option<ErrPacket>,
    /// The OK packet's text for people.
    pub info: Vec<u8>,
    /// What changed in the session, as the session tracker encodes it.
    pub session_state: Option<Vec<u8>>,
}

impl Completion {
    pub(super) fn of_ok(kind: CompletionKind, ok: OkPacket, status_offset: usize) -> Self {
        Self {
            kind,
            status: ok.status,
            warnings: ok.warnings,
            affected_rows: ok.affected_rows,
            last_insert_id: ok.last_insert_id,
            status_offset: Some(status_offset),
            info: ok.info,
            session_state: ok.session_state,
            ..Self::default()
        }
    }

    pub(super) fn of_error(error: ErrPacket) -> Self {
        Self { kind: CompletionKind::Err, error: Some(error), ..Self::default() }
    }

    pub(super) fn of_local_infile() -> Self {
        Self { kind: CompletionKind::LocalInfile, ..Self::default() }
    }
}
