//! A small result set in memory: what SHOW and the console answer.

use std::io;

use serval_wire::binary_row::BinaryRowBuilder;
use serval_wire::lenenc::write_int;
use serval_wire::packet::column_type::{MYSQL_TYPE_LONGLONG, MYSQL_TYPE_VAR_STRING};
use serval_wire::packet::{CHARSET_UTF8MB4, ColumnDefinition, EofPacket, OkPacket, text_row};
use serval_wire::{Capabilities, StatusFlags, WireError};
use tokio::io::AsyncWrite;

use crate::stream::{Progress, RowFormat, Writer};

/// One row; `None` is NULL.
pub type Row = Vec<Option<Vec<u8>>>;

/// Columns and rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The columns.
    pub columns: Vec<ColumnDefinition>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Row>,
}

/// A column of text.
#[must_use]
pub fn text_column(name: &str) -> ColumnDefinition {
    ColumnDefinition::new(name.as_bytes().to_vec(), MYSQL_TYPE_VAR_STRING)
}

/// A column of integers.
#[must_use]
pub fn integer_column(name: &str) -> ColumnDefinition {
    ColumnDefinition::new(name.as_bytes().to_vec(), MYSQL_TYPE_LONGLONG)
}

impl Answer {
    /// An answer without rows yet.
    #[must_use]
    pub fn new(columns: Vec<ColumnDefinition>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// An answer whose columns are all text, without rows yet.
    #[must_use]
    pub fn of_text(names: &[&str]) -> Self {
        Self::new(names.iter().map(|name| text_column(name)).collect())
    }

    /// Adds a row of text.
    pub fn push<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| Some(cell.into().into_bytes())).collect());
    }

    /// The cell in a row as text; `None` for NULL and for what is not there.
    #[must_use]
    pub fn text(&self, row: usize, column: usize) -> Option<String> {
        let cell = self.rows.get(row)?.get(column)?.as_ref()?;
        Some(String::from_utf8_lossy(cell).into_owned())
    }

    /// Appends the whole answer to a client's buffer, sending it piece by piece where it is large.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn send<W>(&self, writer: &mut Writer<W>, status: StatusFlags) -> io::Result<()>
    where
        W: AsyncWrite + Unpin,
    {
        if writer.rows() == RowFormat::Binary {
            return self.send_binary(writer, status).await;
        }
        columns(writer, &self.columns, status);
        for row in &self.rows {
            writer.encode(|_, out| text_row::encode(row.iter().map(Option::as_deref), out));
            writer.relieve().await?;
        }
        end(writer, status, 0);
        Ok(())
    }

    /// [`Answer::send`] for an execution: cells by the types of their columns.
    async fn send_binary<W>(&self, writer: &mut Writer<W>, status: StatusFlags) -> io::Result<()>
    where
        W: AsyncWrite + Unpin,
    {
        let cells =
            |column: usize| self.rows.iter().map(move |row| row.get(column).and_then(Option::as_deref));
        let definitions = self.columns.iter().enumerate();
        let definitions: Vec<_> = definitions.map(|(at, column)| fitting(column, cells(at))).collect();
        columns(writer, &definitions, status);
        for row in &self.rows {
            writer.packet(&binary_row(&definitions, row).map_err(io::Error::other)?);
            writer.relieve().await?;
        }
        end(writer, status, 0);
        Ok(())
    }
}

fn binary_row(columns: &[ColumnDefinition], row: &Row) -> Result<Vec<u8>, WireError> {
    let mut builder = BinaryRowBuilder::new(columns.len());
    for (column, cell) in columns.iter().zip(row) {
        builder.encode_text_cell(column.column_type, column.flags, cell.as_deref())?;
    }
    builder.finish()
}

/// The type that a column's cells fit: its own, or text where one of them does not.
fn fitting<'a>(
    column: &ColumnDefinition,
    mut cells: impl Iterator<Item = Option<&'a [u8]>>,
) -> ColumnDefinition {
    let fits = |cell: Option<&[u8]>| {
        BinaryRowBuilder::new(1).encode_text_cell(column.column_type, column.flags, cell).is_ok()
    };
    if cells.all(fits) {
        return column.clone();
    }
    ColumnDefinition {
        column_type: MYSQL_TYPE_VAR_STRING,
        charset: CHARSET_UTF8MB4,
        flags: 0,
        ..column.clone()
    }
}

/// Appends the column definitions, with the EOF packet that old clients expect behind them.
pub(super) fn columns<W>(writer: &mut Writer<W>, columns: &[ColumnDefinition], status: StatusFlags)
where
    W: AsyncWrite + Unpin,
{
    definitions(writer, columns);
    if !writer.capabilities().contains(Capabilities::CLIENT_DEPRECATE_EOF) {
        eof(writer, status);
    }
}

/// Appends the column definitions alone.
pub(super) fn definitions<W: AsyncWrite + Unpin>(writer: &mut Writer<W>, columns: &[ColumnDefinition]) {
    writer.set_progress(Progress::Open);
    let metadata = writer.optional_metadata();
    writer.encode(|_, out| {
        write_int(out, columns.len() as u64);
        out.extend(metadata.map(u8::from));
    });
    for column in columns.iter().filter(|_| metadata != Some(false)) {
        writer.encode(|capabilities, out| column.encode(capabilities, out));
    }
}

/// Appends the EOF packet between columns and rows.
pub(super) fn eof<W: AsyncWrite + Unpin>(writer: &mut Writer<W>, status: StatusFlags) {
    let status = writer.status(status);
    writer.encode(|capabilities, out| EofPacket { warnings: 0, status }.encode(capabilities, out));
}

/// Appends the packet that ends the rows.
pub(crate) fn end<W: AsyncWrite + Unpin>(writer: &mut Writer<W>, status: StatusFlags, warnings: u16) {
    let end = OkPacket { status: writer.status(status), warnings, ..OkPacket::default() };
    writer.set_progress(Progress::Complete);
    writer.encode(|capabilities, out| end.encode_end(capabilities, out));
}
