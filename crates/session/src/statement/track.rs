//! SET on behalf of clients that track their session, and the one variable that is about the protocol itself.

use serval_remote::Backend;
use serval_sql::{Assignment, Scope};
use serval_types::MysqlError;
use serval_wire::Capabilities;
use tokio::io::AsyncWrite;

use super::set;
use crate::answer::Answer;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::session::{Session, is_tracked};
use crate::stream::Writer;

/// What SET NAMES and SET CHARACTER SET set.
const CHARSETS: [&str; 3] = ["character_set_client", "character_set_connection", "character_set_results"];

/// Trackers that would have to tell of the servers' own sessions.
const UNTRACKED: [&str; 2] = ["session_track_transaction_info", "session_track_gtids"];

/// Makes all assignments of a SET, or none, and notes what the client is to be told of it.
pub(super) async fn set<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: set::Text<'_>,
    mut assignments: Vec<Assignment>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    for assignment in &assignments {
        check(text.readable, assignment)?;
    }
    let metadata = take_metadata(session, writer, text.readable, &mut assignments)?;
    let tracks = writer.capabilities().contains(Capabilities::CLIENT_SESSION_TRACK);
    let names = if tracks { names(&assignments) } else { Vec::new() };
    set::run(session, text, assignments).await?;
    if let Some(metadata) = metadata {
        session.metadata = metadata;
    }
    if tracks {
        session.changes.something();
        note(session, names).await;
    }
    Ok(())
}

/// Takes `resultset_metadata` out of the assignments: it is between a client and whoever answers it, and is no
/// variable of MariaDB's.
fn take_metadata<B: Backend, W: AsyncWrite + Unpin>(
    session: &Session<B>,
    writer: &Writer<W>,
    text: &str,
    assignments: &mut Vec<Assignment>,
) -> Result<Option<bool>, Failure> {
    let mut chosen = None;
    if session.proxy.flavour().is_mariadb() {
        return Ok(None);
    }
    let mut rest = Vec::with_capacity(assignments.len());
    for assignment in std::mem::take(assignments) {
        match &assignment {
            Assignment::Variable { scope: Scope::Session, name, value } if name == "resultset_metadata" => {
                chosen = Some(metadata(word(text, value))?);
            }
            _ => rest.push(assignment),
        }
    }
    *assignments = rest;
    if chosen == Some(false)
        && !writer.capabilities().contains(Capabilities::CLIENT_OPTIONAL_RESULTSET_METADATA)
    {
        // ER_CLIENT_DOES_NOT_SUPPORT.
        let message = "The client doesn't support optional metadata".to_owned();
        return Err(Failure::Told(MysqlError { number: 3640, sqlstate: *b"HY000", message }));
    }
    Ok(chosen)
}

fn metadata(value: &str) -> Result<bool, Failure> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" | "1" | "DEFAULT" => Ok(true),
        "NONE" | "0" => Ok(false),
        _ => {
            // ER_WRONG_VALUE_FOR_VAR.
            let message = format!("Variable 'resultset_metadata' can't be set to the value of '{value}'");
            Err(Failure::Told(MysqlError { number: 1231, sqlstate: *b"42000", message }))
        }
    }
}

fn check(text: &str, assignment: &Assignment) -> Result<(), Failure> {
    let Assignment::Variable { name, value, .. } = assignment else { return Ok(()) };
    let off = ["OFF", "0", "DEFAULT"].iter().any(|off| word(text, value).eq_ignore_ascii_case(off));
    if UNTRACKED.contains(&&**name) && !off {
        return Err(refused(format!(
            "{name} is not supported: a transaction's state and GTIDs are those of several servers; leave it OFF"
        )));
    }
    Ok(())
}

/// A value as it is written, without quotes.
fn word<'a>(text: &'a str, value: &serval_sql::SetValue) -> &'a str {
    let bytes = value.span.of(text.as_bytes());
    std::str::from_utf8(bytes).unwrap_or_default().trim().trim_matches(['\'', '"', '`'])
}

/// The system variables that the assignments set, in their order.
fn names(assignments: &[Assignment]) -> Vec<String> {
    let mut names = Vec::new();
    for assignment in assignments {
        match assignment {
            Assignment::Names { .. } | Assignment::CharacterSet(_) => {
                names.extend(CHARSETS.map(str::to_owned));
            }
            Assignment::Variable { scope: Scope::Session, name, .. } => names.push(name.clone()),
            _ => {}
        }
    }
    names
}

/// Notes the values of those that are tracked.
async fn note<B: Backend>(session: &mut Session<B>, mut names: Vec<String>) {
    names.retain(|name| is_tracked(&session.state, name));
    let mut unknown = Vec::new();
    for name in &names {
        if known(session, name).is_none() {
            unknown.push(format!("'{name}'"));
        }
    }
    let shown = if unknown.is_empty() { None } else { show(session, &unknown.join(", ")).await };
    for name in names {
        let shown = || {
            let answer = shown.as_ref()?;
            let row = (0..answer.rows.len()).find(|row| answer.text(*row, 0).as_deref() == Some(&*name))?;
            answer.text(row, 1)
        };
        if let Some(value) = known(session, &name).or_else(shown) {
            session.changes.variable(&name, &value);
        }
    }
}

/// Values as a server shows them. The SET has succeeded, whether it can be told of or not.
async fn show<B: Backend>(session: &mut Session<B>, names: &str) -> Option<Answer> {
    let home = session.home(&session.catalog()).ok()?;
    let sql = format!("SHOW SESSION VARIABLES WHERE Variable_name IN ({names})");
    let shown = session.ask(home, &sql).await;
    shown.inspect_err(|error| tracing::debug!(%error, "variables not tracked")).ok()
}

/// The value of a variable that the session itself knows.
fn known<B: Backend>(session: &Session<B>, name: &str) -> Option<String> {
    match name {
        "autocommit" => Some(if session.autocommit { "ON" } else { "OFF" }.to_owned()),
        "character_set_client" => Some(charset::of_client(&session.state)),
        "character_set_results" | "character_set_connection" => {
            // Set alone, it may be NULL or follow a collation.
            let alone = session.state.value(name).or(session.state.value("collation_connection"));
            alone.is_none().then(|| charset::of_client(&session.state))
        }
        // A server has said what it makes of it.
        "sql_mode" => plain(session.state.value(name)?),
        "time_zone" => plain(session.state.value(name)?).filter(|zone| zone.starts_with(['+', '-'])),
        _ => None,
    }
}

/// The text of a literal that is nothing but quoted.
fn plain(literal: &str) -> Option<String> {
    let text = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    (!text.contains(['\'', '\\'])).then(|| text.to_owned())
}
