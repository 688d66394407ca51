//! COM_STMT_CLOSE, COM_STMT_RESET and COM_STMT_FETCH.

use serval_remote::Backend;
use serval_types::MysqlError;
use tokio::io::AsyncWrite;

use super::statement::unknown;
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::Writer;

/// Forgets a statement. There is no answer.
pub(crate) fn close<B: Backend>(session: &mut Session<B>, id: u32) {
    session.prepared.remove(id);
}

/// Forgets the long data of a statement.
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

/// Rows of a cursor, of which there is never one.
pub(crate) fn fetch<B: Backend>(session: &Session<B>, id: u32) -> Failure {
    if session.prepared.find(id).is_none() {
        return unknown(&id.to_string(), "mysqld_stmt_fetch").into();
    }
    // ER_STMT_HAS_NO_OPEN_CURSOR.
    let message = format!("The statement ({id}) has no open cursor");
    Failure::Told(MysqlError { number: 1421, sqlstate: *b"HY000", message })
}
