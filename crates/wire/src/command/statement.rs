//! The framing fields of commands on prepared statements.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html). Parameters can be
//! decoded only by those who know how many the statement has and which types it was last executed with:
//! [`Parameters`](super::execute::Parameters).

use bytes::Bytes;

use crate::WireError;
use crate::lenenc::Reader;

/// COM_STMT_EXECUTE up to its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Execute<'a> {
    /// The statement's id.
    pub statement: u32,
    /// The kind of cursor; 0 for none, [`CURSOR_TYPE_READ_ONLY`](super::execute::CURSOR_TYPE_READ_ONLY). As servers do,
    /// flags that have no meaning here are ignored.
    pub flags: u8,
    /// Always 1.
    pub iterations: u32,
    /// The NULL bitmap, the types if they are new, and the values.
    pub parameters: &'a [u8],
}

impl<'a> Execute<'a> {
    /// Decodes what follows the command's byte.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn decode(body: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body, "COM_STMT_EXECUTE");
        let (statement, flags, iterations) = (reader.u32()?, reader.u8()?, reader.u32()?);
        Ok(Self { statement, flags, iterations, parameters: reader.take_rest() })
    }

    /// [`Execute::parameters`] of the command's whole payload as a slice of it, to be kept without a copy.
    #[must_use]
    pub fn shared_parameters(&self, payload: &Bytes) -> Bytes {
        payload.slice(payload.len().saturating_sub(self.parameters.len())..)
    }
}

/// COM_STMT_SEND_LONG_DATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongData<'a> {
    /// The statement's id.
    pub statement: u32,
    /// The parameter's position, from 0.
    pub parameter: u16,
    /// The next piece of its value.
    pub data: &'a [u8],
}

impl<'a> LongData<'a> {
    /// Decodes what follows the command's byte.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn decode(body: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(body, "COM_STMT_SEND_LONG_DATA");
        Ok(Self { statement: reader.u32()?, parameter: reader.u16()?, data: reader.take_rest() })
    }
}
