//! Rows held against the rules that place them: what a rule change would strand, and what lies wrong already.

mod beside;
mod check;
mod keys;
mod place;
mod strand;

pub use check::{check_table, usual_rows};
pub use strand::stranded;
