//! Takes an answer apart.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::stage::{Event, Grammar};
use crate::frame::{Frame, HEADER, check_sequence};
use crate::packet::{ColumnDefinition, ErrPacket, OkPacket};
use crate::{Capabilities, WireError};

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A result without rows.
    Ok(OkPacket),
    /// The column definitions of a result set, always before its rows.
    Columns(Vec<ColumnDefinition>),
    /// The payload of one row, text or binary.
    Row(Bytes),
    /// The end of the rows. An EOF packet has only warnings and status; the rest is then empty.
    End(OkPacket),
    /// An error in place of a result, or in the middle of rows. The answer has ended.
    Err(ErrPacket),
    /// A request for the file of this name. The answer goes on once the file was sent.
    LocalInfile(Bytes),
}

/// Decodes the frames of one answer into parts, as they come.
///
/// Rows of one frame are slices of what was pushed; longer ones are joined.
#[derive(Debug)]
pub struct PartDecoder {
    grammar: Grammar,
    input: VecDeque<Bytes>,
    sequence: u8,
    /// The full frames of a packet whose last frame has not come yet.
    pending: Option<BytesMut>,
    columns: Vec<ColumnDefinition>,
}

impl PartDecoder {
    /// A decoder of one answer on a connection with or without `CLIENT_DEPRECATE_EOF`.
    #[must_use]
    pub const fn new(deprecate_eof: bool) -> Self {
        Self::with_grammar(Grammar::new(deprecate_eof))
    }

    /// A decoder of an answer to COM_STMT_FETCH, which begins with the rows.
    #[must_use]
    pub const fn of_fetch(deprecate_eof: bool) -> Self {
        Self::with_grammar(Grammar::of_rows(deprecate_eof))
    }

    const fn with_grammar(grammar: Grammar) -> Self {
        Self { grammar, input: VecDeque::new(), sequence: 1, pending: None, columns: Vec::new() }
    }

    /// Adds whole frames with their headers.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.input.push_back(bytes);
        }
    }

    /// The next part; `None` while it is incomplete, and after the end.
    ///
    /// # Errors
    /// [`WireError::Truncated`] where what was pushed ends inside a frame; others for bytes that are no answer.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator ends for good at None; this goes on after a push"
    )]
    pub fn next(&mut self) -> Result<Option<Part>, WireError> {
        while let Some(payload) = self.next_payload()? {
            if let Some(part) = self.part(payload)? {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }

    /// Whether the answer has ended.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.grammar.is_done()
    }

    /// The bytes that were pushed and have not come out as parts.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.input.iter().map(Bytes::len).sum::<usize>() + self.pending.as_ref().map_or(0, BytesMut::len)
    }

    /// Takes a packet; the part, if it makes or completes one.
    fn part(&mut self, payload: Bytes) -> Result<Option<Part>, WireError> {
        let part = match self.grammar.advance(&payload)? {
            Event::Row => Part::Row(payload),
            Event::Column => return self.column(&payload),
            Event::Ok => Part::Ok(self.end(&payload)?),
            Event::End => Part::End(self.end(&payload)?),
            Event::Err => Part::Err(ErrPacket::decode(&payload, Capabilities::empty())?),
            Event::LocalInfile => Part::LocalInfile(payload.slice(1..)),
            Event::Header(_) | Event::ColumnsEnd => return Ok(None),
        };
        Ok(Some(part))
    }

    fn column(&mut self, payload: &[u8]) -> Result<Option<Part>, WireError> {
        self.columns.push(ColumnDefinition::decode(payload, Capabilities::empty())?);
        let complete = self.grammar.columns_are_complete();
        Ok(complete.then(|| Part::Columns(std::mem::take(&mut self.columns))))
    }

    fn end(&mut self, payload: &[u8]) -> Result<OkPacket, WireError> {
        let (ok, _) = self.grammar.decode_end(payload)?;
        self.grammar.finish(ok.status);
        Ok(ok)
    }

    /// The payload of the next packet, joined where it has several frames.
    fn next_payload(&mut self) -> Result<Option<Bytes>, WireError> {
        while let Some(input) = self.input.front_mut() {
            let Some(frame) = Frame::first(input) else {
                return Err(WireError::Truncated { what: "burst of frames" });
            };
            check_sequence(&mut self.sequence, frame.sequence)?;
            let (length, continues) = (frame.payload.len(), frame.continues());
            input.advance(HEADER);
            let payload = input.split_to(length);
            if input.is_empty() {
                self.input.pop_front();
            }
            match (&mut self.pending, continues) {
                (None, false) => return Ok(Some(payload)),
                (None, true) => self.pending = Some(BytesMut::from(payload)),
                (Some(pending), _) => pending.extend_from_slice(&payload),
            }
            if !continues {
                return Ok(self.pending.take().map(BytesMut::freeze));
            }
        }
        Ok(None)
    }
}
