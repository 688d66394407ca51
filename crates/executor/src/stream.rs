//! The answers of several targets as streams of rows.

mod feed;
mod input;
mod integers;
mod lanes;
mod merge_columns;

pub(crate) use input::Input;
pub(crate) use lanes::Lanes;
