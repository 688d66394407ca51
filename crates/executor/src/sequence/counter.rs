//! The stored counter of one table.

use std::time::Instant;

use serval_catalog::{Catalog, Sequence, Table};
use serval_remote::{Access, Backend, Connection, Request, SessionState};

use super::segment::{Advance, Segment, Stored};
use super::used_up;
use crate::error::ExecuteError;
use crate::places::{places, quoted};
use crate::query_rows::{CONNECTION_WAIT, ask, query_rows};

/// How often to try again after creating what is missing or losing to another proxy.
const ATTEMPTS: usize = 8;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS `serval_sequence` (`name` VARCHAR(128) NOT NULL PRIMARY KEY, `next` \
                      BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

/// Where a table's counter is stored, and what it counts.
pub(super) struct Counter<'a, B: Backend> {
    pub(super) backend: &'a B,
    pub(super) catalog: &'a Catalog,
    pub(super) table: &'a Table,
    pub(super) sequence: &'a Sequence,
}

/// What one try came to.
enum Try {
    Advanced(Segment),
    NoTable,
    NoRow,
    UsedUp,
}

impl<B: Backend> Counter<'_, B> {
    /// Reads the counter under a lock and stores what `decide` makes of it, in a transaction of its own.
    pub(super) async fn advance(
        &self,
        decide: impl Fn(Stored) -> Advance + Send + Sync,
    ) -> Result<Segment, ExecuteError> {
        let mut last = used_up();
        let mut made = None;
        for _ in 0..ATTEMPTS {
            // Two proxies that made the row at once see each other's advance in what is stored.
            let decide = |next| decide(Stored { next, fresh: made == Some(next) });
            match self.attempt(&decide).await {
                Ok(Try::Advanced(segment)) => return Ok(segment),
                Ok(Try::UsedUp) => return Err(used_up()),
                Ok(Try::NoTable) => drop(self.run(CREATE).await?),
                Ok(Try::NoRow) => made = Some(self.insert().await?),
                // Another proxy was faster; whatever it did, the next try sees.
                Err(ExecuteError::Server(error)) if matches!(error.number, 1205 | 1213) => {
                    last = ExecuteError::Server(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn attempt(&self, decide: &(impl Fn(u64) -> Advance + Send)) -> Result<Try, ExecuteError> {
        let state = SessionState::default();
        let node = self.catalog.node(self.sequence.node);
        let deadline = Instant::now() + CONNECTION_WAIT;
        let mut connection = self.backend.acquire(node.group, Access::Primary, &state, deadline).await?;
        let mut run = Run { connection: &mut connection, database: &node.database, state: &state };
        let select = format!("SELECT `next` FROM `serval_sequence` WHERE `name`={} FOR UPDATE", self.name());
        let result = match run.ask(Some("START TRANSACTION"), &select).await {
            Ok(rows) => match rows.first().map(|row| number(row)) {
                Some(stored) => self.store(&mut run, decide(positive(stored?))).await,
                None => Ok(Try::NoRow),
            },
            Err(ExecuteError::Server(error)) if error.number == 1146 => Ok(Try::NoTable),
            Err(error) => Err(error),
        };
        let end = if matches!(result, Ok(Try::Advanced(_))) { "COMMIT" } else { "ROLLBACK" };
        let ended = run.ask(None, end).await;
        let outcome = result?;
        ended?;
        Ok(outcome)
    }

    async fn store<C: Connection>(
        &self,
        run: &mut Run<'_, C>,
        advance: Advance,
    ) -> Result<Try, ExecuteError> {
        match advance {
            Advance::UsedUp => Ok(Try::UsedUp),
            Advance::Keep(segment) => Ok(Try::Advanced(segment)),
            Advance::Store(segment) => {
                let (end, name) = (segment.end(), self.name());
                let update = format!("UPDATE `serval_sequence` SET `next`={end} WHERE `name`={name}");
                run.ask(None, &update).await?;
                Ok(Try::Advanced(segment))
            }
        }
    }

    /// The largest value in the table, on all its shards; 0 where there is none.
    pub(super) async fn greatest(&self) -> Result<u64, ExecuteError> {
        let mut greatest = 0;
        for (node, physical) in places(self.table) {
            let node = self.catalog.node(node);
            let sql = format!("SELECT MAX({}) FROM {}", quoted(&self.sequence.column), quoted(physical));
            let rows = query_rows(self.backend, node.group, Some(&node.database), &sql).await?;
            if let Some(row) = rows.first() {
                greatest = greatest.max(number(row)?);
            }
        }
        Ok(positive(greatest))
    }

    /// The first use: the counter starts above what is in the table.
    async fn insert(&self) -> Result<u64, ExecuteError> {
        let first = self.greatest().await?.checked_add(1).ok_or_else(used_up)?;
        let name = self.name();
        // IGNORE: another proxy may do the same at this moment, and the first of them counts.
        self.run(&format!("INSERT IGNORE INTO `serval_sequence` (`name`, `next`) VALUES ({name}, {first})"))
            .await?;
        Ok(first)
    }

    async fn run(&self, sql: &str) -> Result<(), ExecuteError> {
        let node = self.catalog.node(self.sequence.node);
        query_rows(self.backend, node.group, Some(&node.database), sql).await.map(drop)
    }

    /// The row's name as a literal that no sql_mode reads otherwise.
    fn name(&self) -> String {
        let digits: String = self.sequence.name.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("CONVERT(x'{digits}' USING utf8mb4)")
    }
}

/// A connection in the counter's database.
struct Run<'a, C> {
    connection: &'a mut C,
    database: &'a str,
    state: &'a SessionState,
}

impl<C: Connection> Run<'_, C> {
    async fn ask(
        &mut self,
        begin: Option<&str>,
        sql: &str,
    ) -> Result<Vec<Vec<Option<Vec<u8>>>>, ExecuteError> {
        let request = Request {
            database: Some(self.database),
            state: self.state,
            begin,
            sql: sql.as_bytes(),
            execution: None,
        };
        ask(self.connection, &request).await
    }
}

/// The first cell of a row as a number; 0 for NULL, which is MAX of nothing.
fn number(row: &[Option<Vec<u8>>]) -> Result<i128, ExecuteError> {
    let Some(Some(cell)) = row.first() else { return Ok(0) };
    let text = std::str::from_utf8(cell).ok();
    // MAX of a DECIMAL or DOUBLE column has a fraction of zeros.
    let whole = text.map(|text| text.split_once('.').map_or(text, |(whole, _)| whole));
    whole.and_then(|whole| whole.parse().ok()).ok_or_else(|| ExecuteError::malformed("a node", "number"))
}

fn positive(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}
