//! MySQL's client/server protocol as plain data: packets of both directions, framing and authentication maths.
//!
//! Serval speaks the protocol twice, as a server to its clients and as a client to the servers behind it, so most
//! packets here both decode and encode. The crate does no I/O, keeps no connection state and knows no policy: who
//! may log in and what a command does is decided above it. Every read is checked. Whatever bytes arrive, the answer
//! is a value or a [`WireError`], never a panic, and never memory for bytes that were only announced.
//!
//! Names are those of the manual's
//! [protocol documentation](https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html).
//!
//! ```
//! use bytes::BytesMut;
//! use serval_wire::command::{self, Command};
//! use serval_wire::frame::{PacketReader, write_packet};
//!
//! let mut stream = BytesMut::new();
//! write_packet(&mut stream, &mut 0, &command::encode::query(b"SELECT 1"));
//!
//! let mut reader = PacketReader::new(64 << 20);
//! let packet = reader.next(&mut stream)?.expect("a whole packet is there");
//! assert!(matches!(Command::decode(&packet.payload)?, Command::Query(b"SELECT 1")));
//! # Ok::<(), serval_wire::WireError>(())
//! ```

pub mod auth;
pub mod capability;
pub mod command;
pub mod compress;
mod error;
mod flags;
pub mod frame;
pub mod lenenc;
pub mod packet;
pub mod response;
pub mod status;

pub use capability::Capabilities;
pub use error::WireError;
pub use packet::{binary_row, text_row};
pub use status::StatusFlags;
