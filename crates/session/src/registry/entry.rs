//! One session, as others see it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serval_catalog::Catalog;
use serval_executor::{Progress, Stand};
use serval_types::{GroupId, MysqlError, SessionId};

use super::signal::{Level, Signal};
use crate::failure::Failure;
use crate::pins::PinReason;
use crate::stream::Transport;

/// How much of a statement's text SHOW PROCESSLIST shows without FULL.
const SHORT_INFO_BYTES: usize = 100;

/// How much of it is ever shown.
const FULL_INFO_BYTES: usize = 64 * 1024;

/// How much of a client's connection attributes is kept, in bytes.
const ATTRIBUTE_BYTES: usize = 2 * 1024;

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
    /// The id of the server's connection that holds its named locks; 0 for none.
    lock_thread: AtomicU32,
    /// The version of the catalog that its open transaction works under; 0 outside transactions.
    catalog: AtomicU64,
    transport: OnceLock<Transport>,
    /// How far its definition is, while one runs.
    definition: Mutex<Option<Arc<Progress>>>,
    pub(super) signal: Signal,
}

#[derive(Debug)]
struct Activity {
    user: String,
    attributes: Vec<(String, String)>,
    schema: Option<String>,
    command: &'static str,
    since: Instant,
    sql: Option<Bytes>,
    /// When the command's latest statement began, where it has several.
    pace: Option<Pace>,
    in_transaction: bool,
    pins: Vec<(GroupId, PinReason)>,
}

/// One of several statements of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Which of all the session's statements it is.
    pub(crate) number: u64,
    /// When it began.
    pub(crate) since: tokio::time::Instant,
    /// Whether it may be given up when its time is over.
    pub(crate) may_end: bool,
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
    /// The groups of which it keeps a connection, and why.
    pub pins: Vec<(GroupId, PinReason)>,
    /// How far its definition is, while one runs on several physical tables.
    pub definition: Option<Stand>,
}

impl Snapshot {
    /// What it does now, as SHOW PROCESSLIST says it: how far its definition is, or else what it keeps.
    #[must_use]
    pub fn state(&self, catalog: &Catalog) -> String {
        self.definition.map_or_else(|| self.pinned(catalog), |stand| stand.to_string())
    }

    /// The connections that the session keeps and why, for example `pinned: g0 (temporary table, named lock)`; empty
    /// where it keeps none.
    #[must_use]
    pub fn pinned(&self, catalog: &Catalog) -> String {
        let mut text = String::new();
        for pins in self.pins.chunk_by(|one, two| one.0 == two.0) {
            let Some((group, _)) = pins.first() else { continue };
            let name = catalog.group_with(*group).map_or("?", |group| &*group.name);
            let reasons: Vec<String> = pins.iter().map(|(_, reason)| reason.to_string()).collect();
            text.push_str(if text.is_empty() { "pinned: " } else { ", " });
            text.push_str(&format!("{name} ({})", reasons.join(", ")));
        }
        text
    }
}

impl Entry {
    pub(super) fn new(id: SessionId, peer: Option<SocketAddr>) -> Self {
        let now = Instant::now();
        let activity = Activity {
            user: "unauthenticated user".to_owned(),
            attributes: Vec::new(),
            schema: None,
            command: "Connect",
            since: now,
            sql: None,
            pace: None,
            in_transaction: false,
            pins: Vec::new(),
        };
        Self {
            id,
            peer,
            since: now,
            statements: AtomicU64::new(0),
            activity: Mutex::new(activity),
            transport: OnceLock::new(),
            lock_thread: AtomicU32::new(0),
            catalog: AtomicU64::new(0),
            definition: Mutex::new(None),
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

    /// Notes what the client says of itself, as much of it as is worth keeping.
    pub(crate) fn set_attributes(&self, attributes: &[(String, String)]) {
        let mut room = ATTRIBUTE_BYTES;
        let kept = attributes.iter().take_while(|(name, value)| {
            let fits = room.checked_sub(name.len() + value.len());
            room = fits.unwrap_or_default();
            fits.is_some()
        });
        self.activity.lock().attributes = kept.cloned().collect();
    }

    /// What the client says of itself, `program_name` for one.
    #[must_use]
    pub fn attributes(&self) -> Vec<(String, String)> {
        self.activity.lock().attributes.clone()
    }

    /// Notes how the client is connected.
    pub(crate) fn set_transport(&self, transport: Transport) {
        // A connection has one handshake, so nobody was first.
        let _ = self.transport.set(transport);
    }

    /// How the client is connected; `None` until its handshake is over.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.transport.get().copied()
    }

    /// Notes the current schema.
    pub fn set_schema(&self, schema: Option<&str>) {
        self.activity.lock().schema = schema.map(str::to_owned);
    }

    /// Notes which connections the session keeps.
    pub(crate) fn set_pins(&self, pins: Vec<(GroupId, PinReason)>) {
        self.activity.lock().pins = pins;
    }

    /// Notes which connection of the server of named locks is the session's; 0 for none.
    pub(crate) fn set_lock_thread(&self, thread: u32) {
        self.lock_thread.store(thread, Ordering::Release);
    }

    /// Notes which version of the catalog an open transaction works under; 0 when it has ended.
    pub(crate) fn set_catalog(&self, version: u64) {
        self.catalog.store(version, Ordering::Release);
    }

    pub(super) fn catalog(&self) -> u64 {
        self.catalog.load(Ordering::Acquire)
    }

    pub(super) fn lock_thread(&self) -> u32 {
        self.lock_thread.load(Ordering::Acquire)
    }

    /// Notes that a definition begins, or that none runs any more.
    pub(crate) fn set_definition(&self, progress: Option<Arc<Progress>>) {
        *self.definition.lock() = progress;
    }

    /// Notes that a command begins, and when it does.
    pub fn begin(&self, command: &'static str, sql: Option<Bytes>) -> Instant {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let mut activity = self.activity.lock();
        activity.command = command;
        activity.since = Instant::now();
        activity.sql = sql;
        activity.pace = None;
        activity.since
    }

    /// Notes that the command's next statement begins; whether it may be given up half-way.
    pub(crate) fn next(&self, sql: Bytes, may_end: bool) {
        let number = self.statements.fetch_add(1, Ordering::Relaxed);
        let mut activity = self.activity.lock();
        activity.since = Instant::now();
        activity.sql = Some(sql);
        activity.pace = Some(Pace { number, since: tokio::time::Instant::now(), may_end });
    }

    /// The statement that runs now, where the command has several and it is not the first.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.activity.lock().pace
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
            pins: activity.pins.clone(),
            definition: self.definition.lock().as_ref().and_then(|progress| progress.stand()),
        }
    }
}
