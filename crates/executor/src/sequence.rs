//! AUTO_INCREMENT on sharded tables: numbers that never repeat, whichever shard a row goes to.
//!
//! They come from *segments* or are *snowflakes* (`snowflake.rs`). With segments, the counter of each table is a row of `serval_sequence` in a node's database, which is created on demand. A proxy
//! takes a segment of numbers at a time, in a short transaction of its own, and hands them out from memory: to one
//! session consecutive and increasing, as one server would. What a proxy had not handed out when it stopped is
//! never used, as after a server's restart with `innodb_autoinc_lock_mode=2`.
//!
//! The first use of a table starts above the largest value on all its shards. Values that clients give themselves
//! push the counter forward ([`Sequences::observe`]). One limit: a value inside a segment that *another* proxy has
//! taken already cannot be taken back from it; that proxy will hand it out and its INSERT will fail with 1062.

mod counter;
mod segment;
mod snowflake;
mod worker;
mod workers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serval_catalog::{Catalog, Sequence, SequenceKind, Table};
use serval_remote::Backend;
use serval_types::{ColumnType, MysqlError};

use crate::error::ExecuteError;

use counter::Counter;
use segment::Segment;
use workers::Workers;

/// The segments that this proxy holds, by the sequence's name.
#[derive(Debug, Default)]
pub struct Sequences {
    segments: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Segment>>>>,
    workers: Workers,
}

impl Sequences {
    /// No segments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same under a clock of the caller's, which tells Unix seconds.
    #[must_use]
    pub fn with_clock(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { segments: Mutex::default(), workers: Workers::new(Arc::new(clock)) }
    }

    /// Takes `count` consecutive numbers for `table` of `schema` and gives the first of them.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`] for a table without a sequence, [`ExecuteError::Server`] with 1467 when the numbers
    /// are used up, and whatever the counter's node answers.
    pub async fn next<B: Backend>(
        &self,
        backend: &B,
        catalog: &Catalog,
        schema: &str,
        table: &Table,
        count: u64,
    ) -> Result<u64, ExecuteError> {
        let sequence = sequence_of(schema, table)?;
        if sequence.kind == SequenceKind::Snowflake {
            return self.workers.next(backend, catalog, sequence, count).await;
        }
        let shared = self.segment(sequence);
        let mut segment = shared.lock().await;
        if let Some(first) = segment.take(count) {
            return within_column(table, sequence, first, count);
        }
        let counter = Counter { backend, catalog, table, sequence };
        *segment =
            counter.advance(|stored| segment.refilled(stored, count, u64::from(sequence.step))).await?;
        within_column(table, sequence, segment.take(count).ok_or_else(used_up)?, count)
    }

    /// Notes a value that a client gave itself, so that it is never handed out again.
    ///
    /// Call it before the row is inserted. Most calls cost nothing: the counter's node is asked only for a value
    /// above all that is known here.
    ///
    /// # Errors
    /// As [`Sequences::next`].
    pub async fn observe<B: Backend>(
        &self,
        backend: &B,
        catalog: &Catalog,
        schema: &str,
        table: &Table,
        value: u64,
    ) -> Result<(), ExecuteError> {
        let sequence = sequence_of(schema, table)?;
        if sequence.kind == SequenceKind::Snowflake {
            // Numbers do not follow from what rows have; who gives its own takes them from the past, or answers for it.
            return self.workers.prepare(backend, catalog, sequence).await;
        }
        let shared = self.segment(sequence);
        let mut segment = shared.lock().await;
        if segment.skip_past(value) {
            return Ok(());
        }
        let counter = Counter { backend, catalog, table, sequence };
        *segment = counter.advance(|stored| segment.pushed(stored, value, u64::from(sequence.step))).await?;
        Ok(())
    }

    /// Notes the values that are in the table, which came there by another way than an INSERT: it was renamed.
    ///
    /// # Errors
    /// As [`Sequences::next`].
    pub async fn observe_rows<B: Backend>(
        &self,
        backend: &B,
        catalog: &Catalog,
        schema: &str,
        table: &Table,
    ) -> Result<(), ExecuteError> {
        let sequence = sequence_of(schema, table)?;
        let greatest = Counter { backend, catalog, table, sequence }.greatest().await?;
        if greatest == 0 { Ok(()) } else { self.observe(backend, catalog, schema, table, greatest).await }
    }

    /// Starts at 1 again, as one server does after TRUNCATE, if this proxy alone has numbered the table since its
    /// counter was made. Otherwise numbering goes on: another proxy may hold numbers that it has yet to give out.
    ///
    /// # Errors
    /// As [`Sequences::next`].
    pub async fn restart<B: Backend>(
        &self,
        backend: &B,
        catalog: &Catalog,
        schema: &str,
        table: &Table,
    ) -> Result<(), ExecuteError> {
        let sequence = sequence_of(schema, table)?;
        if sequence.kind == SequenceKind::Snowflake {
            return Ok(());
        }
        let shared = self.segment(sequence);
        let mut segment = shared.lock().await;
        if *segment == Segment::default() {
            // Never used here: if nobody else did, there is no counter to restart.
            return Ok(());
        }
        let counter = Counter { backend, catalog, table, sequence };
        *segment = counter.advance(|stored| segment.restarted(stored)).await?;
        Ok(())
    }

    fn segment(&self, sequence: &Sequence) -> Arc<tokio::sync::Mutex<Segment>> {
        // A panic elsewhere cannot leave the map half-changed.
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(segment) = segments.get(&sequence.name) {
            return Arc::clone(segment);
        }
        Arc::clone(segments.entry(sequence.name.clone()).or_default())
    }
}

fn sequence_of<'a>(schema: &str, table: &'a Table) -> Result<&'a Sequence, ExecuteError> {
    table.sequence.as_ref().ok_or_else(|| {
        ExecuteError::refused(format!(
            "Table '{schema}.{}' has no sequence; give its AUTO_INCREMENT column a value, or declare auto_increment = \
             \"segment\" for it",
            table.name
        ))
    })
}

/// A number that the column cannot hold would become its largest, on each shard by itself.
fn within_column(table: &Table, sequence: &Sequence, first: u64, count: u64) -> Result<u64, ExecuteError> {
    let column = table.definition.as_deref().and_then(|definition| definition.column(&sequence.column));
    let Some(ColumnType::Int { width, unsigned }) = column.map(|column| &column.column_type) else {
        return Ok(first);
    };
    let (_, most) = width.range(*unsigned);
    let last = i128::from(first) + i128::from(count) - 1;
    if last > most { Err(used_up()) } else { Ok(first) }
}

/// ER_AUTOINC_READ_FAILED, in the server's words.
fn used_up() -> ExecuteError {
    let message = "Failed to read auto-increment value from storage engine".to_owned();
    ExecuteError::Server(MysqlError { number: 1467, sqlstate: *b"HY000", message })
}

/// The same, with the reason.
fn not_read(reason: &str) -> ExecuteError {
    let message = format!("Failed to read auto-increment value from storage engine: {reason}");
    ExecuteError::Server(MysqlError { number: 1467, sqlstate: *b"HY000", message })
}
