//! SHOW VARIABLES and SHOW STATUS: a server's, with what would mislead replaced.

use std::sync::atomic::Ordering;

use serval_remote::Backend;
use serval_sql::Filter;

use super::filter;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::Session;

/// What a server says of its own files and addresses, which are none of the client's business.
const HIDDEN: [&str; 14] = [
    "basedir",
    "bind_address",
    "datadir",
    "general_log_file",
    "log_bin_basename",
    "log_bin_index",
    "log_error",
    "pid_file",
    "plugin_dir",
    "relay_log_basename",
    "report_host",
    "slow_query_log_file",
    "socket",
    "tmpdir",
];

/// The variables of the session, or of a server.
pub(super) async fn variables<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    of_session: bool,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let mut answer = ask(session, text, "VARIABLES", of_session, filter).await?;
    let settings = &catalog.settings;
    replace(&mut answer, "version", session.proxy.server_version());
    replace(&mut answer, "version_comment", "Serval");
    replace(&mut answer, "hostname", "serval");
    replace(&mut answer, "port", &settings.listen.mysql.port().to_string());
    replace(&mut answer, "max_connections", &settings.max_connections.to_string());
    for name in HIDDEN {
        replace(&mut answer, name, "");
    }
    lower(&mut answer, "max_allowed_packet", settings.max_allowed_packet as u64);
    if of_session {
        replace(&mut answer, "autocommit", if session.autocommit { "ON" } else { "OFF" });
        replace(&mut answer, "wait_timeout", &session.idle_timeout().as_secs().to_string());
        for (name, value) in session.own.iter() {
            replace(&mut answer, name, value);
        }
        replace(&mut answer, "last_insert_id", &session.last.insert_id.to_string());
        replace(&mut answer, "identity", &session.last.insert_id.to_string());
        replace(&mut answer, "pseudo_thread_id", &session.entry.id.0.to_string());
        let in_transaction = if session.transaction.is_open() { "1" } else { "0" };
        replace(&mut answer, "in_transaction", in_transaction);
        replace(&mut answer, "warning_count", &session.last.warnings.to_string());
        note_characteristics(session, &mut answer).await?;
        replace(&mut answer, "error_count", &session.last.errors().to_string());
    }
    narrow(session, answer, text, filter).await
}

/// The session's isolation level and READ ONLY, which the server that was asked may have otherwise.
async fn note_characteristics<B: Backend>(
    session: &mut Session<B>,
    answer: &mut Answer,
) -> Result<(), Failure> {
    let flavour = session.proxy.flavour();
    let shown = [
        (flavour.isolation_variable(), session.shown_isolation()),
        (flavour.read_only_variable(), session.shown_read_only()),
    ];
    for (name, sql) in shown {
        let Some(sql) = sql else { continue };
        let home = session.home(&session.catalog())?;
        let value = session.ask(home, &format!("SELECT {sql}")).await?.text(0, 0).unwrap_or_default();
        replace(
            answer,
            name,
            match &*value {
                "1" => "ON",
                "0" => "OFF",
                level => level,
            },
        );
    }
    Ok(())
}

/// The counters of a server, with those of the proxy where it has its own.
pub(super) async fn status<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    of_session: bool,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let mut answer = ask(session, text, "STATUS", of_session, filter).await?;
    let proxy = std::sync::Arc::clone(&session.proxy);
    let sessions = proxy.sessions.len().to_string();
    let statements = proxy.counters.statements.load(Ordering::Relaxed).to_string();
    let uptime = proxy.uptime().as_secs().to_string();
    let encryption = session.entry.transport().and_then(|transport| transport.encryption);
    let (cipher, version) = encryption.map_or(("", ""), |found| (found.cipher, found.version));
    let own = [
        ("Threads_connected", &*sessions),
        ("Questions", &*statements),
        ("Queries", &*statements),
        ("Uptime", &*uptime),
        ("Uptime_since_flush_status", &*uptime),
        ("Ssl_cipher", cipher),
        ("Ssl_version", version),
    ];
    for (name, value) in own {
        replace(&mut answer, name, value);
    }
    narrow(session, answer, text, filter).await
}

/// A server's rows. LIKE is of names and the server applies it; a condition may be of values, and waits for the proxy's own.
async fn ask<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    what: &str,
    of_session: bool,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    match filter {
        Some(Filter::Where(_)) => {
            let scope = if of_session { "SESSION" } else { "GLOBAL" };
            session.ask(home, &format!("SHOW {scope} {what}")).await
        }
        _ => session.ask(home, text).await,
    }
}

async fn narrow<B: Backend>(
    session: &mut Session<B>,
    answer: Answer,
    text: &str,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    match filter {
        Some(Filter::Where(_)) => filter::apply(session, answer, text, 0, filter).await,
        _ => Ok(answer),
    }
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
