//! The admin console's statements and the HTTP endpoints.
//!
//! The console speaks MySQL's protocol on a port of its own, with accounts of its own: any MySQL client shows servers,
//! nodes and sessions (`show @@help` lists the statements) and reloads the config. One file holds one statement. The
//! HTTP port answers `/metrics`, `/healthz` and `/readyz`.
//!
//! The crate deliberately decides nothing: what a reload does is its caller's business, through [`Control`], and
//! numbers come from those who count them.
//!
//! ```no_run
//! use std::sync::Arc;
//! use serval_admin::{Admin, Control, Outcome, Wish};
//!
//! struct Nothing;
//! impl Control for Nothing {
//!     async fn carry_out(&self, _wish: Wish, _by: &str) -> Result<Outcome, Vec<String>> {
//!         Ok(Outcome::lines("CHANGE", vec!["nothing changed".to_owned()]))
//!     }
//! }
//!
//! async fn run<B: serval_remote::Backend>(
//!     proxy: Arc<serval_session::Proxy<B>>,
//!     servers: Arc<serval_backend::Servers>,
//!     listener: tokio::net::TcpListener,
//! ) {
//!     let admin = Admin::new(proxy, Arc::new(move || servers.statistics()), Nothing);
//!     serval_admin::serve_console(listener, Arc::new(admin)).await;
//! }
//! ```

mod console;
mod control;
mod http;
mod statement;

use std::sync::Arc;
use std::time::SystemTime;

use serval_backend::ServerStatus;
use serval_remote::Backend;
use serval_session::Proxy;

pub use console::{serve_client, serve_console};
pub use control::{Control, Outcome, Scope, Wish};
pub use http::{Http, router, serve_http};

/// Where the servers' state comes from.
pub type Statistics = Arc<dyn Fn() -> Vec<ServerStatus> + Send + Sync>;

/// What the console's statements look at.
pub struct Admin<B: Backend, C: Control> {
    pub(crate) proxy: Arc<Proxy<B>>,
    pub(crate) statistics: Statistics,
    pub(crate) control: C,
    pub(crate) started: SystemTime,
}

impl<B: Backend, C: Control> Admin<B, C> {
    /// A console over `proxy`.
    #[must_use]
    pub fn new(proxy: Arc<Proxy<B>>, statistics: Statistics, control: C) -> Self {
        Self { proxy, statistics, control, started: SystemTime::now() }
    }
}

impl<B: Backend, C: Control> std::fmt::Debug for Admin<B, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("started", &self.started).finish_non_exhaustive()
    }
}
