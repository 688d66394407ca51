//! What a server answers to COM_QUERY and COM_STMT_EXECUTE: an OK packet, an error, a request for a file, or column
//! definitions and rows; and perhaps another result after that.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html). Two readers of the
//! same grammar: [`ResponseScanner`] finds where an answer ends by its headers and lets the bytes pass, for the relay;
//! [`PartDecoder`] takes it apart, for merges. Text and binary rows are framed alike, so both serve both. The answer
//! of COM_STMT_PREPARE is for the [`PrepareScanner`]. Those of COM_FIELD_LIST and COM_STATISTICS are not read here.

mod completion;
mod parts;
mod prepare;
mod scanner;
mod stage;

pub use completion::{Completion, CompletionKind};
pub use parts::{Part, PartDecoder};
pub use prepare::{PrepareScanned, PrepareScanner, Prepared};
pub use scanner::{ResponseScanner, Scanned};

#[cfg(test)]
mod tests;
