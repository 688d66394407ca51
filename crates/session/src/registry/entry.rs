//! One session, as others see it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serval_types::{MysqlError, SessionId};

use super::signal::{Level, Signal};
use crate::failure::Failure;

/// How much of a statement's text SHOW PROCESSLIST shows without FULL.
const SHORT_INFO_BYTES: usize = 100;

/// How much of it is ever shown.
const FULL_INFO_BYTES: usize = 64 * 1024;

/// One session, as others see it.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: SessionId,
    /// Where the client is; `None` where the connection has no address.
    pub peer: Option<SocketAddr>,
    /// When it connected.
    pub since: Instant,
    /// Statements received so far.
    pub statements: AtomicU64,
    activity: Mutex<Activity>,
    pub(super) signal: Signal,
}

#[derive(Debug)]
struct Activity {
    user: String,
    schema: Option<String>,
    command: &'static str,
    since: Instant,
    sql: Option<Bytes>,
    in_transaction: bool,
}

/// A session at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its id.
    pub id: SessionId,
    /// The user; `unauthenticated user` during the handshake.
    pub user: String,
    /// Where the client is.
    pub peer: Option<SocketAddr>,
    /// The current schema.
    pub schema: Option<String>,
    /// What it does: `Sleep`, `Query`, `Connect`, …
    pub command: &'static str,
    /// For how long.
    pub time: Duration,
    /// How long it has been connected.
    pub connected: Duration,
    /// The running statement, cut.
    pub info: Option<String>,
    /// Statements received so far.
    pub statements: u64,
    /// Whether a transaction is open.
    pub in_transaction: bool,
}

impl Entry {
    pub(super) fn new(id: SessionId, peer: Option<SocketAddr>) -> Self {
        let now = Instant::now();
        let activity = Activity {
            user: "unauthenticated user".to_owned(),
            schema: None,
            command: "Connect",
            since: now,
            sql: None,
            in_transaction: false,
        };
        Self {
            id,
            peer,
            since: now,
            statements: AtomicU64::new(0),
            activity: Mutex::new(activity),
            signal: Signal::default(),
        }
    }

    /// Notes who it is.
    pub fn set_user(&self, user: &str) {
        user.clone_into(&mut self.activity.lock().user);
    }

    /// The user that the session belongs to.
    #[must_use]
    pub fn user(&self) -> String {
        self.activity.lock().user.clone()
    }

    /// Notes the current schema.
    pub fn set_schema(&self, schema: Option<&str>) {
        self.activity.lock().schema = schema.map(str::to_owned);
    }

    /// Notes that a command begins.
    pub fn begin(&self, command: &'static str, sql: Option<Bytes>) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let mut activity = self.activity.lock();
        activity.command = command;
        activity.since = Instant::now();
        activity.sql = sql;
    }

    /// Notes that the session waits for its client.
    pub fn rest(&self, in_transaction: bool) {
        let mut activity = self.activity.lock();
        activity.command = "Sleep";
        activity.since = Instant::now();
        activity.sql = None;
        activity.in_transaction = in_transaction;
    }

    /// Ends the session: KILL CONNECTION.
    pub fn kill(&self) {
        self.signal.raise(Level::Kill);
    }

    /// Ends the running statement, if there is one: KILL QUERY.
    pub fn interrupt(&self) {
        self.signal.interrupt();
    }

    /// Resolves when the session, which waits for its client, has to go; what to tell the client.
    pub(crate) async fn told_to_leave(&self, in_transaction: bool) -> MysqlError {
        self.signal.while_idle(in_transaction).await
    }

    /// Resolves when the statement that is beginning has to stop.
    pub(crate) async fn told_to_stop(&self) -> Failure {
        self.signal.during_statement().await
    }

    pub(super) fn snapshot(&self, full: bool) -> Snapshot {
        let activity = self.activity.lock();
        let limit = if full { FULL_INFO_BYTES } else { SHORT_INFO_BYTES };
        Snapshot {
            id: self.id,
            user: activity.user.clone(),
            peer: self.peer,
            schema: activity.schema.clone(),
            command: activity.command,
            time: activity.since.elapsed(),
            connected: self.since.elapsed(),
            info: activity
                .sql
                .as_ref()
                .map(|sql| String::from_utf8_lossy(&sql[..sql.len().min(limit)]).into_owned()),
            statements: self.statements.load(Ordering::Relaxed),
            in_transaction: activity.in_transaction,
        }
    }
}
