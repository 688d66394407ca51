//! Rows on their way out.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, BufReader};

use super::{CursorError, LENGTH_BYTES};

/// How much is read from the file at once.
const READ_BYTES: usize = 64 * 1024;

/// An open cursor: rows that have not been fetched.
///
/// Giving a call of [`Cursor::next`] up half-way loses a row, so whoever does that must drop the cursor.
#[derive(Debug)]
pub(crate) struct Cursor {
    memory: BytesMut,
    /// Rare, and large.
    file: Option<Box<BufReader<File>>>,
    /// The bytes that are left in the file.
    left: usize,
    /// The bytes that the file takes until the cursor is closed.
    spilled: usize,
}

impl Cursor {
    pub(super) fn new(memory: BytesMut, file: Option<File>, spilled: usize) -> Self {
        let file = file.map(|file| Box::new(BufReader::with_capacity(READ_BYTES, file)));
        Self { memory, file, left: spilled, spilled }
    }

    /// The payload of the next row; `None` behind the last one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, CursorError> {
        if self.memory.len() >= LENGTH_BYTES {
            let length = self.memory.get_u32_le() as usize;
            return Ok(Some(self.memory.split_to(length.min(self.memory.len())).freeze()));
        }
        match &mut self.file {
            Some(file) if self.left > 0 => {
                let length = file.read_u32_le().await? as usize;
                self.left = self
                    .left
                    .checked_sub(LENGTH_BYTES + length)
                    .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
                let mut row = BytesMut::zeroed(length);
                file.read_exact(&mut row).await?;
                Ok(Some(row.freeze()))
            }
            _ => Ok(None),
        }
    }

    /// The bytes that it holds in memory.
    pub(crate) fn memory(&self) -> usize {
        self.memory.len() + self.file.as_ref().map_or(0, |_| READ_BYTES)
    }

    /// The bytes that it holds in its file.
    pub(crate) fn spilled(&self) -> usize {
        self.spilled
    }
}
