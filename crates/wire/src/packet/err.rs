//! ERR_Packet: a statement or a connection attempt failed.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html).

use serval_types::MysqlError;

use super::{ERR_HEADER, text};
use crate::lenenc::Reader;
use crate::{Capabilities, WireError};

const WHAT: &str = "ERR packet";

/// An error as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrPacket {
    /// The number, 1064 for example.
    pub number: u16,
    /// The SQLSTATE, five ASCII characters.
    pub sqlstate: [u8; 5],
    /// The text, in the connection's character set.
    pub message: Vec<u8>,
}

impl ErrPacket {
    /// Decodes a payload. Without a SQLSTATE, as servers send it before they know the client, it is `HY000`.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or [`WireError::Malformed`] where it is another packet.
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, WHAT);
        if reader.u8()? != ERR_HEADER {
            return Err(reader.malformed());
        }
        let number = reader.u16()?;
        let sqlstate = match reader.rest().first() {
            Some(b'#') => {
                reader.u8()?;
                reader.array()?
            }
            _ => *b"HY000",
        };
        Ok(Self { number, sqlstate, message: reader.take_rest().to_vec() })
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        out.push(ERR_HEADER);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.push(b'#');
        out.extend_from_slice(&self.sqlstate);
        out.extend_from_slice(&self.message);
    }

    /// The error as the rest of Serval speaks of it; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        MysqlError { number: self.number, sqlstate: self.sqlstate, message: text(&self.message) }
    }
}

impl From<&MysqlError> for ErrPacket {
    fn from(error: &MysqlError) -> Self {
        Self { number: error.number, sqlstate: error.sqlstate, message: error.message.clone().into_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use serval_types::ErrorCode;

    use super::super::truncation;
    use super::*;

    fn decode(payload: &[u8]) -> Result<ErrPacket, WireError> {
        ErrPacket::decode(payload, Capabilities::empty())
    }

    #[test]
    fn number_state_and_text() {
        let payload = b"\xff\x7a\x04#42S02Table 'd.nix' doesn't exist";
        let error = decode(payload).unwrap();
        assert_eq!((error.number, &error.sqlstate), (1146, b"42S02"));
        assert_eq!(error.to_mysql().to_string(), "1146 (42S02): Table 'd.nix' doesn't exist");
        let mut again = Vec::new();
        error.encode(Capabilities::empty(), &mut again);
        assert_eq!(again, payload);
    }

    #[test]
    fn before_the_handshake_there_is_no_state() {
        let error = decode(b"\xff\x10\x04Too many connections").unwrap();
        assert_eq!(
            (error.number, &error.sqlstate, &error.message[..]),
            (1040, b"HY000", &b"Too many connections"[..])
        );
    }

    #[test]
    fn truncations_fail_inside_number_and_state() {
        truncation::check(b"\xff\x7a\x04", 3, decode);
        for length in 4..9 {
            assert!(decode(&b"\xff\x7a\x04#42S02"[..length]).is_err());
        }
        assert!(decode(b"\x00\x7a\x04").is_err());
    }

    #[test]
    fn servals_own_errors_become_packets() {
        let error = MysqlError::new(ErrorCode::Syntax, "no");
        assert_eq!(ErrPacket::from(&error).to_mysql(), error);
    }
}
