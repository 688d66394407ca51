//! Starts real MariaDB and MySQL servers, with replication, for tests and for the demo, and the proxy in front of them.
//!
//! A [`Cluster`] is a number of groups, each a primary and its replicas, on loopback ports of their own, in a temporary
//! directory. Nothing is left behind: each server runs under a small shell that holds a pipe to this process and kills
//! the server when the pipe closes, so a panic, Ctrl-C and SIGKILL of this process all end the same way.
//!
//! The crate deliberately knows nothing of sharding or of Serval's code: it writes a configuration as text and starts a
//! binary. Data of its servers is not safe against a crash of the machine (nothing is flushed to disk), only against
//! `SIGKILL` of a server.
//!
//! ```no_run
//! # async fn example() -> Result<(), serval_testkit::TestkitError> {
//! use serval_testkit::{Cluster, ClusterSpec, Flavour};
//! let cluster = Cluster::start(ClusterSpec::new(Flavour::MariaDb, 2, 1)).await?;
//! cluster.group(0).primary().execute("CREATE DATABASE shop").await?;
//! cluster.wait_until_replicated().await?;
//! # Ok(())
//! # }
//! ```

mod cluster;
mod directory;
mod error;
mod flavour;
mod grants;
mod port;
mod programs;
mod replication;
mod scratch;
mod serval;
mod server;
mod supervisor;
mod template;

pub use cluster::{Cluster, ClusterSpec, Group};
pub use directory::ScratchDirectory;
pub use error::TestkitError;
pub use flavour::Flavour;
pub use port::PortLease;
pub use scratch::PrivateServer;
pub use serval::{Finished, ServalPorts, ServalProcess, serval_binary};
pub use server::Server;
pub use supervisor::Supervised;

/// The result of everything here.
pub type Result<T, E = TestkitError> = std::result::Result<T, E>;
