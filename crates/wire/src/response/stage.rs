//! The grammar of an answer: which packet may come next, and what it is by its first byte and length.

use crate::WireError;
use crate::frame::MAX_PAYLOAD;
use crate::lenenc::Reader;
use crate::packet::{EOF_HEADER, ERR_HEADER, EofPacket, LOCAL_INFILE_HEADER, OK_HEADER, OkPacket, eof};
use crate::{Capabilities, StatusFlags};

/// More columns than any server can send.
const MOST_COLUMNS: u64 = 0xffff;

/// Where in an answer its reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the first packet of a result.
    Start,
    /// In the column definitions; so many are left, at least one.
    Columns(u32),
    /// Before the EOF packet between columns and rows.
    ColumnsEnd,
    /// In the rows.
    Rows,
    /// After the last result.
    Done,
}

/// What a packet turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Ok,
    Err,
    LocalInfile,
    /// The number of columns.
    Header(u32),
    Column,
    ColumnsEnd,
    Row,
    End,
}

/// A reader's place in an answer.
#[derive(Debug)]
pub(super) struct Grammar {
    deprecate_eof: bool,
    stage: Stage,
}

impl Grammar {
    pub const fn new(deprecate_eof: bool) -> Self {
        Self { deprecate_eof, stage: Stage::Start }
    }

    /// An answer that begins with the rows.
    pub const fn of_rows(deprecate_eof: bool) -> Self {
        Self { deprecate_eof, stage: Stage::Rows }
    }

    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Whether the last packet was a column definition and no other follows.
    pub fn columns_are_complete(&self) -> bool {
        matches!(self.stage, Stage::ColumnsEnd | Stage::Rows)
    }

    /// Takes a packet by the payload of its first frame, which stands for the whole where that is longer. After
    /// [`Event::Ok`] and [`Event::End`] the caller has to tell by [`Grammar::finish`] whether another result follows.
    #[inline]
    pub fn advance(&mut self, payload: &[u8]) -> Result<Event, WireError> {
        let Some(&first) = payload.first() else { return Err(WireError::Truncated { what: "answer" }) };
        if self.stage == Stage::Rows && first < EOF_HEADER {
            return Ok(Event::Row);
        }
        self.advance_rarely(first, payload)
    }

    /// Goes on after an OK packet or the end of rows.
    pub fn finish(&mut self, status: StatusFlags) {
        self.stage = if status.more_results() { Stage::Start } else { Stage::Done };
    }

    /// Decodes the packet of [`Event::Ok`] or [`Event::End`], and tells where in it the status stands.
    pub fn decode_end(&self, payload: &[u8]) -> Result<(OkPacket, usize), WireError> {
        if payload.first() == Some(&EOF_HEADER) && !self.deprecate_eof {
            let packet = EofPacket::decode(payload, Capabilities::empty())?;
            return Ok((packet.into(), eof::STATUS_OFFSET));
        }
        OkPacket::decode_with_offset(payload)
    }

    fn advance_rarely(&mut self, first: u8, payload: &[u8]) -> Result<Event, WireError> {
        if first == ERR_HEADER && self.stage != Stage::Done {
            self.stage = Stage::Done;
            return single_frame(Event::Err, payload);
        }
        match self.stage {
            Stage::Start => self.start(first, payload),
            Stage::Columns(left) => {
                self.stage = match (left, self.deprecate_eof) {
                    (1, true) => Stage::Rows,
                    (1, false) => Stage::ColumnsEnd,
                    _ => Stage::Columns(left - 1),
                };
                Ok(Event::Column)
            }
            Stage::ColumnsEnd if first == EOF_HEADER && payload.len() <= eof::LONGEST => {
                self.columns_end(payload)
            }
            Stage::ColumnsEnd => Err(WireError::Malformed { what: "end of column definitions" }),
            Stage::Rows => self.row_or_end(payload),
            Stage::Done => Err(WireError::Malformed { what: "packet after the end of an answer" }),
        }
    }

    fn start(&mut self, first: u8, payload: &[u8]) -> Result<Event, WireError> {
        match first {
            OK_HEADER => single_frame(Event::Ok, payload),
            LOCAL_INFILE_HEADER => {
                self.stage = Stage::Done;
                single_frame(Event::LocalInfile, payload)
            }
            _ => {
                let count = column_count(payload)?;
                self.stage = Stage::Columns(count);
                Ok(Event::Header(count))
            }
        }
    }

    /// The EOF packet after the columns, which is the last one of the answer where a cursor was opened.
    fn columns_end(&mut self, payload: &[u8]) -> Result<Event, WireError> {
        let eof = EofPacket::decode(payload, Capabilities::empty())?;
        self.stage = Stage::Rows;
        let cursor = eof.status.contains(StatusFlags::SERVER_STATUS_CURSOR_EXISTS);
        Ok(if cursor { Event::End } else { Event::ColumnsEnd })
    }

    /// A packet that begins with 0xfe: a row only where its first cell is longer than a frame, and then it fills one.
    fn row_or_end(&self, payload: &[u8]) -> Result<Event, WireError> {
        if payload.len() >= MAX_PAYLOAD {
            Ok(Event::Row)
        } else if self.deprecate_eof || payload.len() <= eof::LONGEST {
            Ok(Event::End)
        } else {
            Err(WireError::Malformed { what: "end of rows" })
        }
    }
}

/// Nothing but column definitions and rows is ever longer than a frame.
fn single_frame(event: Event, payload: &[u8]) -> Result<Event, WireError> {
    if payload.len() >= MAX_PAYLOAD {
        return Err(WireError::Malformed { what: "answer" });
    }
    Ok(event)
}

fn column_count(payload: &[u8]) -> Result<u32, WireError> {
    let mut reader = Reader::new(payload, "column count");
    let count = reader.int()?;
    // MariaDB adds a byte where metadata caching was agreed, which is never asked for.
    if count == 0 || count > MOST_COLUMNS || !reader.is_empty() {
        return Err(reader.malformed());
    }
    u32::try_from(count).map_err(|_| reader.malformed())
}
