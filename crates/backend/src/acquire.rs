//! How a connection to a server is come by: a place in its pool first, then an idle link or a new one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_remote::{RemoteError, SessionState};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use crate::command::Command;
use crate::connection::ServerConnection;
use crate::error::LinkError;
use crate::handshake;
use crate::health::Health;
use crate::link::Link;
use crate::server::Server;
use crate::statements::Statements;

impl Server {
    /// One connection, by `deadline`.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<ServerConnection, RemoteError> {
        let slot = self.slots(1, deadline).await?;
        let link = self.link(self.pool.take(state), state, deadline).await?;
        Ok(ServerConnection::new(Arc::clone(self), link, slot))
    }

    /// Several connections, all or none; those that have to be made are made side by side.
    pub(crate) async fn acquire_many(
        self: &Arc<Self>,
        count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<ServerConnection>, RemoteError> {
        let mut slots = self.slots(count, deadline).await?;
        let mut connections = Vec::with_capacity(count);
        let mut connecting = JoinSet::new();
        while let Some(slot) = slots.split(1) {
            let server = Arc::clone(self);
            let mut candidate = self.pool.take(state);
            let warm = candidate.as_mut().is_some_and(|(link, idle)| self.is_warm(link, *idle));
            match candidate {
                Some((link, _)) if warm => {
                    connections.push(ServerConnection::new(server, link, slot));
                }
                candidate => {
                    let state = state.clone();
                    connecting.spawn(async move {
                        let link = server.link(candidate, &state, deadline).await?;
                        Ok(ServerConnection::new(server, link, slot))
                    });
                }
            }
        }
        while let Some(connected) = connecting.join_next().await {
            connections.push(connected.map_err(|error| self.unavailable(error.to_string()))??);
        }
        Ok(connections)
    }

    /// Waits for room, but neither past the deadline nor for a server that is down.
    async fn slots(&self, count: usize, deadline: Instant) -> Result<OwnedSemaphorePermit, RemoteError> {
        if let Some(reason) = self.health.is_down().then(|| self.health.down_reason()).flatten() {
            return Err(self.unavailable(reason));
        }
        let wanted = u32::try_from(count).unwrap_or(u32::MAX);
        if let Ok(slots) = Arc::clone(&self.pool.slots).try_acquire_many_owned(wanted) {
            return Ok(slots);
        }
        if count > self.pool.size() {
            return Err(self.exhausted());
        }
        tokio::select! {
            slots = Arc::clone(&self.pool.slots).acquire_many_owned(wanted) => slots.map_err(|_| self.exhausted()),
            () = self.health.wait_down() => {
                Err(self.unavailable(self.health.down_reason().unwrap_or_default()))
            }
            () = tokio::time::sleep_until(deadline.into()) => Err(self.exhausted()),
        }
    }

    /// The candidate from the pool if it is alive, or another one, or a new one.
    async fn link(
        &self,
        mut candidate: Option<(Box<Link>, Duration)>,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Box<Link>, RemoteError> {
        while let Some((mut link, idle)) = candidate {
            if self.is_warm(&mut link, idle)
                || (link.is_quiet() && self.answers_ping(&mut link, deadline).await)
            {
                return Ok(link);
            }
            candidate = self.pool.take(state);
        }
        Box::pin(self.connect(deadline)).await
    }

    /// Whether a pooled link is surely alive, as far as one can tell without asking the server.
    fn is_warm(&self, link: &mut Link, idle: Duration) -> bool {
        idle < self.timing.ping_after && link.is_quiet()
    }

    async fn answers_ping(&self, link: &mut Link, deadline: Instant) -> bool {
        let limit = deadline.min(Instant::now() + self.timing.ping);
        let pinged = tokio::time::timeout_at(limit.into(), link.order(Command::Ping, b"")).await;
        if pinged.is_err() {
            // The network has most likely forgotten the other idle ones as well; asking each would take as long again.
            self.pool.clear();
            self.doubt.notify_one();
        }
        matches!(pinged, Ok(Ok(())))
    }

    /// A new link, with autocommit on, whatever the server's configuration says.
    async fn log_in(&self, limit: Duration) -> Result<Link, LinkError> {
        let mut link = handshake::connect(&self.login, limit).await?;
        link.statements = Statements::new(self.timing.prepared_statements);
        if !link.is_clean() {
            let set = link.order(Command::Query, b"SET autocommit=1");
            tokio::time::timeout(limit, set).await.unwrap_or(Err(LinkError::TimedOut))?;
        }
        Ok(link)
    }

    async fn connect(&self, deadline: Instant) -> Result<Box<Link>, RemoteError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = self.connect_limit();
        match self.log_in(left.min(limit)).await {
            Ok(link) => {
                self.counters.opened.add(1);
                self.note_version(&link.version);
                Ok(Box::new(link))
            }
            Err(error) => {
                self.counters.lost.add(1);
                let hurried = matches!(error, LinkError::TimedOut) && left < limit;
                if !hurried && error.speaks_of_server() {
                    self.set_health(Health::Down { error: error.to_string() });
                }
                Err(self.unavailable(error.to_string()))
            }
        }
    }

    fn unavailable(&self, reason: String) -> RemoteError {
        RemoteError::Unavailable {
            group: self.group.clone(),
            reason: format!("server {}: {reason}", self.name),
        }
    }

    fn exhausted(&self) -> RemoteError {
        RemoteError::Exhausted { group: self.group.clone() }
    }
}
