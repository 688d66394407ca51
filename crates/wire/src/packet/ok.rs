//! OK_Packet: a statement without rows succeeded, or, under `CLIENT_DEPRECATE_EOF`, rows have ended.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html). The manual says that
//! without `CLIENT_SESSION_TRACK` the text runs to the end of the packet; servers write it with a length then too.

use super::{EOF_HEADER, EofPacket, OK_HEADER};
use crate::lenenc::{Reader, write_int, write_string};
use crate::{Capabilities, StatusFlags, WireError};

/// Success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OkPacket {
    /// Rows changed, or found where the client asked for that.
    pub affected_rows: u64,
    /// The first AUTO_INCREMENT value that the statement made; 0 for none.
    pub last_insert_id: u64,
    /// The session's status.
    pub status: StatusFlags,
    /// How many warnings the statement left.
    pub warnings: u16,
    /// A text for people, `Rows matched: 1  Changed: 1  Warnings: 0` for example.
    pub info: Vec<u8>,
    /// What changed in the session, as the session tracker encodes it.
    pub session_state: Option<Vec<u8>>,
}

impl OkPacket {
    /// Decodes a payload that begins with 0x00, or with 0xfe at the end of rows.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or [`WireError::Malformed`] where it is another packet.
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        Self::decode_with_offset(payload).map(|(ok, _)| ok)
    }

    /// Encodes the payload with header 0x00.
    pub fn encode(&self, caps: Capabilities, out: &mut Vec<u8>) {
        self.encode_as(OK_HEADER, caps, out);
    }

    /// Encodes the packet that ends rows: with header 0xfe under `CLIENT_DEPRECATE_EOF`, otherwise the EOF packet of
    /// the same warnings and status.
    pub fn encode_end(&self, caps: Capabilities, out: &mut Vec<u8>) {
        if caps.contains(Capabilities::CLIENT_DEPRECATE_EOF) {
            self.encode_as(EOF_HEADER, caps, out);
        } else {
            let status = self.status.without(StatusFlags::SERVER_SESSION_STATE_CHANGED);
            EofPacket { warnings: self.warnings, status }.encode(caps, out);
        }
    }

    /// The packet, and where the status stands in the payload.
    pub(crate) fn decode_with_offset(payload: &[u8]) -> Result<(Self, usize), WireError> {
        let mut reader = Reader::new(payload, "OK packet");
        if !matches!(reader.u8()?, OK_HEADER | EOF_HEADER) {
            return Err(reader.malformed());
        }
        let affected_rows = reader.int()?;
        let last_insert_id = reader.int()?;
        let offset = payload.len() - reader.rest().len();
        let status = StatusFlags::from_bits(reader.u16()?);
        let warnings = reader.u16()?;
        let changed = status.contains(StatusFlags::SERVER_SESSION_STATE_CHANGED);
        let info = if changed { reader.string()? } else { info_alone(&mut reader) }.to_vec();
        let session_state = if changed { Some(reader.string()?.to_vec()) } else { None };
        Ok((Self { affected_rows, last_insert_id, status, warnings, info, session_state }, offset))
    }

    fn encode_as(&self, header: u8, caps: Capabilities, out: &mut Vec<u8>) {
        let state =
            self.session_state.as_deref().filter(|_| caps.contains(Capabilities::CLIENT_SESSION_TRACK));
        let mut status = self.status;
        status.set(StatusFlags::SERVER_SESSION_STATE_CHANGED, state.is_some());
        out.push(header);
        write_int(out, self.affected_rows);
        write_int(out, self.last_insert_id);
        out.extend_from_slice(&status.bits().to_le_bytes());
        out.extend_from_slice(&self.warnings.to_le_bytes());
        if state.is_some() || !self.info.is_empty() {
            write_string(out, &self.info);
        }
        if let Some(state) = state {
            write_string(out, state);
        }
    }
}

impl From<EofPacket> for OkPacket {
    fn from(eof: EofPacket) -> Self {
        Self { warnings: eof.warnings, status: eof.status, ..Self::default() }
    }
}

/// The text at the end of the packet, with a length as servers write it, or without as the manual says.
fn info_alone<'a>(reader: &mut Reader<'a>) -> &'a [u8] {
    let mut with_length = *reader;
    match with_length.string() {
        Ok(info) if with_length.is_empty() => info,
        _ => reader.take_rest(),
    }
}

#[cfg(test)]
mod tests;
