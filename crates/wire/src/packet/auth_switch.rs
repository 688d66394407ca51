//! Protocol::AuthSwitchRequest: the server asks for another authentication method.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html).
//! The client's answer is its authentication data as the whole payload.

use super::{AUTH_SWITCH_HEADER, text};
use crate::lenenc::{Reader, write_null_terminated};
use crate::{Capabilities, WireError};

/// A method and the nonce for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSwitchRequest {
    /// The method's name.
    pub plugin: String,
    /// The nonce, without the NUL that ends it on the wire.
    pub nonce: Vec<u8>,
}

impl AuthSwitchRequest {
    /// Decodes a payload.
    ///
    /// # Errors
    /// [`WireError::Unsupported`] for the request of pre-4.1 authentication, which is a header alone; otherwise
    /// [`WireError::Truncated`] and [`WireError::Malformed`].
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "request for another authentication method");
        if reader.u8()? != AUTH_SWITCH_HEADER {
            return Err(reader.malformed());
        }
        if reader.is_empty() {
            return Err(WireError::Unsupported { what: "mysql_old_password" });
        }
        let plugin = text(reader.null_terminated()?);
        let nonce = reader.take_rest();
        Ok(Self { plugin, nonce: nonce.strip_suffix(&[0]).unwrap_or(nonce).to_vec() })
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        out.push(AUTH_SWITCH_HEADER);
        write_null_terminated(out, self.plugin.as_bytes());
        out.extend_from_slice(&self.nonce);
        out.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::truncation;
    use super::*;

    #[test]
    fn the_nul_is_not_part_of_the_nonce() {
        let payload = b"\xfemysql_native_password\0abcdefghij0123456789\0";
        let request = AuthSwitchRequest::decode(payload, Capabilities::empty()).unwrap();
        assert_eq!(request.plugin, "mysql_native_password");
        assert_eq!(request.nonce, b"abcdefghij0123456789");
        let mut again = Vec::new();
        request.encode(Capabilities::empty(), &mut again);
        assert_eq!(again, payload);
        truncation::check(payload, b"\xfemysql_native_password\0".len(), |payload| {
            AuthSwitchRequest::decode(payload, Capabilities::empty())
        });
    }

    #[test]
    fn old_passwords_are_not_supported() {
        let error = AuthSwitchRequest::decode(b"\xfe", Capabilities::empty());
        assert_eq!(error, Err(WireError::Unsupported { what: "mysql_old_password" }));
    }
}
