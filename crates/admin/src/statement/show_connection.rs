//! `show @@connection` and `show @@session`.

use serval_catalog::Catalog;
use serval_session::{Answer, Snapshot};

/// The clients; only those with an open transaction, or with connections of servers to themselves, where `holding`.
pub(super) fn rows(sessions: &[Snapshot], catalog: &Catalog, holding: bool) -> Answer {
    let mut answer = Answer::of_text(&[
        "ID",
        "HOST",
        "PORT",
        "USER",
        "SCHEMA",
        "COMMAND",
        "TIME(S)",
        "TRANSACTION",
        "STATEMENTS",
        "ALIVE_TIME(S)",
        "PINNED",
        "SQL",
    ]);
    for session in
        sessions.iter().filter(|session| !holding || session.in_transaction || !session.pins.is_empty())
    {
        answer.push([
            session.id.to_string(),
            session.peer.map_or_else(String::new, |peer| peer.ip().to_string()),
            session.peer.map_or_else(String::new, |peer| peer.port().to_string()),
            session.user.clone(),
            session.schema.clone().unwrap_or_default(),
            session.command.to_owned(),
            session.time.as_secs().to_string(),
            if session.in_transaction { "open" } else { "" }.to_owned(),
            session.statements.to_string(),
            session.connected.as_secs().to_string(),
            session.pinned(catalog),
            session.info.clone().unwrap_or_default(),
        ]);
    }
    answer
}
