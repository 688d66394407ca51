//! A client that writes down what it is sent.

use std::io;

use bytes::BytesMut;
use serval_executor::{End, ResultSink, SinkError};
use serval_remote::Burst;
use serval_wire::binary_row::{self, Cell};
use serval_wire::packet::{ColumnDefinition, OkPacket};
use serval_wire::response::{Part, PartDecoder};
use serval_wire::text_row;

/// Records a result, whether it is relayed or sent in parts.
#[derive(Debug, Default)]
pub struct Client {
    /// Takes bursts as they are.
    pub relays: bool,
    /// Expects binary rows.
    pub binary: bool,
    /// Hangs up after so many rows.
    pub gone_after: Option<usize>,
    pub columns: Vec<ColumnDefinition>,
    /// `1 a ~`
    pub rows: Vec<String>,
    pub end: Option<End>,
    pub ok: Option<OkPacket>,
    /// Everything that was relayed.
    pub bytes: BytesMut,
}

impl Client {
    pub fn relaying() -> Self {
        Self { relays: true, ..Self::default() }
    }

    /// Takes what was relayed apart, which also checks its sequence ids.
    pub fn decode(&mut self) {
        let mut decoder = PartDecoder::new(true);
        decoder.push(self.bytes.clone().freeze());
        while let Some(part) = decoder.next().unwrap() {
            match part {
                Part::Columns(columns) => self.columns = columns,
                Part::Row(payload) => self.rows.push(self.text(&payload)),
                Part::End(end) => self.end = Some(End { warnings: end.warnings, ..End::default() }),
                Part::Ok(ok) => self.ok = Some(ok),
                other => panic!("{other:?} was relayed"),
            }
        }
    }

    fn here(&self) -> Result<(), SinkError> {
        match self.gone_after {
            Some(rows) if self.rows.len() >= rows => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            _ => Ok(()),
        }
    }
}

impl Client {
    fn text(&self, payload: &[u8]) -> String {
        if self.binary { binary_row(payload, &self.columns) } else { row(payload) }
    }
}

fn binary_row(payload: &[u8], columns: &[ColumnDefinition]) -> String {
    let types: Vec<u8> = columns.iter().map(|column| column.column_type).collect();
    let cells =
        binary_row::cells(payload, types).unwrap().zip(columns).map(
            |(bytes, column)| match binary_row::value(column.column_type, column.flags, bytes.unwrap())
                .unwrap()
            {
                Cell::Null => "~".to_owned(),
                Cell::Int(value) => value.to_string(),
                Cell::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                other => panic!("{other:?}"),
            },
        );
    cells.collect::<Vec<String>>().join(" ")
}

fn row(payload: &[u8]) -> String {
    let cells = text_row::cells(payload)
        .map(|cell| cell.unwrap().map_or("~".into(), |cell| String::from_utf8(cell.to_vec()).unwrap()));
    cells.collect::<Vec<String>>().join(" ")
}

impl ResultSink for Client {
    fn relays(&self) -> bool {
        self.relays
    }

    async fn relay(&mut self, burst: Burst) -> Result<(), SinkError> {
        self.here()?;
        if let Some(offset) = burst.completion.and_then(|completion| completion.status_offset) {
            assert_eq!(burst.bytes[offset..offset + 2], [2, 0], "the status is where the completion says");
        }
        self.bytes.extend_from_slice(&burst.bytes);
        Ok(())
    }

    async fn columns(&mut self, columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        assert!(self.columns.is_empty(), "columns come once");
        self.columns = columns.to_vec();
        self.here()
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        self.here()?;
        self.rows.push(self.text(payload));
        Ok(())
    }

    async fn end(&mut self, end: End) -> Result<(), SinkError> {
        self.end = Some(end);
        Ok(())
    }

    async fn ok(&mut self, ok: &OkPacket) -> Result<(), SinkError> {
        self.ok = Some(ok.clone());
        Ok(())
    }
}
