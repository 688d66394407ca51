//! The servers as one session uses them: connections that must not go back to their pools between its statements are
//! caught on their way.
//!
//! Two things keep a connection. Warnings live on the connection that ran the statement, so it is kept until they are
//! fetched. And what lives in a server's session, temporary tables for example, [pins](crate::pins) it for as long as
//! it lives. A session therefore works over this wrapper, and nothing above it knows the difference.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use serval_remote::{Access, Backend, Burst, Connection, RemoteError, Request, SessionState};
use serval_types::{GroupId, MysqlError};
use serval_wire::response::{CompletionKind, Prepared};

use crate::pins::{Lost, NEVER_KEPT, Offer, PinReason, Pins, Returned};
use crate::registry::Entry;
use crate::running::{Run, Running};

/// How many connections are kept for their warnings; a scatter over more shows those of the first ones.
const MOST_KEPT: usize = 8;

/// The servers, watched.
pub(crate) struct Watched<B: Backend> {
    servers: Arc<B>,
    caught: Arc<Caught<B::Connection>>,
}

/// What a session keeps.
struct Caught<C> {
    /// Connections with warnings, by their groups.
    warned: Mutex<Vec<(GroupId, C)>>,
    pins: Mutex<Pins<C>>,
    /// Where others see what is pinned.
    entry: Arc<Entry>,
    running: Arc<Running>,
}

/// Something that pins connections and may fail half-way, by an error or by being given up.
pub(crate) struct Attempt<C: Connection> {
    reason: PinReason,
    caught: Arc<Caught<C>>,
    succeeded: bool,
}

impl<C: Connection> Attempt<C> {
    /// A server has refused it, which leaves the connection as it was: what else is pinned there stays.
    pub(crate) fn refused(mut self, group: GroupId) {
        self.succeeded = true;
        self.caught.pins.lock().refused(group, self.reason);
        self.caught.publish();
    }

    /// The pins are to stay.
    pub(crate) fn succeed(mut self) {
        self.succeeded = true;
        self.caught.pins.lock().succeeded(self.reason);
    }
}

impl<C: Connection> Drop for Attempt<C> {
    fn drop(&mut self) {
        if !self.succeeded {
            self.caught.pins.lock().abandon(self.reason);
            self.caught.publish();
        }
    }
}

/// A connection that remembers whether its last statement left warnings, and that knows its pin.
pub(crate) struct WatchedConnection<C: Connection> {
    /// Present until it is dropped. Nobody ever waits for the lock: it only makes a connection that need not be
    /// `Sync` fit for futures that hold a reference to it.
    connection: Mutex<Option<C>>,
    server_name: OnceLock<Box<str>>,
    warned: bool,
    /// The last answer has been read to its end.
    idle: bool,
    group: GroupId,
    number: u64,
    /// START TRANSACTION would give up the locks of LOCK TABLES, so this transaction is one of `autocommit=0`.
    locked_transaction: bool,
    /// It is a pin's.
    kept: bool,
    /// While a statement runs that is interrupted rather than given up.
    run: Option<Run>,
    caught: Arc<Caught<C>>,
}

/// Why the connection can be taken for present.
const PRESENT: &str = "the connection is there until it is dropped";

impl<B: Backend> Watched<B> {
    /// Watches `servers` for the session of `entry`.
    pub(crate) fn new(servers: Arc<B>, entry: Arc<Entry>) -> Self {
        let (pins, running) = (Mutex::new(Pins::new()), Arc::default());
        let caught = Caught { warned: Mutex::default(), pins, entry, running };
        Self { servers, caught: Arc::new(caught) }
    }

    /// Keeps one connection of `group`, on its primary, for all statements of this session. One that the session's
    /// transaction has already becomes the kept one; otherwise the next that is taken does.
    pub(crate) fn pin(&self, group: GroupId, reason: PinReason) {
        self.caught.pins.lock().pin(group, reason);
        self.caught.publish();
    }

    /// [`Watched::pin`] for something that may not come about: unless the attempt is said to have succeeded, the
    /// connections that were pinned for this reason are closed.
    pub(crate) fn attempt(&self, reason: PinReason) -> Attempt<B::Connection> {
        Attempt { reason, caught: Arc::clone(&self.caught), succeeded: false }
    }

    /// What of the session's statements can be interrupted.
    pub(crate) fn running(&self) -> &Arc<Running> {
        &self.caught.running
    }

    /// Whether `group` is pinned for this reason.
    pub(crate) fn is_pinned_for(&self, group: GroupId, reason: PinReason) -> bool {
        self.caught.pins.lock().holds_for(group, reason)
    }

    /// Takes a reason away. With the last one the connection goes back to its pool, or is closed where the reasons
    /// leave the server's session changed.
    pub(crate) fn unpin(&self, group: GroupId, reason: PinReason) {
        self.caught.pins.lock().unpin(group, reason);
        self.caught.publish();
    }

    /// Whether `group` is pinned.
    pub(crate) fn is_pinned(&self, group: GroupId) -> bool {
        self.caught.pins.lock().holds(group)
    }

    /// Closes all pinned connections, those too that a transaction or a statement still holds: they close when they
    /// come back.
    pub(crate) fn drop_pins(&self) {
        self.caught.pins.lock().clear();
        self.caught.publish();
    }

    /// What was lost with its connection since the last call. The client has been told of it.
    pub(crate) fn take_lost_pins(&self) -> Lost {
        self.caught.pins.lock().take_lost()
    }

    /// The connections whose warnings have not been fetched yet.
    pub(crate) fn take_warned(&self) -> Vec<WatchedConnection<B::Connection>> {
        let others = std::mem::take(&mut *self.caught.warned.lock());
        let pinned = self.caught.pins.lock().take_warned();
        let others = others.into_iter().map(|(group, connection)| (group, connection, NEVER_KEPT));
        let all = pinned.into_iter().chain(others);
        all.map(|(group, connection, number)| self.watch(connection, group, number)).collect()
    }

    fn watch(
        &self,
        connection: B::Connection,
        group: GroupId,
        number: u64,
    ) -> WatchedConnection<B::Connection> {
        WatchedConnection {
            connection: Mutex::new(Some(connection)),
            server_name: OnceLock::new(),
            warned: false,
            idle: true,
            group,
            number,
            locked_transaction: false,
            kept: false,
            run: None,
            caught: Arc::clone(&self.caught),
        }
    }

    fn fresh(
        &self,
        connection: B::Connection,
        group: GroupId,
        access: Access,
    ) -> WatchedConnection<B::Connection> {
        let number = match access {
            Access::Primary => self.caught.pins.lock().number(),
            Access::Replica => NEVER_KEPT,
        };
        self.watch(connection, group, number)
    }
}

impl<B: Backend> Drop for Watched<B> {
    fn drop(&mut self) {
        // The session ends, and connections that its transaction still has must not be pooled either.
        self.caught.pins.lock().clear();
    }
}

impl<B: Backend> Backend for Watched<B> {
    type Connection = WatchedConnection<B::Connection>;

    async fn acquire(
        &self,
        group: GroupId,
        access: Access,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Self::Connection, RemoteError> {
        let offer = self.caught.pins.lock().offer(group);
        match offer {
            Offer::Unpinned => {
                let connection = self.servers.acquire(group, access, state, deadline).await?;
                Ok(self.fresh(connection, group, access))
            }
            Offer::Kept(connection, number) => {
                let mut connection = self.watch(connection, group, number);
                connection.kept = true;
                Ok(connection)
            }
            Offer::Open => {
                let connection = self.servers.acquire(group, Access::Primary, state, deadline).await?;
                let mut connection = self.fresh(connection, group, Access::Primary);
                connection.kept = true;
                self.caught.pins.lock().went(group, connection.number);
                Ok(connection)
            }
            Offer::Busy => Err(RemoteError::Refused(MysqlError::refused(
                "The statement needs two connections to one group, and this session has one of its own there (SHOW \
                 PROCESSLIST says why); split the statement",
            ))),
            Offer::Lost(lost) => {
                self.caught.publish();
                Err(RemoteError::SessionLost { lost: describe(&lost), sent: false })
            }
        }
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<Self::Connection>, RemoteError> {
        if self.is_pinned(group) {
            return Ok(vec![self.acquire(group, access, state, deadline).await?]);
        }
        let connections = self.servers.acquire_many(group, access, count, state, deadline).await?;
        Ok(connections.into_iter().map(|connection| self.fresh(connection, group, access)).collect())
    }

    fn is_available(&self, group: GroupId, access: Access) -> bool {
        self.servers.is_available(group, access)
    }

    fn allows_xa(&self) -> bool {
        self.caught.pins.lock().list().iter().all(|(_, reason)| *reason != PinReason::LockTables)
    }

    fn fan_out(&self, group: GroupId) -> usize {
        if self.is_pinned(group) { 1 } else { self.servers.fan_out(group) }
    }
}

/// What was lost, in words.
fn describe(lost: &Lost) -> String {
    let mut words: Vec<&str> = lost.iter().map(|(_, reason)| reason.lost()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}

impl<C: Connection> Caught<C> {
    fn publish(&self) {
        self.entry.set_pins(self.pins.lock().list());
    }
}

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
