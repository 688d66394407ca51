//! The answer to COM_STMT_PREPARE: COM_STMT_PREPARE_OK with the definitions of parameters and columns, or an error.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html). Without
//! `CLIENT_DEPRECATE_EOF` an EOF packet ends each of the two lists that is not empty; with it there is none.

mod prepared;
mod scanner;

pub use prepared::Prepared;
pub use scanner::{PrepareScanned, PrepareScanner};

#[cfg(test)]
mod tests;
