//! One connection to an engine: a statement at a time, and its answer packet by packet.

use bytes::{Bytes, BytesMut};
use serval_remote::EngineEvent;
use serval_types::MysqlError;
use serval_wire::frame::PacketReader;
use serval_wire::packet::{ColumnDefinition, EofPacket, ErrPacket, OkPacket, text_row};
use serval_wire::{Capabilities, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::command::{self, Command};
use crate::error::LinkError;
use crate::handshake::LoggedIn;
use crate::stream::{Peek, Stream};

/// No packet of an engine may be larger; more than any row that Serval would pass on.
const LARGEST: usize = 64 << 20;
/// More columns than a server's table can have.
const MOST_COLUMNS: u64 = 4096;
const ROOM: usize = 16 << 10;

/// Where in the answer the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing is to come.
    Idle,
    /// The first packet.
    Start,
    /// Rows of so many cells.
    Rows(usize),
}

#[derive(Debug)]
pub(super) struct Conversation {
    stream: Stream,
    capabilities: Capabilities,
    input: BytesMut,
    reader: PacketReader,
    place: Place,
    /// What the end of the last answer told.
    pub(super) warnings: u16,
}

/// What came of an answer.
#[derive(Debug)]
pub(super) enum Heard {
    Event(EngineEvent),
    /// The rows are over.
    End,
    Ok(OkPacket),
    /// The rows of this result are over, and those of another follow.
    Next,
    /// The engine refuses; the conversation goes on.
    Refused(MysqlError),
}

impl Conversation {
    pub(super) fn new(LoggedIn { stream, capabilities, .. }: LoggedIn) -> Self {
        let reader = PacketReader::new(LARGEST);
        Self { stream, capabilities, input: BytesMut::new(), reader, place: Place::Idle, warnings: 0 }
    }

    /// Whether another statement can follow.
    pub(super) fn is_idle(&mut self) -> bool {
        self.place == Place::Idle && self.input.is_empty() && self.stream.peek() == Peek::Quiet
    }

    pub(super) async fn send(&mut self, sql: &[u8]) -> Result<(), LinkError> {
        let mut out = BytesMut::new();
        let first = command::put(&mut out, Command::Query, sql);
        self.reader.set_sequence(first);
        self.place = Place::Start;
        self.stream.write_all(&out).await?;
        Ok(self.stream.flush().await?)
    }

    /// What comes next of the answer.
    pub(super) async fn hear(&mut self) -> Result<Heard, LinkError> {
        let payload = self.receive().await?;
        match (self.place, payload.first()) {
            (_, Some(0xff)) => {
                self.place = Place::Idle;
                Ok(Heard::Refused(refusal(&payload, self.capabilities)?))
            }
            (Place::Start, Some(0x00)) => {
                self.place = Place::Idle;
                self.ok(&payload).map(Heard::Ok)
            }
            (Place::Start, Some(0xfb)) => {
                Err(LinkError::Unsupported("it asks for a file, which engines are not sent".to_owned()))
            }
            (Place::Start, _) => self.columns(&payload).await,
            (Place::Rows(_), Some(0xfe)) if self.is_end(&payload) => {
                let (warnings, status) = if self.deprecates_eof() {
                    let ok = OkPacket::decode(&payload, self.capabilities)?;
                    (ok.warnings, ok.status)
                } else {
                    let end = EofPacket::decode(&payload, self.capabilities)?;
                    (end.warnings, end.status)
                };
                self.warnings = warnings;
                let more = status.more_results();
                self.place = if more { Place::Start } else { Place::Idle };
                Ok(if more { Heard::Next } else { Heard::End })
            }
            (Place::Rows(columns), _) => {
                if text_row::cells(&payload).filter(Result::is_ok).count() != columns {
                    return Err(WireError::Malformed { what: "row" }.into());
                }
                Ok(Heard::Event(EngineEvent::Row(payload)))
            }
            (Place::Idle, _) => Err(WireError::Malformed { what: "packet behind the answer" }.into()),
        }
    }

    /// An OK packet, which some engines send shorter than it is defined.
    fn ok(&mut self, payload: &[u8]) -> Result<OkPacket, LinkError> {
        let mut ok = OkPacket::decode(payload, self.capabilities)?;
        strip(&mut ok.info);
        self.warnings = ok.warnings;
        Ok(ok)
    }

    async fn columns(&mut self, first: &[u8]) -> Result<Heard, LinkError> {
        let count = match first {
            [count @ 1..=0xfa] => u64::from(*count),
            [0xfc, low, high] => u64::from(u16::from_le_bytes([*low, *high])),
            _ => return Err(WireError::Malformed { what: "column count" }.into()),
        };
        if count > MOST_COLUMNS {
            return Err(WireError::Malformed { what: "column count" }.into());
        }
        let mut columns = Vec::new();
        for _ in 0..count {
            let payload = self.receive().await?;
            columns.push(ColumnDefinition::decode(&payload, self.capabilities)?);
        }
        if !self.deprecates_eof() {
            let end = self.receive().await?;
            EofPacket::decode(&end, self.capabilities)?;
        }
        self.place = Place::Rows(columns.len());
        Ok(Heard::Event(EngineEvent::Columns(columns)))
    }

    fn deprecates_eof(&self) -> bool {
        self.capabilities.contains(Capabilities::CLIENT_DEPRECATE_EOF)
    }

    /// Whether a packet with the header 0xfe ends the rows. A row can begin with it, too, where its first cell is huge.
    fn is_end(&self, payload: &[u8]) -> bool {
        payload.len() < if self.deprecates_eof() { 0xff_ffff } else { 9 }
    }

    async fn receive(&mut self) -> Result<Bytes, LinkError> {
        loop {
            if let Some(packet) = self.reader.next(&mut self.input)? {
                return Ok(packet.payload);
            }
            self.input.reserve(ROOM);
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(LinkError::closed());
            }
        }
    }
}

fn refusal(payload: &[u8], capabilities: Capabilities) -> Result<MysqlError, LinkError> {
    let mut error = ErrPacket::decode(payload, capabilities)?;
    // Sphinx ends its texts as C does.
    strip(&mut error.message);
    Ok(error.to_mysql())
}

fn strip(text: &mut Vec<u8>) {
    while text.last() == Some(&0) {
        text.pop();
    }
}
