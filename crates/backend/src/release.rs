//! What becomes of a connection that somebody let go of.
//!
//! The tasks spawned here keep the connection's slot until they are done, so there are never more of them than the
//! pool has slots, and each ends within [`Timing::cleanup`](crate::Timing::cleanup).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serval_remote::Interrupt;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use crate::command::Command;
use crate::difference;
use crate::error::LinkError;
use crate::handshake;
use crate::link::{Link, Phase};
use crate::server::Server;

/// ER_NO_SUCH_THREAD: what had to be killed is already gone.
const NO_SUCH_THREAD: u16 = 1094;

/// Pools the link if it is idle and clean, rolls it back first if it is in a transaction, and closes it and kills its
/// statement if it is in the middle of one.
pub(crate) fn release(server: &Arc<Server>, link: Box<Link>, slot: OwnedSemaphorePermit) {
    match link.phase {
        Phase::Busy { .. } | Phase::File { .. } => {
            let thread_id = link.thread_id;
            // The socket closes before the KILL is sent, so that the killed session has nobody to write to.
            drop(link);
            server.spawn(kill(Arc::clone(server), thread_id, slot));
        }
        Phase::Broken => {}
        Phase::Idle | Phase::Refused(_) if link.is_clean() => park(server, link),
        Phase::Idle | Phase::Refused(_) => server.spawn(roll_back(Arc::clone(server), link, slot)),
    }
}

/// Puts a clean link back, or closes it if it has served its time.
fn park(server: &Server, mut link: Box<Link>) {
    link.phase = Phase::Idle;
    let now = Instant::now();
    let spent = link.retire
        || server.retired.is_cancelled()
        || link.age(now) > server.timing.age
        || !difference::is_reversible(&link.state);
    if spent {
        link.quit();
    } else {
        server.pool.put(link, now);
    }
}

async fn roll_back(server: Arc<Server>, mut link: Box<Link>, slot: OwnedSemaphorePermit) {
    let rolled_back =
        tokio::time::timeout(server.timing.cleanup, link.order(Command::Query, b"ROLLBACK")).await;
    match rolled_back {
        Ok(Ok(())) if !link.in_transaction() => park(&server, link),
        // Closing rolls back as well.
        Ok(Ok(())) => link.quit(),
        Ok(Err(error)) => debug!(server = server.name, %error, "ROLLBACK of an abandoned transaction failed"),
        Err(_) => debug!(server = server.name, "ROLLBACK of an abandoned transaction got no answer"),
    }
    drop(slot);
}

async fn kill(server: Arc<Server>, thread_id: u32, slot: OwnedSemaphorePermit) {
    if server.health.is_down() {
        // After a restart the number may be somebody else's.
        return;
    }
    let killed = tokio::time::timeout(server.timing.cleanup, async {
        // Never refused: the semaphore is not closed.
        let _turn = server.killers.acquire().await;
        let mut link = handshake::connect(&server.login, server.connect_limit()).await?;
        let answer = link.order(Command::Query, format!("KILL {thread_id}").as_bytes()).await;
        link.quit();
        answer
    });
    match killed.await.unwrap_or(Err(LinkError::TimedOut)) {
        Ok(()) => server.counters.killed.add(1),
        Err(LinkError::Server(error)) if error.number == NO_SUCH_THREAD => {}
        Err(error) => {
            debug!(server = server.name, thread_id, %error, "an abandoned statement was not killed")
        }
    }
    drop(slot);
}

impl Interrupt for Server {
    fn interrupt(
        self: Arc<Self>,
        thread_id: u32,
        runs: Arc<AtomicBool>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let told = tokio::time::timeout(self.timing.cleanup, async {
                // Never refused: the semaphore is not closed.
                let _turn = self.killers.acquire().await;
                let mut link = handshake::connect(&self.login, self.connect_limit()).await?;
                let answer = match runs.load(Ordering::Acquire) {
                    true => link.order(Command::Query, format!("KILL QUERY {thread_id}").as_bytes()).await,
                    false => Ok(()),
                };
                link.quit();
                answer
            });
            match told.await.unwrap_or(Err(LinkError::TimedOut)) {
                Ok(()) => {}
                Err(LinkError::Server(error)) if error.number == NO_SUCH_THREAD => {}
                Err(error) => {
                    debug!(server = self.name, thread_id, %error, "a statement was not interrupted")
                }
            }
        })
    }
}
