//! Rows on their way to the scratch server: those who read make INSERTs of them, and one stores these.

use std::io;

use serval_planner::PlanTable;
use serval_planner::primitive::{GatherSource, Loading};
use serval_remote::{Connection, Request};
use serval_types::{ErrorCode, MysqlError};
use serval_wire::packet::{ColumnDefinition, OkPacket, text_row};
use tokio::sync::mpsc;

use super::budget::Budget;
use super::keys::Column;
use super::{json, literal};
use crate::error::ExecuteError;
use crate::sink::{End, ResultSink, SinkError};

/// How large an INSERT becomes; less than any server's max_allowed_packet.
const CHUNK: usize = 512 << 10;

/// A sink that makes INSERTs of the rows of one table. It waits where they are not stored as fast as they come.
pub(super) struct Reader<'a> {
    columns: &'a [Loading],
    head: Vec<u8>,
    chunk: Vec<u8>,
    /// Whose keys are noted.
    keys: Vec<Column>,
    stored: mpsc::Sender<Vec<u8>>,
    /// What the statement may still bring; shared by all that read for it.
    budget: &'a Budget<'a>,
    /// Rows and bytes so far.
    pub(super) rows: u64,
    pub(super) bytes: usize,
    failure: Option<Failure>,
}

/// Why rows could not be taken.
#[derive(Debug)]
pub(super) enum Failure {
    /// They are too many for a statement, which may bring so many bytes.
    Limit(usize),
    /// They are too many beside those of other statements, which may be so many bytes together.
    Total(usize),
    /// They make no sense, or who stores them has failed.
    Other(ExecuteError),
}

impl Failure {
    /// The error, where rows of this table came last.
    pub(super) fn of_table(self, table: &[PlanTable]) -> ExecuteError {
        let name = table.first().map(|table| format!("{}.{}", table.schema, table.table.name));
        let name = name.unwrap_or_default();
        let text = match self {
            Self::Other(error) => return error,
            Self::Limit(limit) => format!(
                "The rows of {name} that this statement needs in one place are more than {limit} bytes ([scratch] \
                 limit); narrow them with WHERE, or raise the limit"
            ),
            Self::Total(total) => format!(
                "The rows of {name} that this statement needs in one place, and those that other statements have there \
                 now, are more than {total} bytes ([scratch] total); run it again when others have ended, narrow them \
                 with WHERE, or raise the total"
            ),
        };
        ExecuteError::Refused(MysqlError::new(ErrorCode::CapacityExceeded, text))
    }
}

impl<'a> Reader<'a> {
    /// Reads for the table of `source`.
    pub(super) fn new(
        source: &'a GatherSource,
        keys: Vec<Column>,
        stored: mpsc::Sender<Vec<u8>>,
        budget: &'a Budget<'a>,
    ) -> Self {
        let head = source.insert.clone().into_bytes();
        let columns = &source.columns;
        Self { columns, head, chunk: Vec::new(), keys, stored, budget, rows: 0, bytes: 0, failure: None }
    }

    /// What went wrong in here, where a sink can only say that it takes no more.
    pub(super) fn failed(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Hands on what is left; the keys that were noted.
    pub(super) async fn finish(mut self) -> Result<Vec<Column>, Failure> {
        self.hand_on().await?;
        Ok(self.keys)
    }

    fn append(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.budget.take(payload.len())?;
        (self.rows, self.bytes) = (self.rows + 1, self.bytes + payload.len());
        let start: &[u8] = if self.chunk.is_empty() { &self.head } else { b"," };
        self.chunk.extend_from_slice(start);
        let mut cells = text_row::cells(payload);
        for (index, loading) in self.columns.iter().enumerate() {
            self.chunk.push(if index == 0 { b'(' } else { b',' });
            let cell = cells.next().and_then(Result::ok).ok_or_else(|| {
                Failure::Other(ExecuteError::malformed("a node", "row with too few columns"))
            })?;
            let noted = self.keys.iter_mut().find(|column| column.index() == index);
            noted.into_iter().for_each(|column| column.note(cell));
            if let (Loading::Json, Some(number)) = (loading, cell.and_then(json::changing_number)) {
                return Err(Failure::Other(inexact(number)));
            }
            literal::write(*loading, cell, &mut self.chunk);
        }
        self.chunk.push(b')');
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<(), Failure> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        // Who stores them has an error of its own to tell, and nobody asks for this one.
        let gone = || Failure::Other(ExecuteError::refused("Rows cannot be stored on the scratch server"));
        self.stored.send(chunk).await.map_err(|_| gone())
    }

    fn fail(&mut self, failure: Failure) -> SinkError {
        self.failure = Some(failure);
        SinkError::from(io::Error::other("rows cannot be loaded"))
    }
}

/// Stores INSERTs as they come, from whichever table; `request` says where and under which state. While one is stored
/// the next ones are made.
pub(super) async fn store<C: Connection>(
    connection: &mut C,
    request: Request<'_>,
    mut chunks: mpsc::Receiver<Vec<u8>>,
) -> Result<(), ExecuteError> {
    while let Some(chunk) = chunks.recv().await {
        connection.send(&Request { sql: &chunk, ..request }).await?;
        loop {
            let Some(completion) = connection.read_burst().await?.completion else { continue };
            match completion.error {
                Some(error) => return Err(ExecuteError::Server(error.to_mysql())),
                None => break,
            }
        }
    }
    Ok(())
}

fn inexact(number: &[u8]) -> ExecuteError {
    ExecuteError::refused(format!(
        "A JSON value of these tables holds the exact number {}, which a scratch server would read as a DOUBLE; fix the sharding \
         columns to one value, or store such numbers as strings",
        String::from_utf8_lossy(number)
    ))
}

impl ResultSink for Reader<'_> {
    async fn columns(&mut self, _columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        Ok(())
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        if let Err(failure) = self.append(payload) {
            return Err(self.fail(failure));
        }
        if self.chunk.len() >= CHUNK
            && let Err(failure) = self.hand_on().await
        {
            return Err(self.fail(failure));
        }
        Ok(())
    }

    async fn end(&mut self, _end: End) -> Result<(), SinkError> {
        Ok(())
    }

    async fn ok(&mut self, _ok: &OkPacket) -> Result<(), SinkError> {
        Ok(())
    }
}
