//! The rows of a file by the shards that they belong to: a little of each in memory, the rest in one temporary file
//! without a name, which is gone with the process, however that ends.

use std::io::{self, SeekFrom};

use serval_types::{ErrorCode, MysqlError};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::error::ExecuteError;

/// What all parts together hold in memory, about.
const MEMORY: usize = 4 << 20;
/// What a part holds in memory at least and at most.
const BLOCK: (usize, usize) = (4 << 10, 64 << 10);
/// ER_DISK_FULL.
const DISK_FULL: u16 = 1021;

/// Rows by their parts.
#[derive(Debug)]
pub struct Spool {
    parts: Vec<Part>,
    /// Made when memory does not do.
    file: Option<File>,
    written: u64,
    limit: u64,
    block: usize,
    /// The part that the last row went to.
    pub(super) last: Option<usize>,
    /// The first number that a sequence gave.
    pub(super) first_number: Option<u64>,
}

#[derive(Debug, Default)]
struct Part {
    /// Where in the file its bytes are, in their order.
    extents: Vec<(u64, usize)>,
    /// What comes behind them.
    tail: Vec<u8>,
}

impl Spool {
    /// A spool of so many parts that writes `limit` bytes at most.
    #[must_use]
    pub fn new(parts: usize, limit: u64) -> Self {
        let block = (MEMORY / parts.max(1)).clamp(BLOCK.0, BLOCK.1);
        let parts = (0..parts).map(|_| Part::default()).collect();
        Self { parts, file: None, written: 0, limit, block, last: None, first_number: None }
    }

    /// The part that the last row went to; `None` without any row.
    #[must_use]
    pub fn last_part(&self) -> Option<usize> {
        self.last
    }

    /// The first number that the table's sequence gave.
    #[must_use]
    pub fn first_number(&self) -> Option<u64> {
        self.first_number
    }

    /// Whether a part has rows.
    #[must_use]
    pub fn has_rows(&self, part: usize) -> bool {
        self.parts.get(part).is_some_and(|part| !part.extents.is_empty() || !part.tail.is_empty())
    }

    /// Adds a row, whose bytes stand in some pieces.
    pub(super) async fn push(&mut self, part: usize, pieces: &[&[u8]]) -> Result<(), ExecuteError> {
        self.last = Some(part);
        let tail = &mut self.parts[part].tail;
        pieces.iter().for_each(|piece| tail.extend_from_slice(piece));
        if tail.len() >= self.block { self.write(part).await } else { Ok(()) }
    }

    async fn write(&mut self, part: usize) -> Result<(), ExecuteError> {
        let part = &mut self.parts[part];
        let (at, length) = (self.written, part.tail.len());
        self.written += length as u64;
        if self.written > self.limit {
            return Err(full(self.limit));
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(temporary().await.map_err(failed)?),
        };
        file.write_all(&part.tail).await.map_err(failed)?;
        match part.extents.last_mut() {
            Some((start, known)) if *start + *known as u64 == at => *known += length,
            _ => part.extents.push((at, length)),
        }
        part.tail.clear();
        Ok(())
    }

    /// The bytes of a part from `place` on, some of them; none behind the last.
    pub(super) async fn read<'s>(
        &'s mut self,
        part: usize,
        place: &'s mut Place,
    ) -> Result<&'s [u8], ExecuteError> {
        let part = &self.parts[part];
        let Some((start, length)) = part.extents.get(place.extent).copied() else {
            let tail = if place.tail_read { &[][..] } else { &part.tail };
            place.tail_read = true;
            return Ok(tail);
        };
        let Some(file) = &mut self.file else { return Err(failed(io::ErrorKind::NotFound.into())) };
        let size = (length - place.within).min(BLOCK.1);
        place.buffer.resize(size, 0);
        // What was written last may still be on its way to the file.
        file.flush().await.map_err(failed)?;
        file.seek(SeekFrom::Start(start + place.within as u64)).await.map_err(failed)?;
        file.read_exact(&mut place.buffer).await.map_err(failed)?;
        place.within += size;
        if place.within == length {
            (place.extent, place.within) = (place.extent + 1, 0);
        }
        Ok(&place.buffer)
    }
}

/// How far a part has been read.
#[derive(Debug, Default)]
pub(super) struct Place {
    extent: usize,
    within: usize,
    tail_read: bool,
    buffer: Vec<u8>,
}

async fn temporary() -> io::Result<File> {
    let made = tokio::task::spawn_blocking(tempfile::tempfile).await;
    made.map_err(io::Error::other)?.map(File::from_std)
}

fn full(limit: u64) -> ExecuteError {
    ExecuteError::Refused(MysqlError::new(
        ErrorCode::CapacityExceeded,
        format!(
            "The file has more than {limit} bytes (load_spool) to be kept until they are loaded; load it in parts, or \
             raise load_spool"
        ),
    ))
}

/// No path is told: it is the proxy's own.
fn failed(error: io::Error) -> ExecuteError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let number = if full { DISK_FULL } else { ErrorCode::Unknown.number() };
    let message = format!("The rows of the file cannot be kept until they are loaded: {}", error.kind());
    ExecuteError::Refused(MysqlError { number, sqlstate: *b"HY000", message })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn content(spool: &mut Spool, part: usize) -> Vec<u8> {
        let (mut place, mut all) = (Place::default(), Vec::new());
        loop {
            match spool.read(part, &mut place).await.unwrap() {
                [] => return all,
                bytes => all.extend_from_slice(bytes),
            }
        }
    }

    #[tokio::test]
    async fn parts_come_back_as_they_went_in() {
        let mut spool = Spool::new(3, 1 << 30);
        let mut expected = [Vec::new(), Vec::new(), Vec::new()];
        for number in 0..60_000_usize {
            let (part, text) = (number * 7 % 2, format!("row {number}\n"));
            spool.push(part, &[text.as_bytes(), b"|"]).await.unwrap();
            expected[part].extend_from_slice(text.as_bytes());
            expected[part].push(b'|');
        }
        assert!(spool.file.is_some() && spool.last_part() == Some(1));
        assert!(spool.has_rows(0) && !spool.has_rows(2));
        for (part, expected) in expected.iter().enumerate() {
            // Twice: the same rows may go to several copies of a table.
            assert_eq!(&content(&mut spool, part).await, expected);
            assert_eq!(&content(&mut spool, part).await, expected);
        }
    }

    #[tokio::test]
    async fn a_small_file_needs_no_disk_and_a_large_one_has_a_limit() {
        let mut spool = Spool::new(1, 100_000);
        spool.push(0, &[b"a"]).await.unwrap();
        assert!(spool.file.is_none());
        let row = vec![b'x'; 60_000];
        spool.push(0, &[&row]).await.unwrap();
        let error = async {
            spool.push(0, &[&row]).await?;
            spool.push(0, &[&row]).await
        }
        .await
        .unwrap_err();
        assert_eq!(error.to_mysql().number, 3170);
    }
}
