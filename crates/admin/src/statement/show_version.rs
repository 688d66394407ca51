//! `show @@version`.

use serval_session::Answer;

/// Serval's own version, and the server version that clients see.
pub(super) fn rows(server_version: &str) -> Answer {
    let mut answer = Answer::of_text(&["VERSION", "SERVER_VERSION"]);
    answer.push([format!("Serval {}", env!("CARGO_PKG_VERSION")), server_version.to_owned()]);
    answer
}
