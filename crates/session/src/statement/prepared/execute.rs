//! COM_STMT_EXECUTE.

use std::time::Instant;

use bytes::Bytes;
use serval_remote::Backend;
use serval_types::Value;
use serval_wire::command;
use serval_wire::command::execute::Parameters;
use tokio::io::AsyncWrite;

use super::literals::{fill, readable};
use super::statement::{Kind, Statement};
use crate::failure::Failure;
use crate::session::{Execution, Query, Session};
use crate::statement::{dispatch, dml, log, scan};
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
    let started = Instant::now();
    let (statement, parameters) = session.prepared.begin(execute, payload)?;
    let result = run(session, writer, &statement, &parameters).await;
    log::finished(session, &statement.sql, statement.scan.class, started, &result);
    result
}

async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    statement: &Statement,
    parameters: &Parameters,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    statement.check_readable(session)?;
    writer.set_rows(RowFormat::Binary);
    let values = parameters.values();
    match statement.kind {
        Kind::Rows => {
            let execution = Execution { statement, parameters, values: &values };
            let query = Query { sql: &statement.sql, scan: &statement.scan, execution: Some(execution) };
            dml::run(session, writer, query).await
        }
        Kind::OfSchema | Kind::Plain => {
            let text = as_text(statement, &values);
            let scan = scan(session, &text)?;
            Box::pin(dispatch(session, writer, &text, scan)).await
        }
    }
}

/// The text with the values in it.
fn as_text(statement: &Statement, values: &[Value]) -> Bytes {
    if values.is_empty() {
        return statement.sql.clone();
    }
    let literals = values.iter().map(|value| readable(value, statement.manner.options));
    fill(&statement.sql, &statement.scan, literals).into()
}
