//! Rows that wait for their client to fetch them: what a cursor of a prepared statement is made of.
//!
//! As on servers, a statement that is executed with a cursor runs to its end, and its rows are put aside. They stay in
//! memory as far as there is room, and behind that in a temporary file without a name, which the system removes with
//! the last handle whatever happens.
//!
//! ```text
//! client→proxy   COM_STMT_EXECUTE  statement 1, CURSOR_TYPE_READ_ONLY
//! proxy→client   columns, end (SERVER_STATUS_CURSOR_EXISTS)
//! client→proxy   COM_STMT_FETCH    statement 1, 100 rows
//! proxy→client   rows, end (SERVER_STATUS_LAST_ROW_SENT when there are no more)
//! ```

mod error;
mod rows;
mod spool;
#[cfg(test)]
mod tests;

pub(crate) use error::CursorError;
pub(crate) use rows::Cursor;
pub(crate) use spool::{Room, Spool};

/// Before each row stands its length.
const LENGTH_BYTES: usize = 4;
