//! The record of a decision: one row, in a database of the first participant, under the transaction's name.
//!
//! Whoever inserts the row first decides. The transaction itself inserts *commit* as its last write on the first
//! participant, so that the group's own COMMIT makes both durable at once. Whoever finds a branch and no record inserts
//! *abort* under the same key: the server makes that wait for a commit in flight, and refuses it if the commit won.

use std::time::{Duration, Instant};

use serval_remote::{Access, Backend, Connection, RemoteError, SessionState};
use serval_types::{ErrorCode, MysqlError};

use crate::exchange::ask;
use crate::gtrid::Gtrid;
use crate::identity::{Identity, quoted};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it stays.
    Commit,
    /// Nothing of it stays.
    Abort,
}

impl Verdict {
    /// As the record, the console and the metrics write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
        }
    }
}

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the record is looked for on one connection.
const LOOKS: usize = 6;
/// ER_DUP_ENTRY.
const DUPLICATE: u16 = 1062;
/// ER_NO_SUCH_TABLE.
const NO_TABLE: u16 = 1146;
/// ER_LOCK_WAIT_TIMEOUT.
const LOCKED: u16 = 1205;
/// ER_NO_SUCH_THREAD.
const NO_THREAD: u16 = 1094;

/// The statement that makes the table. `created` is a number, because a client's `SET timestamp` would move any time
/// that the server fills in.
pub(crate) fn create(database: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {}.`serval_transaction` (`gtrid` VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin \
         NOT NULL PRIMARY KEY, `verdict` CHAR(6) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, `owner` BIGINT \
         UNSIGNED NOT NULL, `created` BIGINT UNSIGNED NOT NULL, KEY (`created`)) ENGINE=InnoDB",
        quoted(database)
    )
}

/// The statement that stores a decision. `owner` is the connection that does it.
pub(crate) fn insert(place: &Identity, gtrid: &Gtrid, verdict: Verdict, owner: u32) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!(
        "INSERT INTO {}.`serval_transaction` (`gtrid`, `verdict`, `owner`, `created`) VALUES ('{gtrid}', '{}', {owner}, {})",
        quoted(&place.database),
        verdict.word(),
        now.as_secs()
    )
}

/// Finds out what was decided, or decides `wanted` if nothing was. Tries until `limit` is over.
pub(crate) async fn decide<B: Backend>(
    backend: &B,
    place: &Identity,
    gtrid: &Gtrid,
    wanted: Verdict,
    limit: Duration,
) -> Result<Verdict, RemoteError> {
    let mut last = None;
    let tries = async {
        loop {
            match Decision::take(backend, place, gtrid, limit).await {
                Ok(mut decision) => match decision.make(wanted).await {
                    Ok(verdict) => return verdict,
                    Err(error) => last = Some(error),
                },
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(limit, tries).await {
        Ok(verdict) => Ok(verdict),
        Err(_) => Err(last.unwrap_or_else(|| unread(gtrid))),
    }
}

fn unread(gtrid: &Gtrid) -> RemoteError {
    let text = format!("The record of transaction {gtrid} could not be read in time");
    RemoteError::Refused(MysqlError::new(ErrorCode::WaitTimeout, text))
}

/// What was decided, if anything was; decides nothing.
pub(crate) async fn read<B: Backend>(
    backend: &B,
    place: &Identity,
    gtrid: &Gtrid,
    limit: Duration,
) -> Result<Option<Verdict>, RemoteError> {
    let reading = async { Decision::take(backend, place, gtrid, limit).await?.read().await };
    tokio::time::timeout(limit, reading).await.unwrap_or_else(|_| Err(unread(gtrid)))
}

/// A connection on which a decision is looked for and made.
struct Decision<'a, C> {
    connection: C,
    state: SessionState,
    place: &'a Identity,
    gtrid: &'a Gtrid,
}

impl<'a, C: Connection> Decision<'a, C> {
    async fn take<B: Backend<Connection = C>>(
        backend: &B,
        place: &'a Identity,
        gtrid: &'a Gtrid,
        limit: Duration,
    ) -> Result<Self, RemoteError> {
        // A lock on the row means that somebody decides at this moment.
        let state = SessionState::default().with("innodb_lock_wait_timeout", "1");
        let connection =
            backend.acquire(place.group, Access::Primary, &state, Instant::now() + limit).await?;
        Ok(Self { connection, state, place, gtrid })
    }

    async fn make(&mut self, wanted: Verdict) -> Result<Verdict, RemoteError> {
        for _ in 0..LOOKS {
            if let Some(verdict) = self.read().await? {
                return Ok(verdict);
            }
            let sql = insert(self.place, self.gtrid, wanted, self.connection.thread_id());
            match self.ask(&sql).await? {
                Ok(_) => return Ok(wanted),
                Err(error) if error.number == DUPLICATE => {}
                Err(error) if error.number == NO_TABLE => {
                    tracing::warn!(gtrid = %self.gtrid, "the table of decisions is missing and is made again");
                    let create = create(&self.place.database);
                    self.ask(&create).await?.map_err(RemoteError::Refused)?;
                }
                Err(error) if error.number == LOCKED => self.kill_owner().await?,
                Err(error) => return Err(RemoteError::Refused(error)),
            }
        }
        let text = format!("The record of transaction {} is being written", self.gtrid);
        Err(RemoteError::Refused(MysqlError::new(ErrorCode::WaitTimeout, text)))
    }

    async fn read(&mut self) -> Result<Option<Verdict>, RemoteError> {
        let sql = self.select("verdict");
        let rows = match self.ask(&sql).await? {
            Ok(rows) => rows,
            Err(error) if error.number == NO_TABLE => return Ok(None),
            Err(error) => return Err(RemoteError::Refused(error)),
        };
        match rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()).as_deref() {
            None => Ok(None),
            Some("commit") => Ok(Some(Verdict::Commit)),
            Some("abort") => Ok(Some(Verdict::Abort)),
            Some(other) => {
                let text = format!("The record of transaction {} says '{other}'", self.gtrid);
                Err(RemoteError::Refused(MysqlError::new(ErrorCode::Unknown, text)))
            }
        }
    }

    /// Ends the connection that has inserted a decision and neither commits nor goes away, most likely because its proxy
    /// did, and its server has not noticed. Which one it is stands in the row itself, which is there to be read
    /// uncommitted exactly as long as that connection holds it.
    async fn kill_owner(&mut self) -> Result<(), RemoteError> {
        // The next statement's isolation is changed; nobody else may get such a connection.
        self.connection.spoil();
        self.ask("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED").await?.map_err(RemoteError::Refused)?;
        let sql = self.select("owner");
        let rows = self.ask(&sql).await?.map_err(RemoteError::Refused)?;
        let Some(owner) = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()) else {
            return Ok(());
        };
        if self.read().await?.is_some() {
            return Ok(());
        }
        tracing::info!(gtrid = %self.gtrid, owner, "the connection that holds a decision back is closed");
        match self.ask(&format!("KILL {owner}")).await? {
            Err(error) if error.number != NO_THREAD => Err(RemoteError::Refused(error)),
            _ => Ok(()),
        }
    }

    fn select(&self, column: &str) -> String {
        let (database, gtrid) = (quoted(&self.place.database), self.gtrid);
        format!("SELECT `{column}` FROM {database}.`serval_transaction` WHERE `gtrid`='{gtrid}'")
    }

    async fn ask(&mut self, sql: &str) -> Result<Result<Vec<Vec<Option<String>>>, MysqlError>, RemoteError> {
        ask(&mut self.connection, &self.state, sql).await
    }
}
