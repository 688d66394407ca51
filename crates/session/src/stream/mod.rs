//! The two halves of a client's socket, as packets.
//!
//! The halves are apart, so that a statement can write rows while somebody watches the other direction for a client
//! that goes away. Both halves are generic: sockets in production, in-memory pipes in tests. Nothing here knows
//! what a packet means.

mod reader;
mod writer;

pub use reader::{ReadError, Reader};
pub use writer::{Progress, RowFormat, Writer};
