//! A pooled connection in somebody's hands: [`ServerConnection`].

use std::sync::Arc;

use serval_remote::{Burst, Connection, RemoteError, Request};
use tokio::sync::OwnedSemaphorePermit;

use crate::command::{self, Command};
use crate::error::LinkError;
use crate::link::{Link, Phase};
use crate::preamble::Step;
use crate::release::release;
use crate::server::Server;

/// A connection to one server, with its place in that server's pool.
///
/// Its first statement may still trade the socket for another idle one that is in the statement's database already, so
/// [`Connection::thread_id`] is final only after the first [`Connection::send`].
///
/// # Pipelining
/// What a statement needs first (COM_INIT_DB, SET, BEGIN) shares a write with it if this server has accepted the very
/// same before; otherwise the answer is waited for, because a server runs a statement also after a failed preamble.
/// If something accepted before is refused after all, the connection is closed and the statement reported as
/// [`RemoteError::Lost`] with `sent: true`.
#[derive(Debug)]
pub struct ServerConnection {
    /// Present until dropped.
    link: Option<Box<Link>>,
    /// Present until dropped.
    slot: Option<OwnedSemaphorePermit>,
    server: Arc<Server>,
    /// Nothing has been sent since the pool handed it out, so it is as good as any other connection.
    fresh: bool,
}

impl ServerConnection {
    pub(crate) fn new(server: Arc<Server>, link: Box<Link>, slot: OwnedSemaphorePermit) -> Self {
        Self { link: Some(link), slot: Some(slot), server, fresh: true }
    }

    /// Has the connection closed when it is dropped, instead of pooled: its session holds what cannot be taken back,
    /// temporary tables or named locks.
    pub fn discard(&mut self) {
        if let Some(link) = &mut self.link {
            link.retire = true;
        }
    }

    fn lost(&self, sent: bool, reason: impl Into<String>) -> RemoteError {
        RemoteError::Lost {
            group: self.server.group.clone(),
            server: self.server.name.clone(),
            sent,
            reason: reason.into(),
        }
    }

    /// Turns a failure of the link into what the caller has to know, and gives the link up.
    fn give_up(&mut self, error: LinkError, sent: bool) -> RemoteError {
        if let Some(link) = &mut self.link {
            link.phase = Phase::Broken;
        }
        self.server.connection_lost();
        match error {
            LinkError::Wire(source) => RemoteError::Wire { group: self.server.group.clone(), source },
            LinkError::Server(error) => {
                self.lost(sent, format!("refused what it had accepted before: {error}"))
            }
            error => self.lost(sent, error.to_string()),
        }
    }

    /// Until the first statement any idle connection will do, so one that is in the right database already is taken
    /// instead; [`Backend::acquire`](serval_remote::Backend::acquire) could not know the database.
    fn settle(&mut self, request: &Request<'_>) {
        let fresh = std::mem::replace(&mut self.fresh, false);
        if let (true, Some(link), Some(database)) = (fresh, &mut self.link, request.database)
            && link.database.as_deref() != Some(database)
        {
            self.server.pool.trade(link, request.state, database, self.server.timing.ping_after);
        }
    }
}

impl Connection for ServerConnection {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        self.settle(request);
        let Some(link) = self.link.as_mut().filter(|link| matches!(link.phase, Phase::Idle)) else {
            return Err(self.lost(false, "it is not idle"));
        };
        match send(link, &self.server, request).await {
            Ok(()) => Ok(()),
            // The last byte of the statement did not reach the socket, so the server cannot have run it.
            Err(error) => Err(self.give_up(error, false)),
        }
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        let Some(link) = self.link.as_mut() else {
            return Err(self.lost(false, "it is closed"));
        };
        match &link.phase {
            Phase::Busy { .. } => {}
            Phase::Idle | Phase::Broken => return Err(self.lost(false, "it has no statement in progress")),
            Phase::Refused(error) => {
                let error = error.clone();
                link.phase = Phase::Idle;
                return Err(RemoteError::Refused(error));
            }
        }
        match link.next_burst(&self.server.accepted).await {
            Ok(burst) => {
                self.server.count(&burst);
                Ok(burst)
            }
            Err(error) => Err(self.give_up(error, true)),
        }
    }

    fn in_transaction(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.in_transaction())
    }

    fn thread_id(&self) -> u32 {
        self.link.as_ref().map_or(0, |link| link.thread_id)
    }

    fn server_name(&self) -> &str {
        &self.server.name
    }
}

impl Drop for ServerConnection {
    fn drop(&mut self) {
        if let (Some(link), Some(slot)) = (self.link.take(), self.slot.take()) {
            release(&self.server, link, slot);
        }
    }
}

async fn send(link: &mut Link, server: &Server, request: &Request<'_>) -> Result<(), LinkError> {
    let mut steps = Step::all(link, request);
    let waits = |step: &Step| !step.may_pipeline(&server.accepted, request.sql);
    let alone = steps.iter().rposition(waits).map_or(0, |last| last + 1);
    let together = steps.split_off(alone);
    for step in steps {
        if !take_step(link, server, step).await? {
            return Ok(());
        }
    }
    for step in &together {
        step.put(&mut link.output);
    }
    let first = command::put(&mut link.output, Command::Query, request.sql);
    server.counters.queries.add(1);
    server.counters.bytes_out.add(link.output.len() as u64);
    link.phase = Phase::awaiting(together, first);
    link.flush().await
}

/// Sends one preamble alone. False if the server refused it, which the caller hears when it reads.
async fn take_step(link: &mut Link, server: &Server, step: Step) -> Result<bool, LinkError> {
    step.put(&mut link.output);
    match link.run_output().await?.error {
        None => {
            step.done(link, &server.accepted);
            Ok(true)
        }
        Some(error) => {
            step.refused(link);
            link.phase = Phase::Refused(error.to_error());
            Ok(false)
        }
    }
}
