//! Where the executor puts a client's answer.

use std::io;

use bytes::BytesMut;
use serval_executor::{End, ResultSink, SinkError};
use serval_remote::Burst;
use serval_types::MysqlError;
use serval_wire::packet::{ColumnDefinition, EofPacket, OkPacket};
use serval_wire::response::{Completion, CompletionKind};
use serval_wire::{Capabilities, StatusFlags};
use tokio::io::AsyncWrite;

use super::counting::Counting;
use super::opening::Opening;
use super::relay::{Relay, last_frame};
use super::routine::{self, Routine};
use super::rows;
use crate::cursor::{Cursor, Room};
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
    /// Present where the rows are to be fetched later.
    opening: Option<Box<Opening>>,
    /// How many columns the client was told of when it prepared the statement.
    told: Option<usize>,
    /// Present where a procedure answers.
    routine: Option<Box<Routine>>,
    /// Something has come.
    touched: bool,
}

impl<'a, W: AsyncWrite + Unpin> ClientSink<'a, W> {
    /// A sink for one answer under the session's `status`. `numbers` are those of AUTO_INCREMENT
    /// where Serval made them itself.
    pub(crate) fn new(writer: &'a mut Writer<W>, status: StatusFlags, numbers: Option<Numbers>) -> Self {
        let counting = Counting::default();
        Self {
            writer,
            status,
            numbers,
            counting,
            affected_rows: None,
            relay: Relay::default(),
            opening: None,
            told: None,
            routine: None,
            touched: false,
        }
    }

    /// The same, for a client that fetches the rows later.
    #[must_use]
    pub(crate) fn opening(self, room: Room) -> Self {
        Self { opening: Some(Box::new(Opening::new(room))), ..self }
    }

    /// The same, for a statement that was prepared: if its columns have become others since, the client is told.
    #[must_use]
    pub(crate) fn prepared(self, columns: usize) -> Self {
        Self { told: (columns > 0).then_some(columns), ..self }
    }

    /// The same, for all that a procedure answers.
    #[must_use]
    pub(crate) fn routine(self) -> Self {
        Self { routine: Some(Box::default()), ..self }
    }

    /// The cursor that was opened.
    pub(crate) fn opened(&mut self) -> Option<Cursor> {
        self.opening.as_mut()?.opened()
    }

    /// What went wrong in the proxy itself, where the sink failed and the client is not to blame.
    pub(crate) fn failure(&mut self) -> Option<MysqlError> {
        let routine = self.routine.as_deref_mut().and_then(Routine::refusal);
        routine.or_else(|| self.opening.as_mut()?.failure())
    }

    /// The same, for a client that wants other rows counted.
    #[must_use]
    pub(crate) fn counting(self, counting: Counting) -> Self {
        Self { counting, ..self }
    }

    /// Whether nothing has come for the client yet.
    pub(crate) fn is_untouched(&self) -> bool {
        !self.touched
    }

    /// The rows that the client was told of, where it was told in an OK packet.
    pub(crate) fn affected_rows(&self) -> Option<u64> {
        self.affected_rows
    }

    fn deprecates_eof(&self) -> bool {
        self.writer.capabilities().contains(Capabilities::CLIENT_DEPRECATE_EOF)
    }

    /// Whether the client reads a server's packets as they are.
    fn same_dialect(&self) -> bool {
        self.deprecates_eof() && self.writer.optional_metadata().is_none()
    }

    fn merged(&self, server: StatusFlags) -> StatusFlags {
        let status = server.without(NOT_RELAYED) | self.status;
        if self.routine.is_some() { routine::status(server, status) } else { status }
    }

    fn write_ok(&mut self, ok: &OkPacket) {
        let ok = OkPacket {
            status: self.merged(ok.status),
            last_insert_id: match &self.numbers {
                Some(numbers) => numbers.reported(ok.last_insert_id),
                None => ok.last_insert_id,
            },
            session_state: None,
            ..ok.clone()
        };
        let ok = self.counting.apply(ok);
        self.affected_rows = Some(ok.affected_rows);
        self.writer.ok(&ok);
    }

    /// Compares the columns of the answer with those that the client was told of.
    fn compare(&mut self, columns: Option<u64>) {
        if let (Some(told), Some(columns)) = (self.told, columns)
            && told as u64 != columns
        {
            self.status.insert(StatusFlags::SERVER_STATUS_METADATA_CHANGED);
        }
    }

    /// Frames that end nothing.
    fn pass(&mut self, frames: BytesMut) {
        if self.same_dialect() && frames.get(3) == Some(&self.writer.sequence()) {
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
            let status = self.writer.status(self.status);
            EofPacket { warnings: 0, status }.encode(self.writer.capabilities(), &mut eof);
        }
        let eof = (!eof.is_empty()).then_some(&*eof);
        let metadata = self.writer.optional_metadata();
        self.writer.splice(|out, sequence| self.relay.rewrite(frames, sequence, eof, metadata, out));
    }

    /// Frames that end with the packet behind the last row.
    fn finish_rows(&mut self, mut frames: BytesMut, completion: &Completion) {
        let status = self.writer.status(self.merged(completion.status));
        let as_is = self.same_dialect()
            && frames.get(3) == Some(&self.writer.sequence())
            && completion.session_state.is_none();
        let place = completion.status_offset.and_then(|at| frames.get_mut(at..at + 2));
        if let (true, Some(place)) = (as_is, place) {
            place.copy_from_slice(&status.bits().to_le_bytes());
            // Only an answer behind this one asks for the number, and finding it means a look at every frame.
            let next = if self.writer.has_more_results() { self.relay.note(&frames) } else { 0 };
            self.writer.frames(frames, next);
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
        self.opening.is_none() && self.routine.is_none()
    }

    async fn relay(&mut self, burst: Burst) -> Result<(), SinkError> {
        self.touched = true;
        if self.told.is_some() {
            self.compare(self.relay.columns(&burst.bytes));
        }
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
        self.touched = true;
        self.compare(Some(columns.len() as u64));
        match &mut self.opening {
            Some(opening) => opening.set_columns(columns),
            None => match &mut self.routine {
                Some(routine) => routine.columns(columns),
                None => rows::columns(self.writer, columns, self.status),
            },
        }
        Ok(())
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        if let Some(opening) = &mut self.opening {
            return opening.push(payload).await;
        }
        if let Some(routine) = &mut self.routine {
            if routine.holds(payload) {
                return Ok(());
            }
            routine.release(self.writer, self.status);
        }
        self.writer.packet(payload);
        self.writer.relieve().await.map_err(gone)
    }

    async fn end(&mut self, end: End) -> Result<(), SinkError> {
        let mut status = self.merged(end.status);
        if let Some(opening) = &mut self.opening {
            opening.finish().await?;
            rows::definitions(self.writer, &opening.columns);
            status.insert(StatusFlags::SERVER_STATUS_CURSOR_EXISTS);
        }
        if let Some(routine) = &mut self.routine {
            let out = end.status.intersection(StatusFlags::SERVER_PS_OUT_PARAMS);
            routine.release(self.writer, self.status | out);
        }
        rows::end(self.writer, status, end.warnings);
        if status.more_results() {
            // An error may still follow.
            self.writer.set_progress(Progress::Open);
        }
        Ok(())
    }

    async fn ok(&mut self, ok: &OkPacket) -> Result<(), SinkError> {
        self.touched = true;
        if let Some(routine) = &mut self.routine {
            routine.check(ok.status, self.status)?;
        }
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
