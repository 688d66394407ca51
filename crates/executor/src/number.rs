//! Numbers as MySQL's text rows write them.

mod decimal;
mod double;

pub(crate) use decimal::{compare_decimals, quotient};
pub(crate) use double::{format_double, parse_double};
