//! A prepared statement as a server describes it.

use bytes::BytesMut;

use crate::frame::write_packet;
use crate::packet::{ColumnDefinition, EofPacket, PrepareOk};
use crate::{Capabilities, StatusFlags};

/// A prepared statement: its numbers, its parameters and its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The first packet.
    pub ok: PrepareOk,
    /// The parameters, all named `?`. MySQL guesses at their types, MariaDB says nothing of them.
    pub parameters: Vec<ColumnDefinition>,
    /// The columns of the rows, if the statement has any.
    pub columns: Vec<ColumnDefinition>,
}

impl Prepared {
    /// Appends the whole answer as frames; `sequence` is the first one's id and is left at the next one's. The numbers
    /// of parameters and columns are those of the lists, of which the protocol holds 65,535 each.
    ///
    /// `metadata` says to a client that can do without definitions whether they are sent.
    pub fn write(
        &self,
        caps: Capabilities,
        metadata: Option<bool>,
        status: StatusFlags,
        sequence: &mut u8,
        out: &mut BytesMut,
    ) {
        let (parameters, columns) = (count(&self.parameters), count(&self.columns));
        let mut payload = Vec::new();
        PrepareOk { parameters, columns, ..self.ok }.encode(caps, &mut payload);
        payload.extend(metadata.map(u8::from));
        write_packet(out, sequence, &payload);
        for (definitions, count) in [(&self.parameters, parameters), (&self.columns, columns)] {
            let sent = definitions.iter().take(usize::from(count)).filter(|_| metadata != Some(false));
            for definition in sent {
                payload.clear();
                definition.encode(caps, &mut payload);
                write_packet(out, sequence, &payload);
            }
            if count > 0 && !caps.contains(Capabilities::CLIENT_DEPRECATE_EOF) {
                payload.clear();
                EofPacket { warnings: 0, status }.encode(caps, &mut payload);
                write_packet(out, sequence, &payload);
            }
        }
    }
}

fn count(definitions: &[ColumnDefinition]) -> u16 {
    u16::try_from(definitions.len()).unwrap_or(u16::MAX)
}
