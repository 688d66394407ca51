//! Protocol::AuthMoreData: data of an authentication method, from the server.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_more_data.html).

use super::AUTH_MORE_DATA_HEADER;
use crate::lenenc::Reader;
use crate::{Capabilities, WireError};

/// `caching_sha2_password`: the client wants the server's public key. The whole payload of a client's packet.
pub const PUBLIC_KEY_REQUEST: u8 = 2;
/// `caching_sha2_password`: the response was right; an OK packet follows.
pub const FAST_AUTH_OK: u8 = 3;
/// `caching_sha2_password`: the server needs the password itself.
pub const FULL_AUTH: u8 = 4;

/// The data, without the packet's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthMoreData(pub Vec<u8>);

impl AuthMoreData {
    /// Decodes a payload.
    ///
    /// # Errors
    /// [`WireError::Truncated`] where it is empty, [`WireError::Malformed`] where it is another packet.
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "authentication data");
        match reader.u8()? {
            AUTH_MORE_DATA_HEADER => Ok(Self(reader.take_rest().to_vec())),
            _ => Err(reader.malformed()),
        }
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        out.push(AUTH_MORE_DATA_HEADER);
        out.extend_from_slice(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_follows_the_header() {
        let mut out = Vec::new();
        AuthMoreData(vec![FAST_AUTH_OK]).encode(Capabilities::empty(), &mut out);
        assert_eq!(out, [1, 3]);
        assert_eq!(AuthMoreData::decode(&out, Capabilities::empty()), Ok(AuthMoreData(vec![FAST_AUTH_OK])));
        assert_eq!(AuthMoreData::decode(&[1], Capabilities::empty()), Ok(AuthMoreData(vec![])));
        assert!(AuthMoreData::decode(&[], Capabilities::empty()).is_err());
        assert!(AuthMoreData::decode(&[0, 3], Capabilities::empty()).is_err());
    }
}
