//! `show @@ddl`.

use serval_session::{Answer, Snapshot};

/// The definitions that are running on several physical tables, and how far they are.
pub(super) fn rows(sessions: &[Snapshot]) -> Answer {
    let header = ["ID", "USER", "SCHEMA", "TIME(S)", "TABLES", "DONE", "FAILED", "SQL"];
    let mut answer = Answer::of_text(&header);
    for session in sessions {
        let Some(stand) = session.definition else { continue };
        answer.push([
            session.id.to_string(),
            session.user.clone(),
            session.schema.clone().unwrap_or_default(),
            session.time.as_secs().to_string(),
            stand.total.to_string(),
            stand.done.to_string(),
            stand.failed.to_string(),
            session.info.clone().unwrap_or_default(),
        ]);
    }
    answer
}
