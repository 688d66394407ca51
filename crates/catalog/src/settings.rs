//! What concerns the proxy itself: where it listens and what it allows.

use std::net::SocketAddr;
use std::time::Duration;

/// Addresses, limits and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens.
    pub listen: Listen,
    /// The version that the handshake announces; `None` is the lowest backend's.
    pub server_version: Option<String>,
    /// How many clients at once; one more gets error 1040.
    pub max_connections: usize,
    /// The largest packet that a client may send, in bytes.
    pub max_allowed_packet: usize,
    /// A statement that runs longer is killed; `None` lets it run.
    pub query_timeout: Option<Duration>,
    /// A client that is silent this long is closed.
    pub idle_timeout: Duration,
    /// A statement that takes longer goes to the slow log; `None` logs none.
    pub slow_query: Option<Duration>,
    /// What one statement may buffer in the proxy, in bytes.
    pub memory_per_query: usize,
    /// How long a statement waits for a connection to a server before error 1205.
    pub acquire_timeout: Duration,
    /// How long connecting to a server and logging in may take.
    pub connect_timeout: Duration,
    /// How many plans are kept.
    pub plan_cache: usize,
}

/// Where the proxy listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Clients, with MySQL's protocol.
    pub mysql: SocketAddr,
    /// The admin console, with MySQL's protocol; `None` has none.
    pub admin: Option<SocketAddr>,
    /// `/metrics`, `/healthz` and `/readyz`; `None` has none.
    pub http: Option<SocketAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            server_version: None,
            max_connections: 10_000,
            max_allowed_packet: 64 << 20,
            query_timeout: None,
            idle_timeout: Duration::from_secs(8 * 3600),
            slow_query: Some(Duration::from_secs(1)),
            memory_per_query: 64 << 20,
            acquire_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            plan_cache: 10_000,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { mysql: SocketAddr::from(([127, 0, 0, 1], 3307)), admin: None, http: None }
    }
}
