//! SHOW VARIABLES and SHOW STATUS: a server's, with what would mislead replaced.

use serval_remote::Backend;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::Session;

/// The variables of the session, or of a server.
pub(super) async fn variables<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    of_session: bool,
) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let mut answer = ask(session, text).await?;
    let settings = &catalog.settings;
    replace(&mut answer, "version", session.proxy.server_version());
    replace(&mut answer, "version_comment", "Serval");
    replace(&mut answer, "hostname", "serval");
    replace(&mut answer, "port", &settings.listen.mysql.port().to_string());
    replace(&mut answer, "max_connections", &settings.max_connections.to_string());
    lower(&mut answer, "max_allowed_packet", settings.max_allowed_packet as u64);
    if of_session {
        replace(&mut answer, "autocommit", if session.autocommit { "ON" } else { "OFF" });
        replace(&mut answer, "wait_timeout", &session.idle_timeout().as_secs().to_string());
        replace(&mut answer, "last_insert_id", &session.last.insert_id.to_string());
        replace(&mut answer, "identity", &session.last.insert_id.to_string());
    }
    Ok(answer)
}

/// The counters of a server, with those of the proxy where it has its own.
pub(super) async fn status<B: Backend>(session: &mut Session<B>, text: &str) -> Result<Answer, Failure> {
    let mut answer = ask(session, text).await?;
    replace(&mut answer, "Threads_connected", &session.proxy.sessions.len().to_string());
    replace(&mut answer, "Uptime", &session.proxy.uptime().as_secs().to_string());
    Ok(answer)
}

async fn ask<B: Backend>(session: &mut Session<B>, text: &str) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    session.ask(home, text).await
}

/// Replaces a number that is larger than what Serval allows itself.
fn lower(answer: &mut Answer, name: &str, limit: u64) {
    for row in &mut answer.rows {
        if let [Some(variable), Some(shown)] = &mut **row
            && variable.eq_ignore_ascii_case(name.as_bytes())
            && String::from_utf8_lossy(shown).parse().is_ok_and(|value: u64| value > limit)
        {
            *shown = limit.to_string().into_bytes();
        }
    }
}

/// Replaces a variable's value, if it was asked for.
fn replace(answer: &mut Answer, name: &str, value: &str) {
    for row in &mut answer.rows {
        if let [Some(variable), shown] = &mut **row
            && variable.eq_ignore_ascii_case(name.as_bytes())
        {
            *shown = Some(value.as_bytes().to_vec());
        }
    }
}
