//! The COMMIT that a definition begins with. A server says it when it has read the text, and before it looks for anything
//! that the text names.

use std::time::Duration;

use serval_executor::read_apart;
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};

use super::transaction::commit;
use crate::failure::Failure;
use crate::session::Session;

/// How long a definition waits for its text to be read.
const READ_TIME: Duration = Duration::from_secs(10);

/// ER_PARSE_ERROR, and MariaDB's ER_UNKNOWN_DATA_TYPE.
const MISTAKES: [u16; 2] = [1064, 4161];

/// Has a server read a definition while a transaction is open, which one with a mistake in it leaves open.
///
/// # Errors
/// The mistake. Whatever else the server says of it, it says when the definition runs.
pub(super) async fn read<B: Backend>(session: &Session<B>, text: &str) -> Result<(), Failure> {
    if !session.transaction.is_open() || session.locked.is_some() {
        return Ok(());
    }
    let catalog = session.catalog();
    let node = catalog.node(session.home(&catalog)?);
    let text = text.trim_end_matches(|end: char| end == ';' || end.is_ascii_whitespace());
    let (servers, state) = (&*session.proxy.backend, session.effective_state());
    let reading = read_apart(servers, node.group, &node.database, &state, text.as_bytes());
    match tokio::time::timeout(READ_TIME, reading).await {
        Ok(Err(error)) => {
            let error = error.to_mysql();
            if MISTAKES.contains(&error.number) { Err(session.logical(error).into()) } else { Ok(()) }
        }
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}

/// Commits what a definition has left open that failed before it came so far, as it does on a server: all but those
/// that were not understood, or that Serval does not take.
///
/// # Errors
/// The definition's, or that of the COMMIT.
pub(super) async fn settle<B: Backend>(
    session: &mut Session<B>,
    result: Result<(), Failure>,
) -> Result<(), Failure> {
    let begun = matches!(&result, Err(Failure::Told(error)) if has_begun(error));
    if begun && session.locked.is_none() && session.transaction.is_open() {
        commit(session).await?;
    }
    result
}

/// Whether a server would have come further than to read the text.
fn has_begun(error: &MysqlError) -> bool {
    const REFUSED: u16 = 1235;
    let unread = [REFUSED, ErrorCode::NoSchemaSelected.number()];
    !unread.contains(&error.number) && !MISTAKES.contains(&error.number)
}
