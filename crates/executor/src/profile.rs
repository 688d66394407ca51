//! What each part of a statement did: for EXPLAIN ANALYZE. Nothing is measured otherwise.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serval_planner::{Part, What};
use serval_wire::packet::{ColumnDefinition, OkPacket};

use crate::sink::{End, ResultSink, SinkError};
use crate::stream::Input;

/// The measurements of one statement.
#[derive(Debug, Default)]
pub struct Profile {
    parts: Mutex<HashMap<Part, Measured>>,
}

/// What one part did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Rows that it gave.
    pub rows: u64,
    /// Their bytes, where rows were read off a server.
    pub bytes: Option<u64>,
    /// From when the statement was sent until the last row had come.
    pub time: Option<Duration>,
}

/// Where a tree of primitives notes its measurements.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    profile: &'a Profile,
    source: Option<usize>,
}

impl Profile {
    /// What a part did, if it ran.
    #[must_use]
    pub fn of(&self, part: Part) -> Option<Measured> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).get(&part).copied()
    }

    /// To watch the statement's own tree with.
    #[must_use]
    pub fn watch(&self) -> Watch<'_> {
        Watch { profile: self, source: None }
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.rows, if self.rows == 1 { "row" } else { "rows" })?;
        if let Some(bytes) = self.bytes {
            write!(f, ", {bytes} bytes")?;
        }
        match self.time {
            Some(time) => write!(f, ", {:.1} ms", time.as_secs_f64() * 1000.0),
            None => Ok(()),
        }
    }
}

impl<'a> Watch<'a> {
    /// The same for what reads a source of a gathered statement.
    pub(crate) fn source(self, source: usize) -> Watch<'a> {
        Watch { source: Some(source), ..self }
    }

    /// Notes what a part did.
    pub(crate) fn note(self, what: What, measured: Measured) {
        let part = Part { source: self.source, what };
        self.profile.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part, measured);
    }

    /// Notes what the streams of a merge have given, and its primitives.
    pub(crate) fn streams(self, input: &Input, begun: Instant, counters: &[Arc<AtomicU64>]) {
        let mut all = Measured { bytes: Some(0), ..Measured::default() };
        for stream in 0..input.len() {
            let (rows, bytes, ended) = input.taken(stream);
            let time = ended.map(|ended| ended.saturating_duration_since(begun));
            self.note(What::Target(stream), Measured { rows, bytes: Some(bytes), time });
            all = Measured {
                rows: all.rows + rows,
                bytes: all.bytes.map(|all| all + bytes),
                time: all.time.max(time),
            };
        }
        for (height, counter) in counters.iter().enumerate() {
            let rows = counter.load(Ordering::Relaxed);
            let measured = if height == 0 { all } else { Measured { rows, bytes: None, time: None } };
            self.note(What::Primitive(height), measured);
        }
        // A merge has no operator for its route.
        self.note(What::Primitive(0), all);
    }
}

/// A sink that counts what goes through it.
pub(crate) struct Metering<'s, S> {
    sink: &'s mut S,
    begun: Instant,
    rows: u64,
    bytes: u64,
}

impl<'s, S> Metering<'s, S> {
    pub(crate) fn new(sink: &'s mut S) -> Self {
        Self { sink, begun: Instant::now(), rows: 0, bytes: 0 }
    }

    /// What has gone through until now.
    pub(crate) fn measured(&self) -> Measured {
        Measured { rows: self.rows, bytes: Some(self.bytes), time: Some(self.begun.elapsed()) }
    }
}

impl<S: ResultSink> ResultSink for Metering<'_, S> {
    async fn columns(&mut self, columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        self.sink.columns(columns).await
    }

    async fn row(&mut self, payload: &[u8]) -> Result<(), SinkError> {
        self.rows += 1;
        self.bytes += payload.len() as u64;
        self.sink.row(payload).await
    }

    async fn end(&mut self, end: End) -> Result<(), SinkError> {
        self.sink.end(end).await
    }

    async fn ok(&mut self, ok: &OkPacket) -> Result<(), SinkError> {
        self.sink.ok(ok).await
    }
}
