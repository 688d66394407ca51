//! Protocol::SSLRequest: a client wants the rest of the connection over TLS.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html).

use super::handshake_response::Fixed;
use crate::lenenc::Reader;
use crate::{Capabilities, WireError};

/// The bytes of the packet, and of the start of a handshake response.
const LENGTH: usize = 32;

/// The start of a handshake response; the whole of it follows once TLS is established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SslRequest {
    /// What the client can do; [`Capabilities::CLIENT_SSL`] among it.
    pub capabilities: Capabilities,
    /// The largest packet that the client takes, in bytes.
    pub max_packet: u32,
    /// The lower byte of the id of the collation that the client speaks.
    pub collation: u8,
}

impl SslRequest {
    /// Whether a client's first packet is this one and not a whole handshake response, which is longer.
    #[must_use]
    pub fn matches(payload: &[u8]) -> bool {
        payload.len() == LENGTH && Self::decode(payload, Capabilities::CLIENT_SSL).is_ok()
    }

    /// Decodes a payload.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where the client asks for no TLS, otherwise as
    /// [`HandshakeResponse::decode`](super::HandshakeResponse::decode).
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "TLS request");
        let Fixed { capabilities, max_packet, collation } = Fixed::decode(&mut reader)?;
        if !capabilities.contains(Capabilities::CLIENT_SSL) {
            return Err(reader.malformed());
        }
        Ok(Self { capabilities, max_packet, collation })
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        let capabilities = self.capabilities | Capabilities::CLIENT_SSL | Capabilities::CLIENT_PROTOCOL_41;
        Fixed { capabilities, max_packet: self.max_packet, collation: self.collation }.encode(out);
    }
}
