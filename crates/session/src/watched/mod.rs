//! The servers as one session uses them: connections that must not go back to their pools between its statements are
//! caught on their way.
//!
//! Two things keep a connection. Warnings live on the connection that ran the statement, so it is kept until they are
//! fetched. And what lives in a server's session, temporary tables for example, [pins](crate::pins) it for as long as
//! it lives. A session therefore works over this wrapper, and nothing above it knows the difference.

mod attempt;
mod connection;

pub(crate) use attempt::Attempt;
pub(crate) use connection::WatchedConnection;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use serval_remote::{Access, Backend, Connection, RemoteError, SessionState};
use serval_types::{GroupId, MysqlError};

use crate::pins::{Lost, NEVER_KEPT, Offer, PinReason, Pins};
use crate::registry::Entry;
use crate::running::Running;

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

    /// Gives back the connections whose warnings nobody asks for: the client was told of none.
    pub(crate) fn forget_warned(&self) {
        let mut warned = self.caught.warned.lock();
        if warned.is_empty() {
            return;
        }
        let forgotten = std::mem::take(&mut *warned);
        drop(warned);
        drop(forgotten);
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
