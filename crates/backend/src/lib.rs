//! The servers behind Serval: connections, pools, health and the choice of a replica. [`Servers`] implements
//! [`serval_remote::Backend`] over real sockets.
//!
//! Each server has a pool that never holds more connections than its group's `max_connections`, and one monitor
//! that asks it a real query every second. A statement goes out in one write together with whatever brings the
//! connection into the session's database, variables and transaction; its answer is relayed as whole packets
//! without looking at rows. A connection that is dropped in mid-answer is closed and its statement killed, one that
//! is dropped inside a transaction is rolled back before anybody else gets it.
//!
//! What the crate deliberately does not do: it parses no SQL, knows no tables and merges nothing; it does not promote
//! replicas; it never uses COM_RESET_CONNECTION, which empties the server's statement caches and is not safe on every
//! server. It does not compress. Without TLS and without a Unix socket, a server that insists on
//! `caching_sha2_password`'s full exchange gets the password RSA-encrypted under the key that it offers, so the network
//! between the two has to be trusted.
//!
//! ```no_run
//! use std::time::{Duration, Instant};
//! use serval_remote::{Access, Backend, Connection, RemoteError, Request, SessionState};
//! use serval_types::GroupId;
//!
//! # async fn example(catalog: &serval_catalog::Catalog) -> Result<(), RemoteError> {
//! let shutdown = tokio_util::sync::CancellationToken::new();
//! let servers = serval_backend::Servers::start(catalog, shutdown);
//! let state = SessionState::default();
//! let deadline = Instant::now() + Duration::from_secs(1);
//! let mut connection = servers.acquire(GroupId(0), Access::Primary, &state, deadline).await?;
//! connection.send(&Request { database: Some("shop_0"), state: &state, begin: None, sql: b"SELECT 1", execution: None }).await?;
//! while connection.read_burst().await?.completion.is_none() {}
//! # Ok(())
//! # }
//! ```

mod accepted;
mod acquire;
mod answer;
mod auth;
mod command;
mod connection;
mod counters;
mod difference;
mod engine;
mod error;
mod group;
mod handshake;
mod health;
mod link;
mod metric;
mod monitor;
mod pool;
mod preamble;
mod prepare;
mod query;
mod release;
mod replication;
mod server;
mod servers;
mod statements;
mod status;
mod stream;
mod timing;
mod tls;
mod version;

pub use connection::ServerConnection;
pub use engine::greet_engine;
pub use health::Health;
pub use servers::{NotApplied, Servers};
pub use status::ServerStatus;
pub use timing::Timing;
pub use tls::{TlsError, check_tls};
