//! Prepared statements: COM_STMT_PREPARE and the commands on what it made, and PREPARE, EXECUTE and DEALLOCATE.
//!
//! A statement that reads or changes rows is planned when it is prepared, so that its mistakes show then, and one node
//! is asked for its parameters and columns. What is kept is its text: every execution finds its plan in the plan cache
//! by that text, so a reload or a DDL statement in between needs nothing here, and goes the way of a plain statement
//! with its parameters beside it. Rows come back binary.
//!
//! Everything else that can be prepared (SHOW, SET, DDL, BEGIN, …) is executed as the text that it is, with literals
//! in the place of parameters. Of such a statement's columns nothing is said before it runs, as older servers do.
//!
//! A request for a [cursor](crate::cursor) is met for statements that read or change rows. For the others rows follow
//! at once, which the protocol allows: the status flag `SERVER_STATUS_CURSOR_EXISTS` is missing, and clients read on.
//!
//! ```text
//! client→proxy   COM_STMT_PREPARE  SELECT name FROM users WHERE id = ?
//! proxy→client   statement 1: parameters (?), columns (name)
//! client→proxy   COM_STMT_EXECUTE  statement 1: BIGINT 7
//! proxy→client   columns (name), binary rows
//! ```

mod by_name;
mod close;
mod describe;
mod execute;
mod fetch;
mod literals;
mod long_data;
mod mode;
mod prepare;
mod registry;
mod shared;
mod statement;

pub(crate) use close::{close, reset};
pub(crate) use execute::execute;
pub(crate) use fetch::fetch;
pub(crate) use long_data::long_data;
pub(crate) use prepare::prepare;
pub(crate) use registry::Registry;
pub(crate) use shared::Shared;
pub(crate) use statement::Statement;

pub(in crate::statement) use by_name::{deallocate, execute_by_name, prepare_by_name};
pub(in crate::statement) use literals::{readable, with_values};
