//! Checked reads of a payload, and writers of the protocol's basic types.
//!
//! [Manual, "Protocol Data Types"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html).

use crate::WireError;

/// The first byte of NULL in a text row.
pub const NULL_CELL: u8 = 0xfb;

/// Reads a payload from front to back; every read is checked.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader of `payload`; errors name `what`.
    #[must_use]
    pub const fn new(payload: &'a [u8], what: &'static str) -> Self {
        Self { rest: payload, what }
    }

    /// What has not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads all that is left.
    pub const fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.rest = &[];
        rest
    }

    /// Reads `count` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`] where fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Reads `int<2>`.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Reads `int<3>`.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn u24(&mut self) -> Result<u32, WireError> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// Reads `int<4>`.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads `int<8>`.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads `int<lenenc>`.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or [`WireError::Malformed`] for NULL and for 0xff, which begin no integer.
    pub fn int(&mut self) -> Result<u64, WireError> {
        match self.u8()? {
            short @ 0..=0xfa => Ok(u64::from(short)),
            0xfc => self.u16().map(u64::from),
            0xfd => self.u24().map(u64::from),
            0xfe => self.u64(),
            NULL_CELL | 0xff => Err(self.malformed()),
        }
    }

    /// Reads `string<lenenc>`.
    ///
    /// # Errors
    /// As [`Reader::int`].
    pub fn string(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.int()?;
        // A length beyond the address space is beyond the payload too.
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Reads `string<lenenc>` or NULL.
    ///
    /// # Errors
    /// As [`Reader::int`].
    pub fn nullable(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        if self.rest.first() == Some(&NULL_CELL) {
            self.bytes(1)?;
            return Ok(None);
        }
        self.string().map(Some)
    }

    /// Reads `string<NUL>`, without its NUL.
    ///
    /// # Errors
    /// [`WireError::Truncated`] where no NUL follows.
    pub fn null_terminated(&mut self) -> Result<&'a [u8], WireError> {
        let end = memchr::memchr(0, self.rest).ok_or_else(|| self.truncated())?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Ok(text)
    }

    /// The error of a payload that ends too early.
    #[must_use]
    pub const fn truncated(&self) -> WireError {
        WireError::Truncated { what: self.what }
    }

    /// The error of bytes without meaning.
    #[must_use]
    pub const fn malformed(&self) -> WireError {
        WireError::Malformed { what: self.what }
    }
}

/// Writes `int<lenenc>` in its shortest form.
pub fn write_int(out: &mut Vec<u8>, value: u64) {
    let bytes = value.to_le_bytes();
    match value {
        0..=0xfa => out.push(bytes[0]),
        0xfb..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&bytes[..2]);
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend_from_slice(&bytes[..3]);
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Writes `string<lenenc>`.
pub fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    write_int(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes `string<lenenc>` or NULL, as a text row's cell.
pub fn write_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => write_string(out, bytes),
        None => out.push(NULL_CELL),
    }
}

/// Writes `string<NUL>`. Such a string cannot hold a NUL, so the text ends before its first one.
pub fn write_null_terminated(out: &mut Vec<u8>, bytes: &[u8]) {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    out.extend_from_slice(&bytes[..end]);
    out.push(0);
}

#[cfg(test)]
mod tests;
