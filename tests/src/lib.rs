//! The harness of the end-to-end tests: real servers, the proxy in front of them, and one plain server as the oracle.
//!
//! A [`World`] is what one test works in: its own databases on shared servers, its own proxy, its own database on the
//! oracle. [`slt`] runs a file of statements in a world and compares every answer with the oracle's. The tests
//! themselves are in `e2e/` and `slt/`; they share one process, because starting servers is what costs time.
//!
//! The harness holds no expected outputs: the oracle is always right. It panics where it cannot go on, as tests do.
//!
//! ```no_run
//! # async fn example() {
//! let world = serval_tests::World::new("crud").await;
//! let report = serval_tests::slt::run(&world, "crud.slt").await;
//! assert!(report.is_empty(), "{report}");
//! # }
//! ```

mod answer;
pub mod clients;
mod http;
pub mod link;
pub mod raw;
pub mod slt;
mod topology;
mod world;

pub use answer::{Answer, Client};
pub use http::{HttpAnswer, get};
pub use topology::{ADMIN, APP, Limits, Topology};
pub use world::{Shared, World, eventually, make_databases, on_node, own_cluster, shared};
