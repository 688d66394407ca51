//! `serval check --online`: the config held against the servers.
//!
//! Every server is asked for its version, whether it takes writes, what the group's user may do and which databases
//! it has; every table is read from all its nodes and compared. Nothing is changed anywhere.

mod engines;
mod rows;
mod servers;
mod tables;
mod xa;

use comfy_table::{Table, presets};
use serval_catalog::Catalog;

use crate::command::run::runtime;
use crate::failure::Failure;
use crate::output::say;

pub use rows::check_rows;

/// Prints what the servers are and what is wrong with them; fails if anything is.
pub fn check(catalog: &Catalog) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let servers = servers::look_at_all(catalog).await;
        say(servers::table(&servers));
        let mut problems: Vec<String> = servers.iter().flat_map(servers::Finding::problems).collect();
        problems.extend(tables::compare_all(catalog).await);
        problems.extend(engines::look_at_all(catalog).await);
        verdict(&problems)
    })
}

fn verdict(problems: &[String]) -> Result<(), Failure> {
    if problems.is_empty() {
        say("ok: the servers agree with the config");
        return Ok(());
    }
    for problem in problems {
        say(format!("problem: {problem}"));
    }
    let number = problems.len();
    Err(Failure::other(format!("{number} problem{} on the servers", if number == 1 { "" } else { "s" })))
}

/// An empty table with a header, in the style of the MySQL client.
fn ascii_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(header);
    table
}
