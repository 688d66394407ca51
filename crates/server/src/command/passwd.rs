//! `serval passwd`: a password's verifier, which may stand in a config where the password may not.
//!
//! What it prints serves every client. Accounts whose password nobody knows move with the authentication string that
//! MySQL shows of them: `*…` of mysql_native_password, and `$A$…` or `0x2441…` of caching_sha2_password.

use std::io::{BufRead as _, IsTerminal as _};

use crate::failure::Failure;
use crate::output::{complain, say};

/// Reads the first line of standard input and prints the verifier of it.
pub fn run() -> Result<(), Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        complain("Password (it will be shown as you type; or pipe it in):");
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::other(format!("cannot read the password from standard input: {error}")))?;
    say(verifier(line.trim_end_matches(['\r', '\n']))?);
    Ok(())
}

/// An empty password is refused: it would be a user whom everybody may be.
fn verifier(password: &str) -> Result<String, Failure> {
    if password.is_empty() {
        return Err(Failure::other("the password is empty: pipe it in, as in `serval passwd < file`"));
    }
    Ok(serval_catalog::Verifier::of_password(password).to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_password_is_refused() {
        assert!(verifier("").is_err());
    }
}
