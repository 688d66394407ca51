//! COM_CHANGE_USER: another login on the same connection.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html).

use crate::WireError;
use crate::lenenc::{Reader, write_null_terminated};
use crate::packet::{decode_attributes, text, write_attributes};

/// Who a client wants to be from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeUser {
    /// The user.
    pub user: String,
    /// The proof of knowing the password for the nonce of the connection's handshake.
    pub auth_response: Vec<u8>,
    /// The database to use; none leaves the connection without one.
    pub database: Option<String>,
    /// The id of the collation that the client speaks.
    pub collation: Option<u16>,
    /// The authentication method of `auth_response`.
    pub auth_plugin: Option<String>,
    /// Connection attributes.
    pub attributes: Vec<(String, String)>,
}

impl ChangeUser {
    /// Decodes what follows the command's byte. Each field after the database may be missing with all behind it.
    ///
    /// # Errors
    /// [`WireError::Truncated`] and [`WireError::Malformed`].
    pub fn decode(body: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body, "COM_CHANGE_USER");
        let user = text(reader.null_terminated()?);
        let length = reader.u8()?;
        let auth_response = reader.bytes(usize::from(length))?.to_vec();
        let database = Some(text(reader.null_terminated()?)).filter(|name| !name.is_empty());
        let mut change = Self { user, auth_response, database, ..Self::default() };
        if !reader.is_empty() {
            change.collation = Some(reader.u16()?);
        }
        if !reader.is_empty() {
            change.auth_plugin = Some(text(reader.null_terminated()?));
        }
        if !reader.is_empty() {
            change.attributes = decode_attributes(reader.string()?)?;
        }
        Ok(change)
    }

    /// Encodes what follows the command's byte.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_null_terminated(out, self.user.as_bytes());
        let length = u8::try_from(self.auth_response.len()).unwrap_or(u8::MAX);
        out.push(length);
        out.extend_from_slice(&self.auth_response[..usize::from(length)]);
        write_null_terminated(out, self.database.as_deref().unwrap_or_default().as_bytes());
        let Some(collation) = self.collation else { return };
        out.extend_from_slice(&collation.to_le_bytes());
        let Some(plugin) = &self.auth_plugin else { return };
        write_null_terminated(out, plugin.as_bytes());
        if !self.attributes.is_empty() {
            write_attributes(&self.attributes, out);
        }
    }
}
