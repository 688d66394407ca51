//! KILL and COM_PROCESS_KILL.

use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError, SessionId};

use crate::session::Session;

/// Ends a session of the same user, or only its statement.
///
/// # Errors
/// 1094 where there is none, 1095 where it is another user's.
pub(crate) fn kill<B: Backend>(session: &Session<B>, id: u32, query: bool) -> Result<(), MysqlError> {
    let Some(entry) = session.proxy.sessions.find(SessionId(id)) else {
        return Err(MysqlError::new(ErrorCode::NoSuchThread, format!("Unknown thread id: {id}")));
    };
    if entry.user() != session.user {
        // ER_KILL_DENIED_ERROR.
        let message = format!("You are not owner of thread {id}");
        return Err(MysqlError { number: 1095, sqlstate: *b"HY000", message });
    }
    if query {
        entry.interrupt()
    } else {
        entry.kill()
    }
    Ok(())
}
