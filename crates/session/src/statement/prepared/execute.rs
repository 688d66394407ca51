//! COM_STMT_EXECUTE.

use bytes::Bytes;
use serval_remote::Backend;
use serval_types::Value;
use serval_wire::Capabilities;
use serval_wire::command;
use serval_wire::command::execute::{CURSOR_TYPE_READ_ONLY, Parameters};
use tokio::io::AsyncWrite;

use super::literals::with_values;
use super::statement::{Kind, Statement};
use crate::charset;
use crate::failure::Failure;
use crate::session::{Execution, Query, Session};
use crate::statement::{call, definitions, dispatch, log, scan};
use crate::stream::{RowFormat, Writer};

/// Executes a statement: its answer is in the writer's buffer when this returns.
pub(crate) async fn execute<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    execute: &command::Execute<'_>,
    payload: &Bytes,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let started = session.began;
    let attributed = writer.capabilities().contains(Capabilities::CLIENT_QUERY_ATTRIBUTES);
    let (statement, parameters, attributes) = session.prepared.begin(execute, payload, attributed)?;
    session.attributes = attributes;
    session.opened = None;
    let cursor = execute.flags & CURSOR_TYPE_READ_ONLY != 0;
    let result = run(session, writer, &statement, &parameters, cursor).await;
    if let (Ok(()), Some(cursor)) = (&result, session.opened.take()) {
        session.prepared.open(execute.statement, cursor);
    }
    log::finished(session, &statement.sql, statement.scan.class, started, &result);
    result
}

async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    statement: &Statement,
    parameters: &Parameters,
    cursor: bool,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    statement.check_readable(session)?;
    writer.set_rows(RowFormat::Binary);
    let values = parameters.values();
    match statement.kind {
        Kind::Rows | Kind::Call => {
            let execution = Execution { statement, parameters, values: &values, cursor };
            let query =
                Query { sql: &statement.sql, scan: &statement.scan, execution: Some(execution), views: &[] };
            if statement.kind == Kind::Call {
                return Box::pin(call::run(session, writer, query)).await;
            }
            definitions::with_fresh(session, writer, query).await
        }
        Kind::OfSchema | Kind::Plain => {
            let text = as_text(session, statement, parameters, &values);
            let scan = scan(session, &text)?;
            Box::pin(dispatch(session, writer, &text, &scan)).await
        }
    }
}

/// The text with the values in it.
fn as_text<B: Backend>(
    session: &Session<B>,
    statement: &Statement,
    parameters: &Parameters,
    values: &[Value],
) -> Bytes {
    if values.is_empty() {
        return statement.sql.clone();
    }
    let charset = charset::of_client(&session.state);
    let options = statement.manner.options.with_pairs(session.options.pairs);
    with_values((&statement.sql, &statement.scan), (parameters, values), options, &charset).into()
}
