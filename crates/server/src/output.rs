//! What a command says on the terminal, as opposed to what the log records.
//!
//! A reader that closed its end of a pipe (`serval schema | head -1`) is no error, so failed writes are ignored.

use std::fmt::Display;
use std::io::Write as _;

/// One line, or several, on standard output.
pub fn say(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// One line, or several, on standard error.
pub fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
