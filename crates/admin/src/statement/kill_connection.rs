//! `kill @@connection id[,id…]`.

use serval_session::Registry;
use serval_types::{ErrorCode, MysqlError, SessionId};

/// Ends the connections; how many there were.
pub(super) fn run(sessions: &Registry, ids: &str, user: &str) -> Result<u64, MysqlError> {
    let parsed: Result<Vec<u32>, _> = ids.split(',').map(|id| id.trim().parse()).collect();
    let Ok(ids) = parsed else {
        return Err(MysqlError::new(
            ErrorCode::Syntax,
            format!("'{ids}' is no list of connection ids, like 7,8"),
        ));
    };
    let mut killed = 0;
    for id in ids {
        if let Some(entry) = sessions.find(SessionId(id)) {
            tracing::info!(session = id, by = user, "connection killed from the console");
            entry.kill();
            killed += 1;
        }
    }
    Ok(killed)
}
