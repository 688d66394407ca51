//! Finds the end of an answer by headers only.

use super::stage::{Event, Grammar};
use super::{Completion, CompletionKind};
use crate::frame::{Frame, HEADER, check_sequence};
use crate::packet::ErrPacket;
use crate::{Capabilities, WireError};

/// Finds the end of an answer in a byte stream; what is in the rows is never looked at, and nothing is copied.
///
/// One scanner reads one answer. Sequence ids must count from 1 (or as [`ResponseScanner::with_sequence`] says).
///
/// ```
/// use serval_wire::response::{CompletionKind, ResponseScanner};
/// let ok = [7, 0, 0, 1, 0, 3, 0, 2, 0, 0, 0];
/// let mut scanner = ResponseScanner::new(true);
/// assert!(scanner.scan(&ok[..6])?.complete.is_none());
/// let scanned = scanner.scan(&ok)?;
/// let end = scanned.complete.expect("the packet is there");
/// assert_eq!((scanned.consumed, end.kind, end.affected_rows), (11, CompletionKind::Ok, 3));
/// assert_eq!(end.status_offset, Some(7));
/// # Ok::<(), serval_wire::WireError>(())
/// ```
#[derive(Debug)]
pub struct ResponseScanner {
    grammar: Grammar,
    sequence: u8,
    /// The packet before went on in the next frame.
    continues: bool,
    rows: u64,
}

/// What a call of [`ResponseScanner::scan`] found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// The bytes of whole frames of the answer. What follows them has to be scanned again when more has come.
    pub consumed: usize,
    /// Present when the answer ends with them.
    pub complete: Option<Completion>,
}

impl ResponseScanner {
    /// A scanner of one answer on a connection with or without `CLIENT_DEPRECATE_EOF`.
    #[must_use]
    pub const fn new(deprecate_eof: bool) -> Self {
        Self::with_sequence(deprecate_eof, 1)
    }

    /// A scanner of an answer to COM_STMT_FETCH, which begins with the rows.
    #[must_use]
    pub const fn of_fetch(deprecate_eof: bool) -> Self {
        Self { grammar: Grammar::of_rows(deprecate_eof), sequence: 1, continues: false, rows: 0 }
    }

    /// A scanner of an answer that begins with another sequence id: after a file was sent.
    #[must_use]
    pub const fn with_sequence(deprecate_eof: bool, sequence: u8) -> Self {
        Self { grammar: Grammar::new(deprecate_eof), sequence, continues: false, rows: 0 }
    }

    /// Steps over the whole frames of `buf`, which begins at a frame's border, up to the end of the answer.
    ///
    /// # Errors
    /// [`WireError::OutOfOrder`] and others for bytes that are no answer; the connection is then of no more use.
    pub fn scan(&mut self, buf: &[u8]) -> Result<Scanned, WireError> {
        let mut consumed = 0;
        while let Some(frame) = buf.get(consumed..).and_then(Frame::first) {
            check_sequence(&mut self.sequence, frame.sequence)?;
            let payload_offset = consumed + HEADER;
            consumed = payload_offset + frame.payload.len();
            let starts = !std::mem::replace(&mut self.continues, frame.continues());
            if !starts {
                continue;
            }
            match self.grammar.advance(frame.payload)? {
                Event::Row => self.rows += 1,
                event => {
                    if let Some(complete) = self.other(event, frame.payload, payload_offset)? {
                        return Ok(Scanned { consumed, complete: Some(complete) });
                    }
                }
            }
        }
        Ok(Scanned { consumed, complete: None })
    }

    /// Takes a packet that is no row; the completion, if it ends the answer.
    fn other(
        &mut self,
        event: Event,
        payload: &[u8],
        offset: usize,
    ) -> Result<Option<Completion>, WireError> {
        let completion = match event {
            Event::Ok => self.end(CompletionKind::Ok, payload, offset)?,
            Event::End => self.end(CompletionKind::ResultSet, payload, offset)?,
            Event::Err => Completion::of_error(ErrPacket::decode(payload, Capabilities::empty())?),
            Event::LocalInfile => Completion::of_local_infile(),
            Event::Header(_) | Event::Column | Event::ColumnsEnd | Event::Row => return Ok(None),
        };
        Ok(self.grammar.is_done().then_some(Completion { rows: self.rows, ..completion }))
    }

    fn end(&mut self, kind: CompletionKind, payload: &[u8], offset: usize) -> Result<Completion, WireError> {
        let (ok, status_offset) = self.grammar.decode_end(payload)?;
        self.grammar.finish(ok.status);
        Ok(Completion::of_ok(kind, ok, offset + status_offset))
    }
}
