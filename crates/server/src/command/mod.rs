//! The subcommands, one file each. Every one has a `run` that returns when it is done.

pub mod admin;
pub mod check;
pub mod explain;
pub mod import;
pub mod passwd;
pub mod run;
pub mod schema;
pub mod snapshot;
