//! Protocol::HandshakeResponse41, a client's answer to the greeting.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html).

use super::handshake::extended;
use super::text;
use crate::lenenc::{Reader, write_null_terminated, write_string};
use crate::{Capabilities, WireError};

const WHAT: &str = "handshake response";

/// Who a client is and what it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandshakeResponse {
    /// What the client can do.
    pub capabilities: Capabilities,
    /// The largest packet that the client takes, in bytes; servers ignore it.
    pub max_packet: u32,
    /// The lower byte of the id of the collation that the client speaks.
    pub collation: u8,
    /// The user.
    pub user: String,
    /// The proof of knowing the password; empty for an empty password.
    pub auth_response: Vec<u8>,
    /// The database to use from the start.
    pub database: Option<String>,
    /// The authentication method of `auth_response`.
    pub auth_plugin: Option<String>,
    /// Connection attributes, `_client_name` for example.
    pub attributes: Vec<(String, String)>,
    /// The level of zstd compression; 0 where the client does not compress with it.
    pub zstd_level: u8,
}

impl HandshakeResponse {
    /// Decodes a payload; `caps` is what the server had announced. Only what both sides have counts, for the layout
    /// and in [`HandshakeResponse::capabilities`]: client libraries leave out the fields of capabilities that the
    /// server lacks, even where they set the flag.
    ///
    /// # Errors
    /// [`WireError::Unsupported`] for a client older than 4.1, otherwise [`WireError::Truncated`] and
    /// [`WireError::Malformed`].
    pub fn decode(payload: &[u8], caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, WHAT);
        let fixed = Fixed::decode(&mut reader)?;
        let capabilities = fixed.capabilities.intersection(caps);
        let user = text(reader.null_terminated()?);
        let auth_response = auth_response(&mut reader, capabilities)?.to_vec();
        let database = optional(&mut reader, capabilities.contains(Capabilities::CLIENT_CONNECT_WITH_DB))?;
        let auth_plugin = optional(&mut reader, capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH))?;
        let attributes = if capabilities.contains(Capabilities::CLIENT_CONNECT_ATTRS) && !reader.is_empty() {
            attributes(reader.string()?)?
        } else {
            Vec::new()
        };
        let zstd = capabilities.contains(Capabilities::CLIENT_ZSTD_COMPRESSION_ALGORITHM);
        let zstd_level = if zstd && !reader.is_empty() { reader.u8()? } else { 0 };
        Ok(Self {
            capabilities,
            max_packet: fixed.max_packet,
            collation: fixed.collation,
            user,
            auth_response,
            database: database.filter(|name| !name.is_empty()),
            auth_plugin,
            attributes,
            zstd_level,
        })
    }

    /// Encodes the payload; `caps` is what the server had announced. The flags of fields that are present are set
    /// and those of absent ones cleared, whatever [`HandshakeResponse::capabilities`] says of them.
    pub fn encode(&self, caps: Capabilities, out: &mut Vec<u8>) {
        let capabilities = self.effective(caps);
        Fixed { capabilities, max_packet: self.max_packet, collation: self.collation }.encode(out);
        write_null_terminated(out, self.user.as_bytes());
        self.encode_auth_response(capabilities, out);
        if let (true, Some(database)) =
            (capabilities.contains(Capabilities::CLIENT_CONNECT_WITH_DB), &self.database)
        {
            write_null_terminated(out, database.as_bytes());
        }
        if let (true, Some(plugin)) =
            (capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH), &self.auth_plugin)
        {
            write_null_terminated(out, plugin.as_bytes());
        }
        if capabilities.contains(Capabilities::CLIENT_CONNECT_ATTRS) {
            write_attributes(&self.attributes, out);
        }
        if capabilities.contains(Capabilities::CLIENT_ZSTD_COMPRESSION_ALGORITHM) {
            out.push(self.zstd_level);
        }
    }

    /// The capabilities that [`HandshakeResponse::encode`] sends: those of both sides, true to the fields present.
    #[must_use]
    pub fn effective(&self, caps: Capabilities) -> Capabilities {
        let mut effective = self.capabilities | Capabilities::CLIENT_PROTOCOL_41;
        effective.set(Capabilities::CLIENT_SECURE_CONNECTION, true);
        effective.set(Capabilities::CLIENT_CONNECT_WITH_DB, self.database.is_some());
        effective.set(Capabilities::CLIENT_PLUGIN_AUTH, self.auth_plugin.is_some());
        effective.set(Capabilities::CLIENT_CONNECT_ATTRS, !self.attributes.is_empty());
        effective.insert(Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA);
        effective.intersection(caps | Capabilities::CLIENT_PROTOCOL_41)
    }

    fn encode_auth_response(&self, capabilities: Capabilities, out: &mut Vec<u8>) {
        if capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            return write_string(out, &self.auth_response);
        }
        // One byte of length holds no more; only a password in clear text could be longer.
        let length = u8::try_from(self.auth_response.len()).unwrap_or(u8::MAX);
        if capabilities.contains(Capabilities::CLIENT_SECURE_CONNECTION) {
            out.push(length);
            out.extend_from_slice(&self.auth_response[..usize::from(length)]);
        } else {
            write_null_terminated(out, &self.auth_response);
        }
    }
}

/// The 32 bytes that a TLS request consists of and a handshake response begins with.
pub(super) struct Fixed {
    pub capabilities: Capabilities,
    pub max_packet: u32,
    pub collation: u8,
}

impl Fixed {
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        // Before 4.1 only two bytes of capabilities came, so these decide what may be read next.
        let low = reader.u16()?;
        if !Capabilities::from_halves(u32::from(low), 0).contains(Capabilities::CLIENT_PROTOCOL_41) {
            return Err(WireError::Unsupported { what: "the protocol of clients older than MySQL 4.1" });
        }
        let mysql = u32::from(low) | u32::from(reader.u16()?) << 16;
        let max_packet = reader.u32()?;
        let collation = reader.u8()?;
        reader.bytes(19)?;
        let mariadb = extended(mysql, reader.u32()?);
        Ok(Self { capabilities: Capabilities::from_halves(mysql, mariadb), max_packet, collation })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        let mysql = self.capabilities.mysql_bits();
        out.extend_from_slice(&mysql.to_le_bytes());
        out.extend_from_slice(&self.max_packet.to_le_bytes());
        out.push(self.collation);
        out.extend_from_slice(&[0; 19]);
        out.extend_from_slice(&extended(mysql, self.capabilities.mariadb_bits()).to_le_bytes());
    }
}

fn auth_response<'a>(reader: &mut Reader<'a>, capabilities: Capabilities) -> Result<&'a [u8], WireError> {
    if capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) {
        reader.string()
    } else if capabilities.contains(Capabilities::CLIENT_SECURE_CONNECTION) {
        let length = reader.u8()?;
        reader.bytes(usize::from(length))
    } else {
        reader.null_terminated()
    }
}

/// A NUL-terminated field that some clients leave out at the end of the packet although they set its flag.
fn optional(reader: &mut Reader<'_>, present: bool) -> Result<Option<String>, WireError> {
    if !present || reader.is_empty() {
        return Ok(None);
    }
    Ok(Some(text(reader.null_terminated()?)))
}

/// The pairs of names and values in a block of attributes.
pub(crate) fn attributes(block: &[u8]) -> Result<Vec<(String, String)>, WireError> {
    let mut reader = Reader::new(block, "connection attributes");
    let mut attributes = Vec::new();
    while !reader.is_empty() {
        attributes.push((text(reader.string()?), text(reader.string()?)));
    }
    Ok(attributes)
}

/// Writes a block of attributes with its length.
pub(crate) fn write_attributes(attributes: &[(String, String)], out: &mut Vec<u8>) {
    let mut block = Vec::new();
    for (name, value) in attributes {
        write_string(&mut block, name.as_bytes());
        write_string(&mut block, value.as_bytes());
    }
    write_string(out, &block);
}

#[cfg(test)]
mod tests;
