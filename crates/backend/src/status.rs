//! One server's line in the console.

use std::time::{Duration, SystemTime};

use serval_catalog::{Address, Role};

use crate::group::Member;
use crate::health::{Health, Lag};

/// What a server is, how it is, and what it has done since the proxy started.
#[derive(Debug, Clone)]
pub struct ServerStatus {
    /// The group's configured name.
    pub group: String,
    /// The server's configured name.
    pub server: String,
    /// Where it listens.
    pub address: Address,
    /// Primary or replica, as configured.
    pub role: Role,
    /// Its share of the reads.
    pub weight: u32,
    /// Whether it may be used.
    pub health: Health,
    /// When that last changed.
    pub since: SystemTime,
    /// The last error, kept after the server is back.
    pub last_error: Option<String>,
    /// How far it is behind its primary; `None` for a primary, and where it is not known.
    pub lag: Option<Duration>,
    /// Whether the server says that it is read-only; `None` before the first answer.
    pub read_only: Option<bool>,
    /// Its version, as `VERSION()` says it; `None` before the first connect.
    pub version: Option<String>,
    /// The most connections that the pool may have.
    pub max_connections: usize,
    /// Connections in use, those being rolled back or killed included.
    pub used: usize,
    /// Connections that wait in the pool.
    pub free: usize,
    /// Connections made.
    pub opened: u64,
    /// Statements sent.
    pub queries: u64,
    /// Statements answered with an error.
    pub errors: u64,
    /// Connections that broke in use or could not be made.
    pub lost: u64,
    /// Statements killed because nobody waited for them any more.
    pub killed: u64,
    /// Bytes of answers.
    pub bytes_in: u64,
    /// Bytes of statements.
    pub bytes_out: u64,
}

impl ServerStatus {
    pub(crate) fn of(member: &Member) -> Self {
        let server = &member.server;
        let report = server.health.report();
        let counters = &server.counters;
        Self {
            group: server.group.clone(),
            server: server.name.clone(),
            address: server.login.address.clone(),
            role: member.role,
            weight: member.weight,
            health: report.health,
            since: report.since,
            last_error: report.last_error,
            lag: match report.lag {
                Lag::Known(lag) => Some(lag),
                Lag::Unknown => None,
            },
            read_only: report.read_only,
            version: server.version.read().as_ref().map(|version| version.text.clone()),
            max_connections: server.pool.size(),
            used: server.pool.used(),
            free: server.pool.idle(),
            opened: counters.opened.value(),
            queries: counters.queries.value(),
            errors: counters.errors.value(),
            lost: counters.lost.value(),
            killed: counters.killed.value(),
            bytes_in: counters.bytes_in.value(),
            bytes_out: counters.bytes_out.value(),
        }
    }
}
