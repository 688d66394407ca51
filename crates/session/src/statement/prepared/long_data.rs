//! COM_STMT_SEND_LONG_DATA: a parameter's value in pieces, ahead of the execution.
//!
//! It has no answer. What is wrong with it is told when the statement is executed.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::command::LongData;

use crate::session::Session;

/// What has come for one statement.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    values: BTreeMap<u16, BytesMut>,
    bytes: usize,
    error: Option<MysqlError>,
}

/// Keeps a piece. All that wait take no more than a packet may.
pub(crate) fn long_data<B: Backend>(session: &mut Session<B>, data: &LongData<'_>) {
    let limit = session.proxy.catalog.load().settings.max_allowed_packet;
    session.prepared.add_piece(data, limit);
}

impl Pieces {
    /// Adds a piece, if its parameter is among `count` and all pieces then take no more than `room` bytes.
    pub(super) fn add(&mut self, data: &LongData<'_>, count: u16, room: usize) {
        if self.error.is_some() {
            return;
        }
        let error = if data.parameter >= count {
            MysqlError::new(ErrorCode::WrongArguments, "Incorrect arguments to mysqld_stmt_send_long_data")
        } else if self.bytes + data.data.len() > room {
            MysqlError::new(
                ErrorCode::Unknown,
                "Parameter of prepared statement which is set through mysql_send_long_data() is longer than \
                 'max_allowed_packet' bytes",
            )
        } else {
            self.bytes += data.data.len();
            return self.values.entry(data.parameter).or_default().extend_from_slice(data.data);
        };
        *self = Self { error: Some(error), ..Self::default() };
    }

    /// The bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The values by their parameters.
    ///
    /// # Errors
    /// What was wrong with a piece.
    pub(super) fn finish(self) -> Result<BTreeMap<u16, Bytes>, MysqlError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.values.into_iter().map(|(position, value)| (position, value.freeze())).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[(u16, &'static [u8])], room: usize, expect: Result<&[(u16, &'static [u8])], u16>) {
        let mut all = Pieces::default();
        for (parameter, data) in pieces {
            all.add(&LongData { statement: 1, parameter: *parameter, data }, 2, room);
            assert!(all.bytes() <= room);
        }
        let expect = expect.map(|values| {
            let values = values.iter().map(|(parameter, data)| (*parameter, Bytes::from_static(data)));
            values.collect::<BTreeMap<_, _>>()
        });
        assert_eq!(all.finish().map_err(|error| error.number), expect);
    }

    #[test]
    fn pieces_add_up_within_their_room() {
        check(&[(1, b"ab"), (0, b""), (1, b"cd")], 4, Ok(&[(0, b""), (1, b"abcd")]));
        check(&[(1, b"ab"), (0, b"cde")], 4, Err(1105));
        // The first mistake is the one that is told, and nothing is kept after it.
        check(&[(2, b"a"), (1, b"abcde")], 4, Err(1210));
    }
}
