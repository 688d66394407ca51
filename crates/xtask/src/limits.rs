//! What is refused, from the tests that pin it to the tables of `docs/limits.md`.
//!
//! A test says beside what it has refused which row of the page it stands for:
//!
//! ```text
//! # limits[reads anywhere]: `INTO OUTFILE`, `INTO DUMPFILE` | write the rows on the client
//! refused
//! SELECT * FROM users INTO OUTFILE 'users.txt';
//! ```
//!
//! A refusal that a row speaks of already names a few words of it (`# limits: see INTO OUTFILE`). So nothing is on the page
//! that no test refuses, and what the scripts refuse is on the page; a test here fails where the two are out of step.

mod page;
mod row;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

/// Whether to write the page, or only to look.
#[derive(clap::Args)]
pub struct Options {
    /// Writes the page; without it the page is only compared
    #[arg(long)]
    write: bool,
}

/// Compares the page with what the tests say, or writes it.
///
/// # Errors
/// Tests and page that do not agree, in words.
pub fn run(options: &Options) -> Result<(), String> {
    let root = root();
    let path = root.join("docs/limits.md");
    let before = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let after = page::filled(&before, &row::all(&source::all(&root)?)?)?;
    if options.write {
        return fs::write(&path, after).map_err(|error| format!("{}: {error}", path.display()));
    }
    match before.lines().zip(after.lines()).find(|(before, after)| before != after) {
        None if before == after => Ok(()),
        found => Err(format!(
            "docs/limits.md is not what the tests pin; run `cargo xtask limits --write`. First difference:\n  page:  {}\n  \
             tests: {}",
            found.map_or("", |(page, _)| page),
            found.map_or("", |(_, tests)| tests),
        )),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_tests_pin() {
        let write = std::env::var_os("UPDATE_GOLDENFILES").is_some();
        if let Err(reason) = run(&Options { write }) {
            panic!("{reason}");
        }
    }
}
