//! The commands of the protocol, one arm each.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::command::Command;
use tokio::io::AsyncWrite;

use super::Next;
use crate::failure::Failure;
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
    session.entry.begin(name(&command), statement_of(session, &command, &payload));
    match command {
        Command::Query(_) => statement::query(session, writer, &payload.slice(1..)).await?,
        Command::Quit => return Ok(Next::Close),
        Command::Ping => writer.ok(&session.plain_ok()),
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
        Command::Fetch { statement, .. } => return Err(prepared::fetch(session, statement)),
        Command::SetOption(_) | Command::ChangeUser(_) | Command::Unknown(_) => {
            return Err(Failure::Told(MysqlError::new(ErrorCode::UnknownCommand, "Unknown command")));
        }
    }
    Ok(Next::Command)
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
