//! Rows as servers send them: text for plain queries, binary for executions of prepared statements.
//!
//! Nothing outside this module knows the difference. A [`Layout`] finds the cells of a row, a [`Reader`] says what the
//! cells of a column are worth, and a [`Writer`] makes rows of what was combined.

mod layout;
mod reader;
mod writer;

pub(crate) use layout::{Cells, Layout};
pub(crate) use reader::Reader;
pub(crate) use writer::{Value, Writer};

/// How the cells of rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Text,
    Binary,
}

#[cfg(test)]
pub(crate) mod tests;
