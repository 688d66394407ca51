//! Rows on their way in.

use bytes::{BufMut as _, BytesMut};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::{Cursor, CursorError, LENGTH_BYTES};

/// How much goes to the file at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// How much a cursor may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// In memory, in bytes.
    pub(crate) memory: usize,
    /// In its file, in bytes.
    pub(crate) file: usize,
    /// What all files of the client may take together; told where `file` is not enough.
    pub(crate) limit: usize,
}

/// Takes the rows of a cursor that is being opened.
#[derive(Debug)]
pub(crate) struct Spool {
    room: Room,
    memory: BytesMut,
    /// Rows that go to the file.
    chunk: BytesMut,
    file: Option<File>,
    /// The bytes that have gone to the file or wait in `chunk`.
    spilled: usize,
}

impl Spool {
    /// A spool without rows.
    pub(crate) fn new(room: Room) -> Self {
        Self { room, memory: BytesMut::new(), chunk: BytesMut::new(), file: None, spilled: 0 }
    }

    /// Adds the payload of a row.
    ///
    /// # Errors
    /// There is no room left, or the file cannot be written.
    pub(crate) async fn push(&mut self, row: &[u8]) -> Result<(), CursorError> {
        let bytes = LENGTH_BYTES + row.len();
        if self.spilled == 0 && self.memory.len() + bytes <= self.room.memory {
            put(&mut self.memory, row);
            return Ok(());
        }
        if self.spilled + bytes > self.room.file {
            return Err(CursorError::Full { limit: self.room.limit });
        }
        self.spilled += bytes;
        put(&mut self.chunk, row);
        if self.chunk.len() >= CHUNK_BYTES { self.write().await } else { Ok(()) }
    }

    /// The cursor, before its first row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn finish(mut self) -> Result<Cursor, CursorError> {
        // A file of less than a chunk is none.
        if self.file.is_some() {
            self.write().await?;
        }
        if let Some(file) = &mut self.file {
            file.flush().await?;
            file.rewind().await?;
        } else {
            self.memory.unsplit(self.chunk);
            self.spilled = 0;
        }
        Ok(Cursor::new(self.memory, self.file, self.spilled))
    }

    async fn write(&mut self) -> Result<(), CursorError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(anonymous().await?),
        };
        file.write_all(&self.chunk).await?;
        self.chunk.clear();
        Ok(())
    }
}

fn put(out: &mut BytesMut, row: &[u8]) {
    // No packet is longer than 1 GiB.
    out.put_u32_le(u32::try_from(row.len()).unwrap_or(u32::MAX));
    out.put_slice(row);
}

async fn anonymous() -> Result<File, CursorError> {
    let file = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(std::io::Error::other)??;
    Ok(File::from_std(file))
}
