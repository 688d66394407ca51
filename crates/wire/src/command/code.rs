//! The first bytes of commands.
//!
//! [Manual, "enum_server_command"](https://dev.mysql.com/doc/dev/mysql-server/latest/my__command_8h.html). Commands that
//! servers refuse or use only among themselves have no name here.

/// The client leaves.
pub const COM_QUIT: u8 = 0x01;
/// USE.
pub const COM_INIT_DB: u8 = 0x02;
/// A statement's text.
pub const COM_QUERY: u8 = 0x03;
/// The columns of a table; deprecated, still sent by the `mysql` client for its completion.
pub const COM_FIELD_LIST: u8 = 0x04;
/// A line of numbers for people.
pub const COM_STATISTICS: u8 = 0x09;
/// KILL; deprecated.
pub const COM_PROCESS_KILL: u8 = 0x0c;
/// Are you there?
pub const COM_PING: u8 = 0x0e;
/// Another login on the same connection.
pub const COM_CHANGE_USER: u8 = 0x11;
/// A statement's text, to be prepared.
pub const COM_STMT_PREPARE: u8 = 0x16;
/// A prepared statement's id and parameters.
pub const COM_STMT_EXECUTE: u8 = 0x17;
/// A piece of a parameter.
pub const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
/// A prepared statement is no longer needed.
pub const COM_STMT_CLOSE: u8 = 0x19;
/// A prepared statement's long data and cursor are no longer needed.
pub const COM_STMT_RESET: u8 = 0x1a;
/// Several statements in a query: on or off.
pub const COM_SET_OPTION: u8 = 0x1b;
/// Rows of a cursor.
pub const COM_STMT_FETCH: u8 = 0x1c;
/// The session as new, without a login.
pub const COM_RESET_CONNECTION: u8 = 0x1f;
