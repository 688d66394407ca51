//! An answer kept in memory, for statements that Serval itself asks on a session's behalf.

use serval_executor::{End, ResultSink, SinkError};
use serval_wire::packet::{ColumnDefinition, OkPacket, text_row};

use super::rows::{Answer, Row};

/// Collects rows up to a limit of bytes.
#[derive(Debug)]
pub(crate) struct Collect {
    answer: Answer,
    bytes_left: usize,
}

impl Collect {
    /// Collects at most `limit` bytes of cells.
    pub(crate) fn new(limit: usize) -> Self {
        Self { answer: Answer::default(), bytes_left: limit }
    }

    /// What was collected.
    pub(crate) fn into_answer(self) -> Answer {
        self.answer
    }
}

impl ResultSink for Collect {
    async fn columns(&mut self, columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        self.answer.columns = columns.to_vec();
        Ok(())
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        let Some(left) = self.bytes_left.checked_sub(payload.len()) else {
            return Err(SinkError::from(std::io::Error::from(std::io::ErrorKind::OutOfMemory)));
        };
        self.bytes_left = left;
        // A row that the wire could not have carried ends early; servers do not send one.
        let cells = text_row::cells(payload).map_while(Result::ok);
        self.answer.rows.push(cells.map(|cell| cell.map(<[u8]>::to_vec)).collect::<Row>());
        Ok(())
    }

    async fn end(&mut self, _end: End) -> Result<(), SinkError> {
        Ok(())
    }

    async fn ok(&mut self, _ok: &OkPacket) -> Result<(), SinkError> {
        Ok(())
    }
}
