//! Takes the rows of one table and inserts them on the scratch server.

use std::io;

use serval_planner::PlanTable;
use serval_planner::primitive::{GatherSource, Loading};
use serval_remote::{Burst, Connection, Request};
use serval_types::{ErrorCode, MysqlError};
use serval_wire::packet::{ColumnDefinition, OkPacket, text_row};

use super::keys::Column;
use super::literal;
use crate::error::ExecuteError;
use crate::sink::{End, ResultSink, SinkError};

/// How large an INSERT becomes; less than any server's max_allowed_packet.
const CHUNK: usize = 512 << 10;

/// A sink that inserts rows. While one chunk is stored the next one is filled.
pub(super) struct Loader<'a, C> {
    connection: &'a mut C,
    request: Request<'a>,
    columns: &'a [Loading],
    head: Vec<u8>,
    chunk: Vec<u8>,
    /// Whose keys are noted.
    keys: &'a mut [Column],
    /// A chunk was sent whose answer has not been read.
    sent: bool,
    /// How many bytes may still come.
    left: usize,
    failure: Option<Failure>,
}

/// Why rows could not be loaded.
#[derive(Debug)]
pub(super) enum Failure {
    /// They are too many.
    Limit,
    /// The scratch server, or the way to it.
    Scratch(ExecuteError),
}

impl Failure {
    /// The error, where rows of this table came last.
    pub(super) fn of_table(self, table: &[PlanTable], limit: usize) -> ExecuteError {
        match self {
            Self::Scratch(error) => error,
            Self::Limit => {
                let name = table.first().map(|table| format!("{}.{}", table.schema, table.table.name));
                ExecuteError::Refused(MysqlError::new(
                    ErrorCode::CapacityExceeded,
                    format!(
                        "The rows of {} that this statement needs in one place are more than {limit} bytes ([scratch] \
                         limit); narrow them with WHERE, or raise the limit",
                        name.unwrap_or_default()
                    ),
                ))
            }
        }
    }
}

impl<'a, C: Connection> Loader<'a, C> {
    /// Loads into the table of `source`; `request` says where and under which state.
    pub(super) fn new(
        connection: &'a mut C,
        request: Request<'a>,
        source: &'a GatherSource,
        left: usize,
        keys: &'a mut [Column],
    ) -> Self {
        let head = source.insert.clone().into_bytes();
        let chunk = Vec::new();
        Self {
            connection,
            request,
            columns: &source.columns,
            head,
            chunk,
            keys,
            sent: false,
            left,
            failure: None,
        }
    }

    /// What went wrong in here, where a sink can only say that it takes no more.
    pub(super) fn failed(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Stores what is left; the bytes that may still come.
    pub(super) async fn finish(mut self) -> Result<usize, ExecuteError> {
        self.send().await?;
        self.settle().await?;
        Ok(self.left)
    }

    fn append(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.left = self.left.checked_sub(payload.len()).ok_or(Failure::Limit)?;
        let start: &[u8] = if self.chunk.is_empty() { &self.head } else { b"," };
        self.chunk.extend_from_slice(start);
        let mut cells = text_row::cells(payload);
        for (index, loading) in self.columns.iter().enumerate() {
            self.chunk.push(if index == 0 { b'(' } else { b',' });
            let cell = cells.next().and_then(Result::ok).ok_or_else(|| {
                Failure::Scratch(ExecuteError::malformed("a node", "row with too few columns"))
            })?;
            let noted = self.keys.iter_mut().find(|column| column.index() == index);
            noted.into_iter().for_each(|column| column.note(cell));
            literal::write(*loading, cell, &mut self.chunk);
        }
        self.chunk.push(b')');
        Ok(())
    }

    async fn send(&mut self) -> Result<(), ExecuteError> {
        self.settle().await?;
        if self.chunk.is_empty() {
            return Ok(());
        }
        self.connection.send(&Request { sql: &self.chunk, ..self.request }).await?;
        self.chunk.clear();
        self.sent = true;
        Ok(())
    }

    /// Reads the answer of the last chunk.
    async fn settle(&mut self) -> Result<(), ExecuteError> {
        while self.sent {
            let Some(completion) = self.connection.read_burst().await?.completion else { continue };
            self.sent = false;
            if let Some(error) = completion.error {
                return Err(ExecuteError::Server(error.to_mysql()));
            }
        }
        Ok(())
    }

    fn fail(&mut self, failure: Failure) -> SinkError {
        self.failure = Some(failure);
        SinkError::from(io::Error::other("rows cannot be loaded"))
    }
}

impl<C: Connection> ResultSink for Loader<'_, C> {
    fn relays(&self) -> bool {
        false
    }

    async fn relay(&mut self, _burst: Burst) -> Result<(), SinkError> {
        // Never called where `relays` is false.
        Ok(())
    }

    async fn columns(&mut self, _columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        Ok(())
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        if let Err(failure) = self.append(payload) {
            return Err(self.fail(failure));
        }
        if self.chunk.len() >= CHUNK
            && let Err(error) = self.send().await
        {
            return Err(self.fail(Failure::Scratch(error)));
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
