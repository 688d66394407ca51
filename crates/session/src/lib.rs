//! One client of Serval: handshake, commands, variables, results.
//!
//! [`serve`] accepts clients and gives each a task. A task greets its client, then answers one command after the
//! other: it scans the statement, has it planned and executed, and writes the answer as it comes. What a client SETs
//! is remembered here and replayed on whichever connection works for it next, so thousands of sessions share few
//! connections. What is a session's own, `DATABASE()`, `LAST_INSERT_ID()`, SHOW PROCESSLIST, is answered here, and no
//! physical name gets out.
//!
//! The crate deliberately plans nothing and opens no connection to a server. It reads no files either: certificates
//! come to it as text.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! async fn run<B: serval_remote::Backend>(
//!     catalog: serval_catalog::Catalog,
//!     backend: B,
//!     shutdown: tokio_util::sync::CancellationToken,
//! ) -> std::io::Result<()> {
//!     let listener = tokio::net::TcpListener::bind(catalog.settings.listen.mysql).await?;
//!     let catalog = Arc::new(arc_swap::ArcSwap::from_pointee(catalog));
//!     let proxy = serval_session::Proxy::new(catalog, Arc::new(backend), "10.11.6-MariaDB", shutdown);
//!     serval_session::serve(listener, Arc::new(proxy)).await;
//!     Ok(())
//! }
//! ```

mod accounts;
mod answer;
mod charset;
mod connection;
mod counters;
mod cursor;
mod defined;
mod failure;
mod flavour;
pub mod handshake;
mod heavy;
mod identity;
mod literal;
mod pins;
mod proxy;
mod registry;
mod running;
mod serve;
mod session;
mod statement;
pub mod stream;
mod watched;
mod words;

pub use answer::{Answer, Row, integer_column, text_column};
pub use connection::run as serve_client;
pub use counters::{Counters, SessionCount};
pub use defined::Defined;
pub use flavour::Flavour;
pub use pins::PinReason;
pub use proxy::Proxy;
pub use registry::{Entry, Registration, Registry, Snapshot};
pub use serval_executor::copies;
pub use serval_executor::definitions::{Difference, compare};
pub use serval_executor::periods;
pub use serval_transaction::Verdict;
pub use serve::{Doors, serve};
pub use statement::store_views;
