//! An answer whose rows are put aside.

use serval_executor::SinkError;
use serval_types::MysqlError;
use serval_wire::packet::{ColumnDefinition, ColumnFlags};

use crate::cursor::{Cursor, CursorError, Room, Spool};

/// What says that a column is part of a key.
const KEYS: ColumnFlags = ColumnFlags::PRI_KEY_FLAG
    .with(ColumnFlags::UNIQUE_KEY_FLAG)
    .with(ColumnFlags::MULTIPLE_KEY_FLAG)
    .with(ColumnFlags::PART_KEY_FLAG);

/// A cursor that is being opened. Nothing is told to the client before all rows are there, so that an error in their
/// middle is the whole answer, as on servers.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) columns: Vec<ColumnDefinition>,
    spool: Option<Spool>,
    opened: Option<Cursor>,
    failure: Option<MysqlError>,
}

impl Opening {
    pub(super) fn new(room: Room) -> Self {
        let spool = Some(Spool::new(room));
        Self { columns: Vec::new(), spool, opened: None, failure: None }
    }

    /// Keeps the columns as servers tell them of cursors: those of a temporary table, which has no keys.
    pub(super) fn set_columns(&mut self, columns: &[ColumnDefinition]) {
        self.columns = columns.to_vec();
        for column in &mut self.columns {
            column.flags &= !KEYS.bits();
        }
    }

    /// Puts a row aside.
    pub(super) async fn push(&mut self, row: &[u8]) -> Result<(), SinkError> {
        match &mut self.spool {
            Some(spool) => spool.push(row).await.map_err(|error| self.fail(&error)),
            None => Ok(()),
        }
    }

    /// All rows are there.
    pub(super) async fn finish(&mut self) -> Result<(), SinkError> {
        let Some(spool) = self.spool.take() else { return Ok(()) };
        self.opened = Some(spool.finish().await.map_err(|error| self.fail(&error))?);
        Ok(())
    }

    /// The cursor, where the statement had rows.
    pub(super) fn opened(&mut self) -> Option<Cursor> {
        self.opened.take()
    }

    /// What went wrong with the rows.
    pub(super) fn failure(&mut self) -> Option<MysqlError> {
        self.failure.take()
    }

    /// A sink knows no other failure than a client that is gone; the true one is asked for later.
    fn fail(&mut self, error: &CursorError) -> SinkError {
        self.spool = None;
        self.failure = Some(error.to_mysql());
        SinkError::from(std::io::Error::other(error.to_string()))
    }
}
