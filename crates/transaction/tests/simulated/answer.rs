//! Answers as frames.

use bytes::BytesMut;
use serval_remote::Burst;
use serval_types::MysqlError;
use serval_wire::frame::write_packet;
use serval_wire::packet::{ColumnDefinition, ErrPacket};
use serval_wire::response::{Completion, CompletionKind};
use serval_wire::{Capabilities, text_row};

/// What a server says.
#[derive(Debug, Clone)]
pub enum Answer {
    Ok,
    Rows(Vec<Vec<String>>),
    Error(u16),
}

impl Answer {
    pub fn burst(self) -> Burst {
        let rows = match self {
            Self::Ok => return Burst { bytes: BytesMut::new(), completion: Some(Completion::default()) },
            Self::Error(number) => {
                let error = MysqlError { number, sqlstate: *b"HY000", message: format!("error {number}") };
                let error = Some(ErrPacket::from(&error));
                let completion = Completion { kind: CompletionKind::Err, error, ..Completion::default() };
                return Burst { bytes: BytesMut::new(), completion: Some(completion) };
            }
            Self::Rows(rows) => rows,
        };
        let (mut bytes, mut sequence) = (BytesMut::new(), 1);
        let width = rows.first().map_or(1, Vec::len);
        write_packet(&mut bytes, &mut sequence, &[u8::try_from(width).unwrap()]);
        for _ in 0..width {
            let mut payload = Vec::new();
            ColumnDefinition::new("c", 253).encode(Capabilities::empty(), &mut payload);
            write_packet(&mut bytes, &mut sequence, &payload);
        }
        for row in &rows {
            let mut payload = Vec::new();
            text_row::encode(row.iter().map(|cell| Some(cell.as_bytes())), &mut payload);
            write_packet(&mut bytes, &mut sequence, &payload);
        }
        write_packet(&mut bytes, &mut sequence, &[0xfe, 0, 0, 2, 0, 0, 0]);
        let completion = Completion { kind: CompletionKind::ResultSet, ..Completion::default() };
        Burst { bytes, completion: Some(completion) }
    }
}
