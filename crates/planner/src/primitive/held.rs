//! `Held`: rows that were read before the statement was planned.

use std::sync::Arc;

/// Rows that Serval has already, of servers whose SQL it does not speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The rows, each as the payload of a text row.
    pub rows: Arc<[Vec<u8>]>,
    /// Which of their cells are needed, in this order.
    pub cells: Vec<usize>,
}
