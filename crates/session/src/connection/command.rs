//! The commands of the protocol, one arm each.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::Capabilities;
use serval_wire::command::attributes::split_query;
use serval_wire::command::{Command, MULTI_STATEMENTS_OFF, MULTI_STATEMENTS_ON};
use tokio::io::AsyncWrite;
use tracing::Instrument as _;

use super::Next;
use crate::answer;
use crate::failure::{Failure, no_schema};
use crate::session::Session;
use crate::statement::{self, prepared};
use crate::stream::{Progress, Writer};

/// Answers one command into the writer's buffer.
pub(super) async fn answer<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    payload: Bytes,
) -> Result<Next, Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let command = Command::decode(&payload).map_err(|error| error.to_mysql())?;
    session.attributes.clear();
    let may_have_attributes = writer.capabilities().contains(Capabilities::CLIENT_QUERY_ATTRIBUTES);
    if may_have_attributes && matches!(command, Command::Query(_)) {
        return attributed(session, writer, &payload.slice(1..)).await;
    }
    session.changes.clear();
    writer.set_metadata(session.metadata);
    session.began = session.entry.begin(name(&command), statement_of(session, &command, &payload));
    match command {
        Command::Query(_) => statement::query(session, writer, &payload.slice(1..)).await?,
        Command::Quit => return Ok(Next::Close),
        Command::Ping => writer.ok(&session.plain_ok()),
        Command::InitDb([]) => return Err(no_schema().into()),
        Command::InitDb(schema) => {
            session.use_schema(&String::from_utf8_lossy(schema))?;
            writer.ok(&session.plain_ok());
        }
        Command::FieldList { table, wildcard } => {
            Box::pin(statement::field_list(session, writer, table, wildcard)).await?;
        }
        Command::ResetConnection => {
            session.reset().await;
            writer.ok(&session.plain_ok());
        }
        Command::Statistics => statistics(session, writer),
        Command::ProcessKill(id) => {
            statement::kill(session, id, false)?;
            writer.ok(&session.plain_ok());
        }
        Command::Prepare(_) => Box::pin(prepared::prepare(session, writer, &payload.slice(1..))).await?,
        Command::Execute(execute) => prepared::execute(session, writer, &execute, &payload).await?,
        // These two have no answer, not even an error.
        Command::CloseStatement(id) => prepared::close(session, id),
        Command::SendLongData(data) => prepared::long_data(session, &data),
        Command::ResetStatement(id) => prepared::reset(session, writer, id)?,
        Command::Fetch { statement, rows } => {
            Box::pin(prepared::fetch(session, writer, statement, rows)).await?;
        }
        Command::SetOption(option @ (MULTI_STATEMENTS_ON | MULTI_STATEMENTS_OFF)) => {
            set_option(session, writer, option == MULTI_STATEMENTS_ON);
        }
        Command::SetOption(_) | Command::ChangeUser(_) | Command::Unknown(_) => {
            return Err(Failure::Told(MysqlError::new(ErrorCode::UnknownCommand, "Unknown command")));
        }
    }
    Ok(next(session))
}

/// COM_QUERY of a client that sends attributes with it.
async fn attributed<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    body: &Bytes,
) -> Result<Next, Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let (attributes, sql) = split_query(body).map_err(|error| error.to_mysql())?;
    session.changes.clear();
    writer.set_metadata(session.metadata);
    session.began = session.entry.begin("Query", Some(sql.clone()));
    session.attributes = attributes;
    let span = statement::span(session);
    Box::pin(statement::query(session, writer, &sql)).instrument(span).await?;
    Ok(next(session))
}

/// What follows an answer: RELEASE ends the connection behind it.
fn next<B: Backend>(session: &Session<B>) -> Next {
    if session.leaving { Next::Close } else { Next::Command }
}

/// The command as SHOW PROCESSLIST names it.
fn name(command: &Command<'_>) -> &'static str {
    match command {
        Command::Query(_) => "Query",
        Command::InitDb(_) => "Init DB",
        Command::FieldList { .. } => "Field List",
        Command::Ping => "Ping",
        Command::Quit => "Quit",
        Command::Statistics => "Statistics",
        Command::ResetConnection => "Reset connection",
        Command::SetOption(_) => "Set option",
        Command::ProcessKill(_) => "Kill",
        Command::ChangeUser(_) => "Change user",
        Command::Prepare(_) => "Prepare",
        Command::Execute(_) => "Execute",
        Command::SendLongData(_) => "Long Data",
        Command::CloseStatement(_) => "Close stmt",
        Command::ResetStatement(_) => "Reset stmt",
        Command::Fetch { .. } => "Fetch",
        Command::Unknown(_) => "Error",
    }
}

/// The statement's text, where the command has one; a share of it, not a copy.
fn statement_of<B: Backend>(session: &Session<B>, command: &Command<'_>, payload: &Bytes) -> Option<Bytes> {
    match command {
        Command::Query(_) | Command::Prepare(_) => Some(payload.slice(1..)),
        Command::Execute(execute) => {
            session.prepared.find(execute.statement).map(|statement| statement.sql.clone())
        }
        _ => None,
    }
}

/// COM_SET_OPTION: whether a COM_QUERY may hold several statements. Servers answer as if rows ended.
fn set_option<B, W>(session: &Session<B>, writer: &mut Writer<W>, on: bool)
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let mut capabilities = writer.capabilities();
    capabilities.set(Capabilities::CLIENT_MULTI_STATEMENTS, on);
    writer.set_capabilities(capabilities);
    answer::end_rows(writer, session.status(), 0);
}

/// COM_STATISTICS: a line of text, alone in its packet.
fn statistics<B: Backend, W: AsyncWrite + Unpin>(session: &Session<B>, writer: &mut Writer<W>) {
    let proxy = &session.proxy;
    let sessions = proxy.sessions.len();
    let text = format!(
        "Uptime: {}  Threads: {sessions}  Questions: {}  Slow queries: {}",
        proxy.uptime().as_secs(),
        proxy.counters.statements.load(Ordering::Relaxed),
        proxy.counters.slow_statements.load(Ordering::Relaxed),
    );
    writer.packet(text.as_bytes());
    writer.set_progress(Progress::Complete);
}
