//! `show @@backend`.

use serval_backend::ServerStatus;
use serval_session::Answer;

/// What has been done on each server since the start.
pub(super) fn rows(servers: &[ServerStatus]) -> Answer {
    let mut answer = Answer::of_text(&[
        "GROUP",
        "NAME",
        "OPENED",
        "ACTIVE",
        "IDLE",
        "QUERIES",
        "ERRORS",
        "LOST",
        "KILLED",
        "BYTES_IN",
        "BYTES_OUT",
    ]);
    for server in servers {
        answer.push([
            server.group.clone(),
            server.server.clone(),
            server.opened.to_string(),
            server.used.to_string(),
            server.free.to_string(),
            server.queries.to_string(),
            server.errors.to_string(),
            server.lost.to_string(),
            server.killed.to_string(),
            server.bytes_in.to_string(),
            server.bytes_out.to_string(),
        ]);
    }
    answer
}
