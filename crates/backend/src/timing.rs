//! How long things may take, and how much may be kept.

use std::time::Duration;

/// The times and numbers that pools and monitors keep to, beside those that the catalog's settings have. The defaults
/// suit servers in one region; tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Between two probes of a server by its monitor.
    pub probe_interval: Duration,
    /// How long one probe may take.
    pub probe: Duration,
    /// A pooled connection unused for so long is pinged before it is handed out: a firewall may have dropped it.
    pub ping_after: Duration,
    /// How long that ping may take.
    pub ping: Duration,
    /// A pooled connection unused for so long is closed.
    pub idle: Duration,
    /// A connection older than this is closed when it comes back, so that server-side caches and memory are let go.
    pub age: Duration,
    /// How long a ROLLBACK or KILL after an abandoned statement may take, its connect included.
    pub cleanup: Duration,
    /// How many statements a connection keeps prepared on its server, which counts those of all connections
    /// (`max_prepared_stmt_count`).
    pub prepared_statements: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            probe_interval: Duration::from_secs(1),
            probe: Duration::from_secs(2),
            ping_after: Duration::from_secs(30),
            ping: Duration::from_secs(1),
            idle: Duration::from_secs(300),
            age: Duration::from_secs(3600),
            cleanup: Duration::from_secs(5),
            prepared_statements: 256,
        }
    }
}
