//! COM_STMT_PREPARE.

use bytes::Bytes;
use serval_remote::Backend;
use serval_wire::packet::PrepareOk;
use serval_wire::response::Prepared;
use tokio::io::AsyncWrite;

use super::describe::describe;
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::{Progress, Writer};

/// Prepares a statement and tells the client its id, parameters and columns.
pub(crate) async fn prepare<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    session.prepared.prepare();
    let statement = describe(session, sql).await?;
    let ok = PrepareOk { warnings: statement.warnings, ..PrepareOk::default() };
    let mut prepared =
        Prepared { ok, parameters: statement.parameters.clone(), columns: statement.columns.clone() };
    prepared.ok.statement = session.prepared.add(statement)?;
    let (capabilities, metadata, status) =
        (writer.capabilities(), writer.optional_metadata(), session.status());
    writer.splice(|out, sequence| prepared.write(capabilities, metadata, status, sequence, out));
    writer.set_progress(Progress::Complete);
    Ok(())
}
