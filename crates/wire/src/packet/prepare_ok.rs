//! COM_STMT_PREPARE_OK: a statement was prepared.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html#sect_protocol_com_stmt_prepare_response_ok).

use super::OK_HEADER;
use crate::lenenc::Reader;
use crate::{Capabilities, WireError};

/// The first packet of the answer to COM_STMT_PREPARE. Definitions of the parameters, then of the columns follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrepareOk {
    /// The statement's id, valid on its connection until it is closed.
    pub statement: u32,
    /// How many columns its rows have; 0 where it has no rows.
    pub columns: u16,
    /// How many parameters it has.
    pub parameters: u16,
    /// How many warnings preparing left.
    pub warnings: u16,
}

impl PrepareOk {
    /// Decodes a payload.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or [`WireError::Malformed`] where it is another packet.
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "COM_STMT_PREPARE_OK");
        if reader.u8()? != OK_HEADER {
            return Err(reader.malformed());
        }
        let (statement, columns, parameters) = (reader.u32()?, reader.u16()?, reader.u16()?);
        reader.u8()?;
        Ok(Self { statement, columns, parameters, warnings: reader.u16()? })
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        out.push(OK_HEADER);
        out.extend_from_slice(&self.statement.to_le_bytes());
        out.extend_from_slice(&self.columns.to_le_bytes());
        out.extend_from_slice(&self.parameters.to_le_bytes());
        out.push(0);
        out.extend_from_slice(&self.warnings.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::truncation;
    use super::*;

    fn decode(payload: &[u8]) -> Result<PrepareOk, WireError> {
        PrepareOk::decode(payload, Capabilities::empty())
    }

    #[test]
    fn columns_come_before_parameters() {
        let payload = b"\0\x07\0\0\0\x01\0\x02\0\0\x03\0";
        let ok = decode(payload).unwrap();
        assert_eq!(ok, PrepareOk { statement: 7, columns: 1, parameters: 2, warnings: 3 });
        let mut again = Vec::new();
        ok.encode(Capabilities::empty(), &mut again);
        assert_eq!(again, payload);
        truncation::check(payload, payload.len(), decode);
    }

    #[test]
    fn another_packet_is_refused() {
        assert!(decode(b"\xfe\x07\0\0\0\x01\0\x02\0\0\x03\0").is_err());
    }
}
