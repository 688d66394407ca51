//! `show @@datasource`.

use serval_backend::ServerStatus;
use serval_catalog::Role;
use serval_session::Answer;

/// The servers: state, lag and pools.
pub(super) fn rows(servers: &[ServerStatus]) -> Answer {
    let mut answer = Answer::of_text(&[
        "GROUP",
        "NAME",
        "TYPE",
        "ADDRESS",
        "W/R",
        "WEIGHT",
        "STATE",
        "LAG(S)",
        "READ_ONLY",
        "ACTIVE",
        "IDLE",
        "SIZE",
        "EXECUTE",
        "LAST_ERROR",
    ]);
    for server in servers {
        let lag = server.lag.map(|lag| lag.as_secs().to_string());
        let read_only = server.read_only.map(|read_only| if read_only { "yes" } else { "no" });
        answer.push([
            server.group.clone(),
            server.server.clone(),
            server.version.clone().unwrap_or_default(),
            server.address.to_string(),
            if server.role == Role::Primary { "W" } else { "R" }.to_owned(),
            server.weight.to_string(),
            server.health.word().to_owned(),
            lag.unwrap_or_default(),
            read_only.unwrap_or_default().to_owned(),
            server.used.to_string(),
            server.free.to_string(),
            server.max_connections.to_string(),
            server.queries.to_string(),
            server.last_error.clone().unwrap_or_default(),
        ]);
    }
    answer
}
