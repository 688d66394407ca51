//! COM_STMT_FETCH.

use serval_remote::Backend;
use serval_wire::StatusFlags;
use tokio::io::AsyncWrite;

use crate::answer;
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::{Progress, Writer};

/// Answers with the next rows of a statement's cursor. As on servers, that none are left shows when one more is asked
/// for than there are; the cursor is closed then.
pub(crate) async fn fetch<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    id: u32,
    rows: u32,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let mut cursor = session.prepared.take_cursor(id)?;
    writer.set_progress(Progress::Open);
    for _ in 0..rows {
        let Some(row) = cursor.next().await.map_err(|error| error.to_mysql())? else {
            let status = session.status() | StatusFlags::SERVER_STATUS_LAST_ROW_SENT;
            answer::end_rows(writer, status, 0);
            return Ok(());
        };
        writer.packet(&row);
        writer.relieve().await?;
    }
    session.prepared.open(id, cursor);
    answer::end_rows(writer, session.status() | StatusFlags::SERVER_STATUS_CURSOR_EXISTS, 0);
    Ok(())
}
