//! Answers on their way to the client: relayed as they come, merged by the executor, or made by Serval itself.

mod client_sink;
mod collect;
mod counting;
mod opening;
mod outcome;
mod relay;
mod routine;
mod rows;

pub(crate) use client_sink::ClientSink;
pub(crate) use collect::Collect;
pub(crate) use counting::Counting;
pub(crate) use outcome::Outcome;
pub(crate) use rows::end as end_rows;
pub use rows::{Answer, Row, integer_column, text_column};
