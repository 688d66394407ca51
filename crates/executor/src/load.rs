//! LOAD DATA LOCAL: a client's file to the nodes of its table.
//!
//! For one node the file passes through as it comes. For several it is cut into its rows, each row is kept for the shard
//! that it belongs to, in a temporary file where there are many, and then every shard gets its rows as a file of its own.
//! All of it is one transaction, so that a statement is done as a whole or not at all; and the rows keep the bytes that
//! the client sent, so that what they mean is the servers' own business.

mod format;
mod run;
mod scan;
mod split;
mod spool;

use std::future::Future;

use bytes::Bytes;
use serval_wire::packet::OkPacket;

use crate::query_rows::Row;
use crate::sink::SinkError;

pub use format::{FileText, Format, FormatError};
pub use run::{spooled, stream};
pub use split::{Numbering, Split, Splitting, split};
pub use spool::Spool;

/// A client's file.
pub trait FileSource: Send {
    /// Asks the client for it. Called once, before the first piece is read.
    fn open(&mut self) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The next bytes of it; `None` at its end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, SinkError>> + Send;
}

/// What the servers say of a file that was loaded.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The sum of their answers.
    pub ok: OkPacket,
    /// The first warnings, as SHOW WARNINGS gives them.
    pub warnings: Vec<Row>,
}
