//! Runs plans: sends each target its SQL over the [`serval_remote`] traits, and relays, merges, combines and counts
//! what comes back.
//!
//! A statement for one node is *relayed*: packets pass as they are, and only column definitions and errors are
//! rewritten where they would show a physical name. Anything else is a tree of operators over *feeds*, one feed per
//! target. The operators do no I/O. An operator that needs more of a feed says so, the driver awaits that feed's
//! connection, and then asks again; so a slow client or a slow node holds up exactly the connections that wait for
//! it, and memory stays at a burst per connection.
//!
//! With [`Context::parameters`] a statement is executed as a prepared one on every target, and its rows are binary
//! from end to end; the operators work on either encoding.
//!
//! The crate deliberately decides nothing about routes, holds no connections between statements, and never names
//! the crate that implements [`serval_remote::Backend`]. Dropping any of its futures leaks nothing: connections in
//! the middle of an answer are closed, and a transaction they belonged to is doomed.
//!
//! ```no_run
//! use serval_executor::{Completed, Context, ExecuteError, ResultSink, execute};
//!
//! async fn run<B: serval_remote::Backend, S: ResultSink>(
//!     bound: &serval_planner::Bound,
//!     context: &mut Context<'_, B>,
//!     sink: &mut S,
//! ) -> Result<Completed, ExecuteError> {
//!     execute(bound, context, sink).await
//! }
//! ```

mod context;
pub mod copies;
pub mod definitions;
mod error;
mod execute;
mod frames;
mod gather;
mod key;
mod link;
pub mod load;
mod memory;
mod names;
mod number;
mod operator;
pub mod periods;
mod places;
mod prepare;
mod profile;
mod progress;
mod query_rows;
mod relay;
mod rewrite;
mod row;
mod rows;
pub mod sequence;
mod sink;
mod spread;
mod stream;

pub use context::{Behind, Completed, Context};
pub use error::ExecuteError;
pub use execute::{define, execute};
pub use gather::prepare_gathered;
pub use names::Names;
pub use prepare::prepare;
pub use profile::{Measured, Profile, Watch};
pub use progress::{Progress, Stand};
pub use query_rows::{query_rows, query_rows_under, read_apart};
pub use sequence::Sequences;
pub use sink::{End, ResultSink, SinkError};
