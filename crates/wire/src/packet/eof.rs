//! EOF_Packet: the end of column definitions or rows, without `CLIENT_DEPRECATE_EOF`.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_eof_packet.html).

use super::EOF_HEADER;
use crate::lenenc::Reader;
use crate::{Capabilities, StatusFlags, WireError};

/// The longest EOF packet, in bytes; a row may begin with the same byte, but is longer.
pub(crate) const LONGEST: usize = 8;
/// Where the status stands in the payload.
pub(crate) const STATUS_OFFSET: usize = 3;

/// The end of a list of packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EofPacket {
    /// How many warnings the statement left.
    pub warnings: u16,
    /// The session's status.
    pub status: StatusFlags,
}

impl EofPacket {
    /// Decodes a payload.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or [`WireError::Malformed`] where it is another packet.
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "EOF packet");
        if reader.u8()? != EOF_HEADER || payload.len() > LONGEST {
            return Err(reader.malformed());
        }
        Ok(Self { warnings: reader.u16()?, status: StatusFlags::from_bits(reader.u16()?) })
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        let ([w0, w1], [s0, s1]) = (self.warnings.to_le_bytes(), self.status.bits().to_le_bytes());
        // At once: a packet's vector grows once, too.
        out.extend_from_slice(&[EOF_HEADER, w0, w1, s0, s1]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::truncation;
    use super::*;

    fn decode(payload: &[u8]) -> Result<EofPacket, WireError> {
        EofPacket::decode(payload, Capabilities::empty())
    }

    #[test]
    fn warnings_come_before_the_status() {
        let payload = [0xfe, 1, 0, 0x22, 0];
        let eof = decode(&payload).unwrap();
        assert_eq!((eof.warnings, eof.status.bits()), (1, 0x22));
        let mut again = Vec::new();
        eof.encode(Capabilities::empty(), &mut again);
        assert_eq!(again, payload);
        truncation::check(&payload, 5, decode);
    }

    #[test]
    fn a_long_packet_is_a_row() {
        assert!(decode(&[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]).is_err());
        assert!(decode(&[0x00, 0, 0, 0, 0]).is_err());
    }
}
