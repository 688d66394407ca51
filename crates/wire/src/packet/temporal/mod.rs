//! Dates and times of binary rows and parameters: their parts, the bytes and the text of both.
//!
//! [Manual, "Binary Protocol Value"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html).
//! Nothing here knows a calendar: the thirtieth of February has parts like any other day, and whether it may be
//! stored is a server's business.

mod date_time;
mod text;
mod time;

pub use date_time::DateTime;
pub use time::Time;

#[cfg(test)]
mod tests;
