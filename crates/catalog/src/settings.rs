//! What concerns the proxy itself: where it listens and what it allows.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::{Pem, TlsIdentity};

/// Addresses, limits and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens.
    pub listen: Listen,
    /// How clients are greeted.
    pub welcome: Welcome,
    /// Encryption for clients that want it; `None` offers none.
    pub tls: Option<ClientTls>,
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
    /// How interrupted transactions are finished.
    pub recovery: Recovery,
    /// The history of the config; `None` keeps none.
    pub versions: Option<Versions>,
    /// Whether LOAD DATA LOCAL INFILE may ask clients for files.
    pub local_infile: bool,
    /// What one LOAD DATA statement may write to temporary files, in bytes.
    pub load_spool: usize,
    /// What the open cursors of one client may keep in temporary files, in bytes.
    pub cursor_spool: usize,
}

/// How transactions over several groups are finished when whoever ran them is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// How often the groups are asked for transactions in doubt.
    pub interval: Duration,
    /// How long a transaction of another proxy may be in doubt before this one decides it.
    pub patience: Duration,
    /// How long the records of decisions are kept.
    pub keep: Duration,
}

/// `[versions]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// Where they are kept, relative to the config's folder.
    pub directory: PathBuf,
    /// How many are kept.
    pub keep: usize,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            keep: Duration::from_secs(3600),
        }
    }
}

/// Where the proxy listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Clients, with MySQL's protocol.
    pub mysql: SocketAddr,
    /// The path of a Unix socket for clients; `None` has none.
    pub socket: Option<PathBuf>,
    /// The admin console, with MySQL's protocol; `None` has none.
    pub admin: Option<SocketAddr>,
    /// `/metrics`, `/healthz` and `/readyz`; `None` has none.
    pub http: Option<SocketAddr>,
}

/// How clients are greeted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Welcome {
    /// The authentication plugin that the greeting names. Clients with the other one are met there.
    pub auth_plugin: AuthPlugin,
    /// What clients may compress with.
    pub compression: Compression,
    /// Peers that begin with a PROXY protocol header, which says who the client is.
    pub proxies: Vec<IpNet>,
}

impl Welcome {
    /// Whether this peer has to say for whom it speaks.
    #[must_use]
    pub fn is_proxy(&self, peer: IpAddr) -> bool {
        // An IPv4 peer of a socket that listens on all of IPv6 comes with an address that wraps its own.
        let peer = peer.to_canonical();
        self.proxies.iter().any(|network| network.contains(&peer))
    }
}

/// An authentication plugin of MySQL's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuthPlugin {
    /// `mysql_native_password`, which every client but MySQL 9's speaks.
    #[default]
    Native,
    /// `caching_sha2_password`, MySQL's default since 8.0.
    CachingSha2,
}

/// Algorithms of the compressed protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// zlib, which every client library has.
    pub zlib: bool,
    /// zstd, of MySQL's clients since 8.0.18.
    pub zstd: bool,
}

impl Default for Compression {
    /// Both, as on a MySQL server: nothing is compressed unless the client asks for it.
    fn default() -> Self {
        Self { zlib: true, zstd: true }
    }
}

/// `[tls]`, with the files read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTls {
    /// What Serval shows to clients.
    pub identity: TlsIdentity,
    /// The authorities that may have signed a client's certificate; `None` asks for no certificates.
    pub client_authorities: Option<Pem>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            welcome: Welcome::default(),
            tls: None,
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
            recovery: Recovery::default(),
            versions: None,
            local_infile: true,
            load_spool: 16 << 30,
            cursor_spool: 1 << 30,
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { mysql: SocketAddr::from(([127, 0, 0, 1], 3307)), socket: None, admin: None, http: None }
    }
}
