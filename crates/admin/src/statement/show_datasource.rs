//! `show @@datasource`.

use serval_backend::ServerStatus;
use serval_catalog::Role;
use serval_remote::EngineStatus;
use serval_session::Answer;

/// The servers, and behind them the engines: state, lag and pools.
pub(super) fn rows(servers: &[ServerStatus], engines: &[EngineStatus]) -> Answer {
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
    engines.iter().for_each(|engine| answer.push(line(engine)));
    answer
}

/// An engine's line. It is not watched, so its state is how the last statement found it.
fn line(engine: &EngineStatus) -> [String; 14] {
    let state = match engine.up {
        None => "unused",
        Some(true) => "up",
        Some(false) => "down",
    };
    [
        String::new(),
        format!("engine {}", engine.name),
        engine.version.clone().unwrap_or_default(),
        engine.address.clone(),
        "E".to_owned(),
        String::new(),
        state.to_owned(),
        String::new(),
        String::new(),
        engine.used.to_string(),
        engine.free.to_string(),
        engine.max_connections.to_string(),
        engine.queries.to_string(),
        engine.last_error.clone().unwrap_or_default(),
    ]
}
