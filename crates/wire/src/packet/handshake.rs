//! Protocol::HandshakeV10, a server's first packet.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html).

use super::text;
use crate::auth::Scramble;
use crate::lenenc::{Reader, write_null_terminated};
use crate::{Capabilities, StatusFlags, WireError};

const WHAT: &str = "handshake";
const PROTOCOL_10: u8 = 10;
/// 20 bytes of nonce and a NUL, as strict clients demand.
const AUTH_PLUGIN_DATA_LENGTH: u8 = 21;

/// A server's greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The version, which drivers take for a feature list. MariaDB's begins with `5.5.5-` up to 10.x.
    pub server_version: String,
    /// The connection's id.
    pub thread_id: u32,
    /// The nonce for authentication.
    pub nonce: Scramble,
    /// What the server can do, MariaDB's extended capabilities included.
    pub capabilities: Capabilities,
    /// The lower byte of the default collation's id.
    pub collation: u8,
    /// The session's status.
    pub status: StatusFlags,
    /// The authentication method that the nonce is for; empty from servers without methods.
    pub auth_plugin: String,
}

impl Handshake {
    /// Decodes a payload. A server that refuses a connection sends an ERR packet instead: look for
    /// [`ERR_HEADER`](super::ERR_HEADER) first.
    ///
    /// # Errors
    /// [`WireError::Unsupported`] for another protocol than 10, [`WireError::Truncated`] and
    /// [`WireError::Malformed`] for a greeting without a whole nonce.
    pub fn decode(payload: &[u8], _caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, WHAT);
        if reader.u8()? != PROTOCOL_10 {
            return Err(WireError::Unsupported { what: "a handshake protocol other than 10" });
        }
        let server_version = text(reader.null_terminated()?);
        let thread_id = reader.u32()?;
        let nonce_start: [u8; 8] = reader.array()?;
        reader.u8()?;
        let low = reader.u16()?;
        let collation = reader.u8()?;
        let status = StatusFlags::from_bits(reader.u16()?);
        let mysql = u32::from(low) | u32::from(reader.u16()?) << 16;
        let nonce_length = reader.u8()?;
        reader.bytes(6)?;
        let mariadb = extended(mysql, reader.u32()?);
        let nonce_end = reader.bytes(usize::from(nonce_length.saturating_sub(8)).max(13))?;
        let capabilities = Capabilities::from_halves(mysql, mariadb);
        let auth_plugin = auth_plugin(&mut reader, capabilities);
        let nonce = join_nonce(&nonce_start, nonce_end).ok_or_else(|| reader.malformed())?;
        Ok(Self { server_version, thread_id, nonce, capabilities, collation, status, auth_plugin })
    }

    /// Encodes the payload.
    pub fn encode(&self, _caps: Capabilities, out: &mut Vec<u8>) {
        let [low, high] =
            [self.capabilities.mysql_bits() as u16, (self.capabilities.mysql_bits() >> 16) as u16];
        let (nonce_start, nonce_end) = self.nonce.split_at(8);
        out.push(PROTOCOL_10);
        write_null_terminated(out, self.server_version.as_bytes());
        out.extend_from_slice(&self.thread_id.to_le_bytes());
        out.extend_from_slice(nonce_start);
        out.push(0);
        out.extend_from_slice(&low.to_le_bytes());
        out.push(self.collation);
        out.extend_from_slice(&self.status.bits().to_le_bytes());
        out.extend_from_slice(&high.to_le_bytes());
        out.push(AUTH_PLUGIN_DATA_LENGTH);
        out.extend_from_slice(&[0; 6]);
        let mariadb = extended(self.capabilities.mysql_bits(), self.capabilities.mariadb_bits());
        out.extend_from_slice(&mariadb.to_le_bytes());
        out.extend_from_slice(nonce_end);
        out.push(0);
        if self.capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH) {
            write_null_terminated(out, self.auth_plugin.as_bytes());
        }
    }
}

/// MariaDB's capabilities, which only a peer without `CLIENT_LONG_PASSWORD` has; from others the bytes mean nothing.
pub(super) fn extended(mysql: u32, bytes: u32) -> u32 {
    let is_mysql = Capabilities::from_halves(mysql, 0).contains(Capabilities::CLIENT_LONG_PASSWORD);
    if is_mysql { 0 } else { bytes }
}

/// The method's name. Some old servers leave out its NUL.
fn auth_plugin(reader: &mut Reader<'_>, capabilities: Capabilities) -> String {
    if !capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH) {
        return String::new();
    }
    let name = reader.take_rest();
    text(name.split(|byte| *byte == 0).next().unwrap_or_default())
}

/// The 20 bytes of a nonce whose second part came with its NUL.
fn join_nonce(start: &[u8; 8], end: &[u8]) -> Option<Scramble> {
    let mut nonce = Scramble::default();
    nonce[..8].copy_from_slice(start);
    nonce[8..].copy_from_slice(end.get(..12)?);
    Some(nonce)
}

#[cfg(test)]
mod tests {
    use super::super::truncation;
    use super::*;

    /// The greeting of MariaDB 10.11.
    const MARIADB: &[u8] =
        b"\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\0\x03\0\0\0e5x{%AWr\0\xfe\xf7\x08\x02\0\xff\x81\x15\
        \0\0\0\0\0\0\x1d\0\0\0ZI>=SmJhN.:x\0mysql_native_password\0";

    fn decode(payload: &[u8]) -> Result<Handshake, WireError> {
        Handshake::decode(payload, Capabilities::empty())
    }

    #[test]
    fn mariadb_has_capabilities_of_its_own() {
        let handshake = decode(MARIADB).unwrap();
        assert_eq!(handshake.server_version, "5.5.5-10.11.19-MariaDB-0+deb12u1");
        assert_eq!((handshake.thread_id, handshake.collation), (3, 8));
        assert_eq!(handshake.nonce, *b"e5x{%AWrZI>=SmJhN.:x");
        assert_eq!(handshake.status, StatusFlags::SERVER_STATUS_AUTOCOMMIT);
        assert_eq!(handshake.auth_plugin, "mysql_native_password");
        assert_eq!(handshake.capabilities.bits(), 0x1d_81ff_f7fe);
    }

    #[test]
    fn encoding_gives_the_servers_own_bytes() {
        let mut out = Vec::new();
        decode(MARIADB).unwrap().encode(Capabilities::empty(), &mut out);
        assert_eq!(out, MARIADB);
    }

    #[test]
    fn a_mysql_servers_reserved_bytes_mean_nothing() {
        let mut handshake = decode(MARIADB).unwrap();
        handshake.capabilities.insert(Capabilities::CLIENT_LONG_PASSWORD);
        let mut out = Vec::new();
        handshake.encode(Capabilities::empty(), &mut out);
        assert_eq!(decode(&out).unwrap().capabilities.mariadb_bits(), 0);
    }

    #[test]
    fn truncations_fail_up_to_the_plugins_name() {
        let required = MARIADB.len() - b"mysql_native_password\0".len();
        truncation::check(MARIADB, required, decode);
    }

    #[test]
    fn other_protocols_are_not_spoken() {
        assert!(matches!(decode(b"\x09x"), Err(WireError::Unsupported { .. })));
        assert!(matches!(
            decode(b"\xff\x10\x04#08004Too many connections"),
            Err(WireError::Unsupported { .. })
        ));
    }
}
