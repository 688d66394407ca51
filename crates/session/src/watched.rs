//! The servers as one session uses them: a connection whose statement left warnings is kept until they are fetched.
//!
//! Warnings live on the connection that ran the statement, and a connection goes back to its pool when the statement
//! is done. A session therefore works over this wrapper, which catches such a connection on its way back.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;
use serval_remote::{Access, Backend, Burst, Connection, RemoteError, Request, SessionState};
use serval_types::GroupId;
use serval_wire::response::Prepared;

/// How many connections are kept for their warnings; a scatter over more shows those of the first ones.
const MOST_KEPT: usize = 8;

/// Connections that were caught.
type Kept<C> = Arc<Mutex<Vec<C>>>;

/// The servers, watched.
pub(crate) struct Watched<B: Backend> {
    servers: Arc<B>,
    kept: Kept<B::Connection>,
}

/// A connection that remembers whether its last statement left warnings.
pub(crate) struct WatchedConnection<C: Connection> {
    /// Present until it is dropped. Nobody ever waits for the lock: it only makes a connection that need not be
    /// `Sync` fit for futures that hold a reference to it.
    connection: Mutex<Option<C>>,
    server_name: OnceLock<Box<str>>,
    warned: bool,
    kept: Kept<C>,
}

/// Why the connection can be taken for present.
const PRESENT: &str = "the connection is there until it is dropped";

impl<B: Backend> Watched<B> {
    /// Watches `servers` for one session.
    pub(crate) fn new(servers: Arc<B>) -> Self {
        Self { servers, kept: Arc::default() }
    }

    /// The connections caught since the last call.
    pub(crate) fn take_kept(&self) -> Vec<B::Connection> {
        std::mem::take(&mut *self.kept.lock())
    }

    fn watch(&self, connection: B::Connection) -> WatchedConnection<B::Connection> {
        WatchedConnection {
            connection: Mutex::new(Some(connection)),
            server_name: OnceLock::new(),
            warned: false,
            kept: Arc::clone(&self.kept),
        }
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
        let connection = self.servers.acquire(group, access, state, deadline).await?;
        Ok(self.watch(connection))
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<Self::Connection>, RemoteError> {
        let connections = self.servers.acquire_many(group, access, count, state, deadline).await?;
        Ok(connections.into_iter().map(|connection| self.watch(connection)).collect())
    }

    fn fan_out(&self, group: GroupId) -> usize {
        self.servers.fan_out(group)
    }
}

impl<C: Connection> WatchedConnection<C> {
    fn read<T>(&self, look: impl FnOnce(&C) -> T) -> T {
        look(self.connection.lock().as_ref().expect(PRESENT))
    }

    fn get_mut(&mut self) -> &mut C {
        self.connection.get_mut().as_mut().expect(PRESENT)
    }
}

impl<C: Connection> Connection for WatchedConnection<C> {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        self.warned = false;
        self.get_mut().send(request).await
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        let burst = self.get_mut().read_burst().await?;
        if let Some(completion) = &burst.completion {
            self.warned = completion.warnings > 0;
        }
        Ok(burst)
    }

    async fn prepare(&mut self, request: &Request<'_>) -> Result<Prepared, RemoteError> {
        self.warned = false;
        self.get_mut().prepare(request).await
    }

    fn in_transaction(&self) -> bool {
        self.read(C::in_transaction)
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
        let connection =
            self.connection.get_mut().take().filter(|connection| self.warned && !connection.in_transaction());
        if let Some(connection) = connection {
            let mut kept = self.kept.lock();
            if kept.len() < MOST_KEPT {
                kept.push(connection);
            }
        }
    }
}
