//! An answer kept in memory as it came: binary rows, or an OK.

use bytes::Bytes;
use serval_executor::{End, ResultSink, SinkError};
use serval_wire::packet::{ColumnDefinition, OkPacket};

/// What a step of a larger statement answered.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The columns, where there are rows.
    pub(crate) columns: Vec<ColumnDefinition>,
    /// The payloads of the rows.
    pub(crate) rows: Vec<Bytes>,
    /// The OK of a statement without rows.
    pub(crate) ok: OkPacket,
    bytes_left: usize,
}

impl Outcome {
    /// Keeps at most `limit` bytes of rows.
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes_left: limit, ..Self::default() }
    }
}

impl ResultSink for Outcome {
    async fn columns(&mut self, columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        self.columns = columns.to_vec();
        Ok(())
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        // What is held beside the bytes of a row counts too: narrow rows are many.
        let size = payload.len() + size_of::<Bytes>();
        let Some(left) = self.bytes_left.checked_sub(size) else {
            return Err(SinkError::from(std::io::Error::from(std::io::ErrorKind::OutOfMemory)));
        };
        self.bytes_left = left;
        self.rows.push(Bytes::copy_from_slice(payload));
        Ok(())
    }

    async fn end(&mut self, _end: End) -> Result<(), SinkError> {
        Ok(())
    }

    async fn ok(&mut self, ok: &OkPacket) -> Result<(), SinkError> {
        self.ok = ok.clone();
        Ok(())
    }
}
