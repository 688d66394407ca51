//! Servers of other kinds: whole statements go to them, and rows come back.

use std::pin::Pin;

use bytes::Bytes;
use serval_types::MysqlError;
use serval_wire::packet::{ColumnDefinition, OkPacket};

/// A future that a trait object gives.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The engines behind Serval, by their names in the config.
pub trait Engines: Send + Sync {
    /// Sends a statement as it is. Dropping the answer before its end closes the connection.
    fn ask<'a>(
        &'a self,
        engine: &'a str,
        sql: &'a [u8],
    ) -> Later<'a, Result<Box<dyn EngineAnswer>, MysqlError>>;

    /// How each engine is, in the order of the config.
    fn statistics(&self) -> Vec<EngineStatus>;
}

/// An answer on its way.
pub trait EngineAnswer: Send {
    /// What comes next; nothing may be asked for behind [`EngineEvent::End`], [`EngineEvent::Ok`] and an error.
    fn next(&mut self) -> Later<'_, Result<EngineEvent, MysqlError>>;
}

/// A part of an engine's answer.
#[derive(Debug)]
pub enum EngineEvent {
    /// Rows will come, of these columns.
    Columns(Vec<ColumnDefinition>),
    /// A row of the text protocol, with as many cells as there are columns.
    Row(Bytes),
    /// There are no more rows.
    End(EngineWarnings),
    /// There are no more rows of this result, but another result follows.
    Next,
    /// There are none at all.
    Ok(OkPacket, EngineWarnings),
}

/// The warnings of a statement: their number, and the rows of SHOW WARNINGS as far as the engine gives them.
#[derive(Debug, Default)]
pub struct EngineWarnings {
    /// How many there are.
    pub count: u16,
    /// Level, code and message of each.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

/// What an engine is, and what it has done since the proxy started or its config changed.
#[derive(Debug, Clone)]
pub struct EngineStatus {
    /// Its name in the config.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// The version that it tells; `None` before the first connect.
    pub version: Option<String>,
    /// Whether the last attempt to use it has succeeded; `None` before the first.
    pub up: Option<bool>,
    /// The last error, kept after it is back.
    pub last_error: Option<String>,
    /// The most connections that it is given.
    pub max_connections: usize,
    /// Connections in use.
    pub used: usize,
    /// Connections that wait.
    pub free: usize,
    /// Statements sent.
    pub queries: u64,
}
