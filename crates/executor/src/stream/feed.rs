//! One target's rows, as far as they have come.

use std::time::Instant;

use bytes::Bytes;
use serval_wire::packet::ColumnDefinition;
use serval_wire::response::{Part, PartDecoder};

use super::integers::Integers;
use crate::error::ExecuteError;

/// One target's answer: what has arrived and was not taken yet, still packed.
#[derive(Debug)]
pub(crate) struct Feed {
    /// The node's name.
    pub(crate) node: String,
    decoder: PartDecoder,
    arrival: Arrival,
    /// Rows and their bytes that were taken.
    taken: (u64, u64),
    /// What makes its rows like those of the others.
    pub(super) integers: Option<Integers>,
    /// When all bytes were here.
    ended: Option<Instant>,
}

impl Feed {
    /// The rows that were taken, their bytes, and when the last one had come.
    pub(crate) fn taken(&self) -> (u64, u64, Option<Instant>) {
        (self.taken.0, self.taken.1, self.ended)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Arrival {
    /// More will come.
    Going,
    /// All bytes are here.
    Complete,
    /// All rows were taken.
    Taken,
}

/// What a feed gives.
#[derive(Debug)]
pub(crate) enum Given {
    Columns(Vec<ColumnDefinition>),
    Row(Bytes),
    End,
    /// Nothing until more has arrived.
    Nothing,
}

impl Feed {
    pub(crate) fn new(node: &str) -> Self {
        let decoder = PartDecoder::new(true);
        Self {
            node: node.to_owned(),
            decoder,
            arrival: Arrival::Going,
            taken: (0, 0),
            integers: None,
            ended: None,
        }
    }

    /// Adds whole packets; `complete` when they end the answer.
    pub(crate) fn push(&mut self, bytes: Bytes, complete: bool) {
        self.decoder.push(bytes);
        if complete {
            self.arrival = Arrival::Complete;
            self.ended = Some(Instant::now());
        }
    }

    pub(crate) fn next(&mut self) -> Result<Given, ExecuteError> {
        if self.arrival == Arrival::Taken {
            return Ok(Given::End);
        }
        let part = self.decoder.next();
        match part.map_err(|source| ExecuteError::Malformed { from: self.name(), source })? {
            Some(Part::Row(payload)) => {
                self.taken = (self.taken.0 + 1, self.taken.1 + payload.len() as u64);
                match &self.integers {
                    Some(integers) => integers.row(&payload).map(Given::Row),
                    None => Ok(Given::Row(payload)),
                }
            }
            Some(Part::Columns(columns)) => Ok(Given::Columns(columns)),
            Some(Part::End(_)) => {
                self.arrival = Arrival::Taken;
                Ok(Given::End)
            }
            Some(Part::Err(error)) => Err(ExecuteError::Server(error.to_mysql())),
            Some(Part::LocalInfile(_)) => Err(ExecuteError::local_infile()),
            Some(Part::Ok(_)) => Err(ExecuteError::refused(
                "A statement that gives no rows cannot be merged over several shards; name one shard in WHERE",
            )),
            None if self.arrival == Arrival::Complete => {
                Err(ExecuteError::malformed(&self.name(), "answer: it ends before its rows do"))
            }
            None => Ok(Given::Nothing),
        }
    }

    fn name(&self) -> String {
        format!("node {}", self.node)
    }
}
