//! A pooled connection in somebody's hands: [`ServerConnection`].

use std::sync::Arc;

use serval_remote::{Burst, Connection, Execution, Interrupt, RemoteError, Request};
use serval_wire::response::Prepared;
use tokio::sync::OwnedSemaphorePermit;

use crate::command::{self, Command};
use crate::error::LinkError;
use crate::link::{Link, Phase};
use crate::preamble::{self, Step};
use crate::release::release;
use crate::server::Server;
use crate::statements::Statement;

/// A connection to one server, with its place in that server's pool.
///
/// Its first statement may still trade the socket for another idle one that is in the statement's database already, so
/// [`Connection::thread_id`] is final only after the first [`Connection::send`].
///
/// # Pipelining
/// What a statement needs first (COM_INIT_DB, SET, BEGIN) shares a write with it if this server has accepted the very
/// same before; otherwise the answer is waited for, because a server runs a statement also after a failed preamble.
/// If something accepted before is refused after all, the connection is closed and the statement reported as
/// [`RemoteError::Lost`] with `sent: true`. Nothing of a transaction stays then, so inside one a write may follow its
/// database unseen. It may follow an XA START for the same reason: that is sent with autocommit off.
///
/// # Prepared statements
/// A statement with an [`Execution`] is prepared when this connection does not have it prepared already, which costs a
/// round trip, and then executed. One that the server has forgotten meanwhile is prepared again, once, and nobody
/// hears of it. What is no longer used is closed along with a later statement.
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

    /// What the server refused instead of running the statement.
    fn refusal(&mut self) -> RemoteError {
        match self.link.as_mut().and_then(|link| link.take_refusal()) {
            Some(error) => RemoteError::Refused(error),
            None => self.lost(false, "it has no statement in progress"),
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
        if matches!(link.phase, Phase::Busy { .. }) {
            match link.next_burst(&self.server.accepted).await {
                Ok(Some(burst)) => {
                    self.server.count(&burst);
                    return Ok(burst);
                }
                Ok(None) => {}
                Err(error) => return Err(self.give_up(error, true)),
            }
        }
        Err(self.refusal())
    }

    async fn prepare(&mut self, request: &Request<'_>) -> Result<Prepared, RemoteError> {
        self.settle(request);
        let Some(link) = self.link.as_mut().filter(|link| matches!(link.phase, Phase::Idle)) else {
            return Err(self.lost(false, "it is not idle"));
        };
        match prepare(link, &self.server, request).await {
            Ok(Some(prepared)) => Ok(prepared),
            Ok(None) => Err(self.refusal()),
            Err(error) => Err(self.give_up(error, false)),
        }
    }

    async fn send_file(&mut self, bytes: &[u8]) -> Result<(), RemoteError> {
        let Some(link) = self.link.as_mut() else {
            return Err(self.lost(true, "it is closed"));
        };
        match link.send_file(bytes).await {
            Ok(()) => {
                self.server.counters.bytes_out.add(bytes.len() as u64);
                Ok(())
            }
            Err(error) => Err(self.give_up(error, true)),
        }
    }

    fn in_transaction(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.in_transaction())
    }

    fn begins_branch(&mut self) -> bool {
        // The branch is named after this link, so it is traded before and not with the statement.
        if std::mem::replace(&mut self.fresh, false)
            && let Some(link) = &mut self.link
            && !link.manual
        {
            self.server.pool.trade_for_manual(link, self.server.timing.ping_after);
        }
        self.server.accepted.has_begin(preamble::XA_START)
    }

    fn spoil(&mut self) {
        if let Some(link) = &mut self.link {
            link.retire = true;
        }
    }

    fn thread_id(&self) -> u32 {
        self.link.as_ref().map_or(0, |link| link.thread_id)
    }

    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        let server: Arc<dyn Interrupt> = self.server.clone();
        Some(server)
    }

    fn server_name(&self) -> &str {
        &self.server.name
    }

    fn is_mariadb(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.version.mariadb)
    }
}

impl Drop for ServerConnection {
    fn drop(&mut self) {
        if let (Some(link), Some(slot)) = (self.link.take(), self.slot.take()) {
            release(&self.server, link, slot);
        }
    }
}

/// Sends a statement, unless the server refuses what it needs first, which the caller hears when it reads.
async fn send(link: &mut Link, server: &Server, request: &Request<'_>) -> Result<(), LinkError> {
    let Some(together) = take_steps(link, server, request).await? else { return Ok(()) };
    match &request.execution {
        Some(execution) => send_execution(link, server, request, execution, together).await,
        None => {
            together.iter().for_each(|step| step.put(&mut link.output));
            let first = command::put(&mut link.output, Command::Query, request.sql);
            write(link, server, Phase::awaiting(together, first)).await
        }
    }
}

async fn send_execution(
    link: &mut Link,
    server: &Server,
    request: &Request<'_>,
    execution: &Execution<'_>,
    mut together: Vec<Step>,
) -> Result<(), LinkError> {
    link.select(request);
    let statement = match link.statements.find() {
        Some(statement) => statement,
        None => match link.prepare(std::mem::take(&mut together), &server.accepted).await? {
            Some(prepared) => Statement::of(&prepared.ok),
            None => return Ok(()),
        },
    };
    if let Err(error) = link.encode_execution(statement, execution) {
        link.phase = Phase::Refused(error.to_mysql());
        return Ok(());
    }
    together.iter().for_each(|step| step.put(&mut link.output));
    let first = link.put_execution();
    write(link, server, Phase::executing(together, first)).await
}

async fn write(link: &mut Link, server: &Server, phase: Phase) -> Result<(), LinkError> {
    server.counters.queries.add(1);
    server.counters.bytes_out.add(link.output.len() as u64);
    link.phase = phase;
    link.flush().await
}

/// Prepares a statement whether it is prepared or not: its tables may have changed, and the client wants to know the
/// columns as they are now.
async fn prepare(
    link: &mut Link,
    server: &Server,
    request: &Request<'_>,
) -> Result<Option<Prepared>, LinkError> {
    let Some(together) = take_steps(link, server, request).await? else { return Ok(None) };
    link.select(request);
    link.prepare(together, &server.accepted).await
}

/// Sends the preambles that cannot share a write with the statement, and gives back those that can. `None` if the
/// server refused one.
async fn take_steps(
    link: &mut Link,
    server: &Server,
    request: &Request<'_>,
) -> Result<Option<Vec<Step>>, LinkError> {
    let mut steps = Step::all(link, &server.accepted, request);
    let undone = link.in_transaction() || request.begin.is_some();
    let waits = |step: &Step| !step.may_pipeline(&server.accepted, request.sql, undone);
    let alone = steps.iter().rposition(waits).map_or(0, |last| last + 1);
    let together = steps.split_off(alone);
    for step in steps {
        if !take_step(link, server, step).await? {
            return Ok(None);
        }
    }
    Ok(Some(together))
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
            link.phase = Phase::Refused(error.to_mysql());
            Ok(false)
        }
    }
}
