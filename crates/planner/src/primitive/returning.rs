//! `Returning`: a write on several nodes that gives rows.

use super::Spread;

/// INSERT … RETURNING over several targets: the rows that they give are put into the order of VALUES again. DELETE …
/// RETURNING: they come in no order, as on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returning {
    /// The write, with the order of its rows where they have one.
    pub spread: Spread,
}
