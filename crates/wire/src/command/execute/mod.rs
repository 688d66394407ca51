//! The parameters of COM_STMT_EXECUTE: taken from a client, read for routing, and sent on to servers.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html). [`Parameters`] keep
//! the bytes of each value as they came; decoding to a [`Value`](serval_types::Value) is for those who have to look.
//! With query attributes the layout is another ([`Parameters::decode_attributed`]); MariaDB's bulk execution is not read.
//!
//! ```
//! use bytes::Bytes;
//! use serval_types::Value;
//! use serval_wire::command::Command;
//! use serval_wire::command::execute::{Parameters, encode_execute};
//!
//! // Statement 7 with one new parameter, an INT of 5.
//! let payload = Bytes::from_static(b"\x17\x07\0\0\0\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0");
//! let Command::Execute(execute) = Command::decode(&payload)? else { unreachable!() };
//! let parameters = Parameters::decode(&execute.shared_parameters(&payload), 1, None, |_| None)?;
//! assert_eq!(parameters.value(0), Value::Int(5));
//!
//! // A server knows the statement by another id.
//! let mut out = Vec::new();
//! encode_execute(9, 0, &parameters, &[0], &mut out)?;
//! assert_eq!(out, b"\x17\x09\0\0\0\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0");
//! # Ok::<(), serval_wire::WireError>(())
//! ```

mod decode;
mod encode;
mod parameter_type;
mod parameters;
mod value;

pub(super) use decode::value as read_value;
pub use encode::encode_execute;
pub use parameter_type::ParameterType;
pub use parameters::Parameters;
pub(super) use value::of_bytes as value_of;

/// The cursor flag of a statement that is executed without a cursor.
pub const CURSOR_TYPE_NO_CURSOR: u8 = 0;
/// The cursor flag of a statement whose rows come by COM_STMT_FETCH.
pub const CURSOR_TYPE_READ_ONLY: u8 = 1;
/// The flag that says that the number of values is told, where query attributes were agreed on.
pub const PARAMETER_COUNT_AVAILABLE: u8 = 8;

#[cfg(test)]
mod tests;
