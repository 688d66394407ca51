//! A connection on its way between a session and its server's pool.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serval_remote::{Burst, Connection, RemoteError, Request, SessionState};
use serval_types::GroupId;
use serval_wire::response::{CompletionKind, Prepared};

use super::{Caught, describe};
use crate::pins::{PinReason, Returned};
use crate::running::Run;

/// How many connections are kept for their warnings; a scatter over more shows those of the first ones.
const MOST_KEPT: usize = 8;

/// A connection that remembers whether its last statement left warnings, and that knows its pin.
pub(crate) struct WatchedConnection<C: Connection> {
    /// Present until it is dropped. Nobody ever waits for the lock: it only makes a connection that need not be
    /// `Sync` fit for futures that hold a reference to it.
    pub(super) connection: Mutex<Option<C>>,
    pub(super) server_name: OnceLock<Box<str>>,
    pub(super) warned: bool,
    /// The last answer has been read to its end.
    pub(super) idle: bool,
    pub(super) group: GroupId,
    pub(super) number: u64,
    /// START TRANSACTION would give up the locks of LOCK TABLES, so this transaction is one of `autocommit=0`.
    pub(super) locked_transaction: bool,
    /// It is a pin's.
    pub(super) kept: bool,
    /// While a statement runs that is interrupted rather than given up.
    pub(super) run: Option<Run>,
    pub(super) caught: Arc<Caught<C>>,
}

/// Why the connection can be taken for present.
const PRESENT: &str = "the connection is there until it is dropped";

impl<C: Connection> WatchedConnection<C> {
    fn read<T>(&self, look: impl FnOnce(&C) -> T) -> T {
        look(self.connection.lock().as_ref().expect(PRESENT))
    }

    fn get_mut(&mut self) -> &mut C {
        self.connection.get_mut().as_mut().expect(PRESENT)
    }

    /// Nobody asks for the warnings of its last statement any more.
    pub(crate) fn forget_warnings(&mut self) {
        self.warned = false;
    }

    fn begin(&mut self) {
        self.warned = false;
        self.idle = false;
    }

    /// Notes a statement whose connection is worth more than its answer.
    fn note_run(&mut self, begins: bool) {
        let running = &self.caught.running;
        if !(self.kept || running.in_transaction() && (begins || self.in_transaction())) {
            return;
        }
        let server =
            self.read(|connection| connection.interrupt().map(|server| (server, connection.thread_id())));
        self.run = server.map(|(server, thread_id)| running.note(server, thread_id));
    }

    /// What an error means for the connection: where it was a kept one, more is lost than an answer.
    fn failed(&mut self, error: RemoteError) -> RemoteError {
        let sent = match &error {
            // What had to precede the statement was refused; the connection is as good as before.
            RemoteError::Refused(_) => {
                self.idle = true;
                return error;
            }
            error => !error.not_sent(),
        };
        let lost = self.caught.pins.lock().broke(self.group, self.number);
        let Some(lost) = lost else { return error };
        tracing::info!(session = self.caught.entry.id.0, group = %self.group, %error, "a pinned connection was lost");
        self.caught.publish();
        RemoteError::SessionLost { lost: describe(&lost), sent }
    }
}

/// The state of a transaction under LOCK TABLES. Going back to autocommit in the middle of it would commit.
fn locked_state(request: &Request<'_>) -> SessionState {
    request.state.with("autocommit", "0")
}

impl<C: Connection> Connection for WatchedConnection<C> {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        self.begin();
        if request.begin.is_some() {
            let pins = self.caught.pins.lock();
            self.locked_transaction = pins.holds_for(self.group, PinReason::LockTables);
        }
        let sent = if self.locked_transaction {
            let state = locked_state(request);
            let request = Request { begin: request.begin.and(Some("DO 0")), state: &state, ..*request };
            self.get_mut().send(&request).await
        } else {
            self.get_mut().send(request).await
        };
        self.note_run(request.begin.is_some());
        sent.map_err(|error| self.failed(error))
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        let burst = self.get_mut().read_burst().await;
        let burst = burst.map_err(|error| self.failed(error))?;
        if let Some(completion) = &burst.completion {
            self.run = None;
            self.warned = completion.warnings > 0;
            self.idle = completion.kind != CompletionKind::LocalInfile;
        }
        Ok(burst)
    }

    async fn prepare(&mut self, request: &Request<'_>) -> Result<Prepared, RemoteError> {
        self.begin();
        let prepared = if self.locked_transaction {
            let state = locked_state(request);
            self.get_mut().prepare(&Request { state: &state, ..*request }).await
        } else {
            self.get_mut().prepare(request).await
        };
        let prepared = prepared.map_err(|error| self.failed(error))?;
        self.idle = true;
        Ok(prepared)
    }

    async fn send_file(&mut self, bytes: &[u8]) -> Result<(), RemoteError> {
        let sent = self.get_mut().send_file(bytes).await;
        sent.map_err(|error| self.failed(error))
    }

    fn in_transaction(&self) -> bool {
        self.read(C::in_transaction)
    }

    fn begins_branch(&mut self) -> bool {
        self.get_mut().begins_branch()
    }

    fn spoil(&mut self) {
        self.get_mut().spoil();
    }

    fn thread_id(&self) -> u32 {
        self.read(C::thread_id)
    }

    fn server_name(&self) -> &str {
        self.server_name.get_or_init(|| self.read(|connection| connection.server_name().into()))
    }

    fn is_mariadb(&self) -> bool {
        self.read(Connection::is_mariadb)
    }
}

impl<C: Connection> Drop for WatchedConnection<C> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.get_mut().take() else { return };
        let (group, number, warned) = (self.group, self.number, self.warned);
        let is_idle = self.idle && !connection.in_transaction();
        let returned = Returned { group, number, connection, is_idle, warned };
        let returned = self.caught.pins.lock().come_back(returned);
        let Some(connection) = returned.filter(|_| warned && is_idle) else { return };
        let mut kept = self.caught.warned.lock();
        if kept.len() < MOST_KEPT {
            kept.push((group, connection));
        }
    }
}
