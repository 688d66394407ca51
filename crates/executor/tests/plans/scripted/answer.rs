//! What a server answers to one statement, as frames cut into bursts.

use std::collections::VecDeque;

use bytes::BytesMut;
use serval_types::MysqlError;
use serval_wire::binary_row::BinaryRowBuilder;
use serval_wire::frame::write_packet;
use serval_wire::packet::column_type::*;
use serval_wire::packet::{ColumnDefinition, ErrPacket};
use serval_wire::{Capabilities, text_row};

/// One answer; a burst a packet, unless it is joined.
#[derive(Debug, Clone)]
pub struct Answer {
    pub steps: VecDeque<Step>,
    sequence: u8,
}

#[derive(Debug, Clone)]
pub enum Step {
    Burst(BytesMut),
    /// The connection breaks.
    Lost,
    /// Nothing more comes, ever.
    Silence,
}

impl Answer {
    fn empty() -> Self {
        Self { steps: VecDeque::new(), sequence: 1 }
    }

    fn packet(mut self, payload: &[u8]) -> Self {
        let mut bytes = BytesMut::new();
        write_packet(&mut bytes, &mut self.sequence, payload);
        self.steps.push_back(Step::Burst(bytes));
        self
    }

    pub fn ok(affected_rows: u8) -> Self {
        Self::ok_info(affected_rows, "")
    }

    pub fn ok_info(affected_rows: u8, info: &str) -> Self {
        Self::ok_warned(affected_rows, 0, info)
    }

    pub fn ok_warned(affected_rows: u8, warnings: u8, info: &str) -> Self {
        let mut payload = vec![0, affected_rows, 0, 2, 0, warnings, 0];
        payload.extend_from_slice(info.as_bytes());
        Self::empty().packet(&payload)
    }

    pub fn error(number: u16, message: &str) -> Self {
        Self::empty().then_error(number, message)
    }

    pub fn local_infile() -> Self {
        Self::empty().packet(b"\xfb/etc/passwd")
    }

    /// A result set: rows with their cells between spaces (or `|`, where a cell has spaces), `~` for NULL.
    pub fn rows(columns: &[ColumnDefinition], rows: &[&str]) -> Self {
        Self::unfinished(columns, rows).packet(&[0xfe, 0, 0, 2, 0, 0, 0])
    }

    /// [`Answer::rows`] with one warning.
    pub fn warned_rows(columns: &[ColumnDefinition], rows: &[&str]) -> Self {
        Self::unfinished(columns, rows).packet(&[0xfe, 0, 0, 2, 0, 1, 0])
    }

    /// [`Answer::rows`] in binary.
    pub fn binary_rows(columns: &[ColumnDefinition], rows: &[&str]) -> Self {
        let mut answer = Self::unfinished(columns, &[]);
        for row in rows {
            let mut payload = BinaryRowBuilder::new(columns.len());
            for (cell, column) in row.split(' ').zip(columns) {
                let text = (cell != "~").then_some(cell.as_bytes());
                payload.encode_text_cell(column.column_type, column.flags, text).unwrap();
            }
            answer = answer.packet(&payload.finish().unwrap());
        }
        answer.packet(&[0xfe, 0, 0, 2, 0, 0, 0])
    }

    /// A result set whose end is yet to come.
    pub fn unfinished(columns: &[ColumnDefinition], rows: &[&str]) -> Self {
        let mut answer = Self::empty().packet(&[u8::try_from(columns.len()).unwrap()]);
        for column in columns {
            let mut payload = Vec::new();
            column.encode(Capabilities::empty(), &mut payload);
            answer = answer.packet(&payload);
        }
        for row in rows {
            let separator = if row.contains('|') { '|' } else { ' ' };
            let cells = row.split(separator).map(|cell| (cell != "~").then_some(cell.as_bytes()));
            let mut payload = Vec::new();
            text_row::encode(cells, &mut payload);
            answer = answer.packet(&payload);
        }
        answer
    }

    pub fn then_error(self, number: u16, message: &str) -> Self {
        let error = MysqlError { number, sqlstate: *b"HY000", message: message.to_owned() };
        let mut payload = Vec::new();
        ErrPacket::from(&error).encode(Capabilities::CLIENT_PROTOCOL_41, &mut payload);
        self.packet(&payload)
    }

    pub fn then_lost(mut self) -> Self {
        self.steps.push_back(Step::Lost);
        self
    }

    pub fn then_silence(mut self) -> Self {
        self.steps.push_back(Step::Silence);
        self
    }

    pub fn lost() -> Self {
        Self::empty().then_lost()
    }

    pub fn silence() -> Self {
        Self::empty().then_silence()
    }

    /// All packets in one burst.
    pub fn joined(mut self) -> Self {
        let mut whole = BytesMut::new();
        for step in std::mem::take(&mut self.steps) {
            match step {
                Step::Burst(bytes) => whole.extend_from_slice(&bytes),
                other => panic!("{other:?} cannot be joined"),
            }
        }
        self.steps.push_back(Step::Burst(whole));
        self
    }
}

fn column(name: &str, column_type: u8) -> ColumnDefinition {
    ColumnDefinition::new(name.to_owned(), column_type)
}

pub fn int(name: &str) -> ColumnDefinition {
    column(name, MYSQL_TYPE_LONGLONG)
}

pub fn text(name: &str) -> ColumnDefinition {
    column(name, MYSQL_TYPE_VAR_STRING)
}
