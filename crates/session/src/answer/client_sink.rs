//! Where the executor puts a client's answer.

use std::io;

use bytes::BytesMut;
use serval_executor::{End, ResultSink, SinkError};
use serval_remote::Burst;
use serval_wire::packet::{ColumnDefinition, EofPacket, OkPacket};
use serval_wire::response::{Completion, CompletionKind};
use serval_wire::{Capabilities, StatusFlags};
use tokio::io::AsyncWrite;

use super::counting::Counting;
use super::relay::{Relay, last_frame};
use super::rows;
use crate::session::Numbers;
use crate::stream::{Progress, Writer};

/// What a server says of its own session that says nothing of the client's.
const NOT_RELAYED: StatusFlags = StatusFlags::SERVER_STATUS_AUTOCOMMIT
    .with(StatusFlags::SERVER_STATUS_IN_TRANS)
    .with(StatusFlags::SERVER_STATUS_IN_TRANS_READONLY)
    .with(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES)
    .with(StatusFlags::SERVER_SESSION_STATE_CHANGED)
    .with(StatusFlags::SERVER_STATUS_ANSI_QUOTES);

/// Writes one answer into a client's buffer.
#[derive(Debug)]
pub(crate) struct ClientSink<'a, W> {
    writer: &'a mut Writer<W>,
    status: StatusFlags,
    numbers: Option<Numbers>,
    counting: Counting,
    /// The rows of the OK packet.
    affected_rows: Option<u64>,
    relay: Relay,
}

impl<'a, W: AsyncWrite + Unpin> ClientSink<'a, W> {
    /// A sink for one answer under the session's `status`. `numbers` are those of AUTO_INCREMENT
    /// where Serval made them itself.
    pub(crate) fn new(writer: &'a mut Writer<W>, status: StatusFlags, numbers: Option<Numbers>) -> Self {
        let counting = Counting::default();
        Self { writer, status, numbers, counting, affected_rows: None, relay: Relay::default() }
    }

    /// The same, for a client that wants other rows counted.
    #[must_use]
    pub(crate) fn counting(self, counting: Counting) -> Self {
        Self { counting, ..self }
    }

    /// The rows that the client was told of, where it was told in an OK packet.
    pub(crate) fn affected_rows(&self) -> Option<u64> {
        self.affected_rows
    }

    fn deprecates_eof(&self) -> bool {
        self.writer.capabilities().contains(Capabilities::CLIENT_DEPRECATE_EOF)
    }

    fn merged(&self, server: StatusFlags) -> StatusFlags {
        server.without(NOT_RELAYED) | self.status
    }

    fn write_ok(&mut self, ok: &OkPacket) {
        let ok = OkPacket {
            status: self.merged(ok.status),
            last_insert_id: match &self.numbers {
                Some(numbers) => numbers.reported(ok.affected_rows, ok.last_insert_id),
                None => ok.last_insert_id,
            },
            session_state: None,
            ..ok.clone()
        };
        let ok = self.counting.apply(ok);
        self.affected_rows = Some(ok.affected_rows);
        self.writer.ok(&ok);
    }

    /// Frames that end nothing.
    fn pass(&mut self, frames: BytesMut) {
        if self.deprecates_eof() && frames.get(3) == Some(&self.writer.sequence()) {
            let sequence = self.relay.note(&frames);
            self.writer.frames(frames, sequence);
        } else {
            self.rewrite(&frames);
        }
        let torn = self.relay.is_inside_packet();
        self.writer.set_progress(if torn { Progress::Torn } else { Progress::Open });
    }

    fn rewrite(&mut self, frames: &[u8]) {
        let mut eof = Vec::new();
        if !self.deprecates_eof() {
            EofPacket { warnings: 0, status: self.status }.encode(self.writer.capabilities(), &mut eof);
        }
        let eof = (!eof.is_empty()).then_some(&*eof);
        self.writer.splice(|out, sequence| self.relay.rewrite(frames, sequence, eof, out));
    }

    /// Frames that end with the packet behind the last row.
    fn finish_rows(&mut self, mut frames: BytesMut, completion: &Completion) {
        let status = self.merged(completion.status);
        let as_is = self.deprecates_eof()
            && frames.get(3) == Some(&self.writer.sequence())
            && completion.session_state.is_none();
        let place = completion.status_offset.and_then(|at| frames.get_mut(at..at + 2));
        if let (true, Some(place)) = (as_is, place) {
            place.copy_from_slice(&status.bits().to_le_bytes());
            self.writer.frames(frames, 0);
            self.writer.set_progress(Progress::Complete);
        } else {
            let last = last_frame(&frames);
            self.rewrite(&frames[..last]);
            rows::end(self.writer, status, completion.warnings);
        }
    }
}

impl<W: AsyncWrite + Unpin + Send> ResultSink for ClientSink<'_, W> {
    fn relays(&self) -> bool {
        true
    }

    async fn relay(&mut self, burst: Burst) -> Result<(), SinkError> {
        match burst.completion {
            None => self.pass(burst.bytes),
            Some(completion) => match completion.kind {
                CompletionKind::Ok => self.write_ok(&ok_of(completion)),
                CompletionKind::ResultSet => self.finish_rows(burst.bytes, &completion),
                CompletionKind::Err | CompletionKind::LocalInfile => {
                    self.rewrite(&burst.bytes);
                    self.writer.set_progress(Progress::Complete);
                }
            },
        }
        self.writer.relieve().await.map_err(gone)
    }

    async fn columns(&mut self, columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        rows::columns(self.writer, columns, self.status);
        Ok(())
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        self.writer.packet(payload);
        self.writer.relieve().await.map_err(gone)
    }

    async fn end(&mut self, end: End) -> Result<(), SinkError> {
        rows::end(self.writer, self.status, end.warnings);
        Ok(())
    }

    async fn ok(&mut self, ok: &OkPacket) -> Result<(), SinkError> {
        self.write_ok(ok);
        Ok(())
    }
}

fn ok_of(completion: Completion) -> OkPacket {
    OkPacket {
        affected_rows: completion.affected_rows,
        last_insert_id: completion.last_insert_id,
        status: completion.status,
        warnings: completion.warnings,
        info: completion.info,
        session_state: None,
    }
}

fn gone(error: io::Error) -> SinkError {
    SinkError::from(error)
}
