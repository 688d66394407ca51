//! The one task per server that finds out how it is, by real queries on a connection of its own.

use std::sync::Arc;

use serval_catalog::Role;
use tracing::debug;

use crate::error::LinkError;
use crate::handshake;
use crate::health::{Health, Lag};
use crate::link::Link;
use crate::metric;
use crate::query;
use crate::replication::{self, Replication};
use crate::server::{Policy, Server};

/// A probe that gets no answer in time may have met a busy moment; so many in a row mean a dead server.
const UNANSWERED: u32 = 2;

/// What one probe found.
struct Finding {
    read_only: bool,
    /// Asked of replicas only.
    replication: Option<Replication>,
}

/// Probes the server until it is retired, at its interval and whenever a connection breaks.
pub(crate) async fn watch(server: Arc<Server>) {
    let mut link = None;
    let mut unanswered = 0;
    loop {
        match probe(&server, &mut link).await {
            Ok(finding) => {
                unanswered = 0;
                settle(&server, finding);
            }
            Err(LinkError::TimedOut) if unanswered + 1 < UNANSWERED && !server.health.is_down() => {
                unanswered += 1
            }
            Err(error) if !error.speaks_of_server() => debug!(server = server.name, %error, "probe"),
            Err(error) => server.set_health(Health::Down { error: error.to_string() }),
        }
        server.pool.reap(server.timing.idle, server.timing.age);
        metric::publish(&server);
        tokio::select! {
            () = server.retired.cancelled() => break,
            () = tokio::time::sleep(server.timing.probe_interval) => {}
            () = look_again(&server) => {}
        }
    }
    server.pool.clear();
    metric::withdraw(&server);
    if let Some(link) = link {
        link.quit();
    }
}

/// Waits for a broken connection, which is no reason to ask more often than five times in an interval.
async fn look_again(server: &Server) {
    tokio::time::sleep(server.timing.probe_interval / 5).await;
    server.doubt.notified().await;
}

/// Asks on the link of the last probe; if that one is gone, on a new one.
async fn probe(server: &Server, kept: &mut Option<Link>) -> Result<Finding, LinkError> {
    if let Some(mut link) = kept.take() {
        match limited(server, ask(server, &mut link)).await {
            Ok(finding) => {
                *kept = Some(link);
                return Ok(finding);
            }
            Err(LinkError::Io(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut link = handshake::connect(&server.login, server.connect_limit()).await?;
    server.note_version(&link.version);
    let finding = limited(server, ask(server, &mut link)).await?;
    *kept = Some(link);
    Ok(finding)
}

async fn limited<T>(
    server: &Server,
    question: impl Future<Output = Result<T, LinkError>>,
) -> Result<T, LinkError> {
    tokio::time::timeout(server.timing.probe, question).await.unwrap_or(Err(LinkError::TimedOut))
}

async fn ask(server: &Server, link: &mut Link) -> Result<Finding, LinkError> {
    let read_only = query::rows(link, "SELECT @@global.read_only").await?.scalar() == Some("1");
    let role = server.policy.read().role;
    let replication = match role {
        Role::Primary => None,
        Role::Replica => Some(ask_replication(link).await?),
    };
    Ok(Finding { read_only, replication })
}

async fn ask_replication(link: &mut Link) -> Result<Replication, LinkError> {
    let question = replication::question(&link.version);
    match query::rows(link, question).await {
        Ok(rows) => Ok(replication::judge(&rows)),
        // For want of a privilege, most likely; the text says which.
        Err(LinkError::Server(error)) => Ok(Replication::Untold(format!("{question}: {error}"))),
        Err(error) => Err(error),
    }
}

/// Draws the conclusion.
fn settle(server: &Server, finding: Finding) {
    let lag = match &finding.replication {
        Some(Replication::Running(lag)) => Lag::Known(*lag),
        _ => Lag::Unknown,
    };
    server.health.note(lag, Some(finding.read_only));
    let policy = *server.policy.read();
    server.set_health(match finding.replication {
        None => Health::Up,
        Some(replication) => judge(&replication, policy),
    });
}

/// Whether a replica may be read from.
fn judge(replication: &Replication, policy: Policy) -> Health {
    match (replication, policy.lag_limit) {
        (Replication::Running(lag), Some(limit)) if *lag > limit => Health::Lagging {
            reason: format!("{} s behind, {} s are allowed", lag.as_secs(), limit.as_secs()),
        },
        (Replication::Running(_), _) | (Replication::Untold(_), None) => Health::Up,
        (Replication::Stopped(reason), _) | (Replication::Untold(reason), Some(_)) => {
            Health::Lagging { reason: reason.clone() }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn replicas_are_judged_by_the_limit() {
        let health = |replication: Replication, limit: Option<u64>| {
            let policy = Policy {
                role: Role::Replica,
                lag_limit: limit.map(Duration::from_secs),
                connect: Duration::from_secs(1),
            };
            judge(&replication, policy).word()
        };
        let running = |seconds| Replication::Running(Duration::from_secs(seconds));
        assert_eq!(health(running(5), Some(5)), "up");
        assert_eq!(health(running(6), Some(5)), "lagging");
        assert_eq!(health(running(600), None), "up");
        assert_eq!(health(Replication::Stopped(String::new()), None), "lagging");
        assert_eq!(health(Replication::Untold(String::new()), Some(5)), "lagging");
        assert_eq!(health(Replication::Untold(String::new()), None), "up");
    }
}
