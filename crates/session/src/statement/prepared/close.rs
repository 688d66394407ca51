//! COM_STMT_CLOSE and COM_STMT_RESET.

use serval_remote::Backend;
use tokio::io::AsyncWrite;

use super::statement::unknown;
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::Writer;

/// Forgets a statement. There is no answer.
pub(crate) fn close<B: Backend>(session: &mut Session<B>, id: u32) {
    session.prepared.remove(id);
}

/// Forgets the long data of a statement and closes its cursor.
pub(crate) fn reset<B, W>(session: &mut Session<B>, writer: &mut Writer<W>, id: u32) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    if !session.prepared.reset(id) {
        return Err(unknown(&id.to_string(), "mysqld_stmt_reset").into());
    }
    writer.ok(&session.plain_ok());
    Ok(())
}
