//! What has to reach a server before a statement: its database, the session's variables, the start of a transaction.

use bytes::BytesMut;
use serval_remote::{Request, SessionState};

use crate::accepted::Accepted;
use crate::command::{self, Command};
use crate::difference;
use crate::link::Link;

/// One command before the statement, with an answer of its own.
#[derive(Debug)]
pub(crate) enum Step {
    /// COM_INIT_DB.
    Database(Box<str>),
    /// `SET`, after which the session is in `state`.
    State { assignments: Vec<String>, state: SessionState },
    /// `START TRANSACTION` in one of its forms, or the XA END of a branch.
    Begin(Box<str>),
}

impl Step {
    /// What `request` needs on `link`, in the order it has to be sent.
    pub(crate) fn all(link: &mut Link, request: &Request<'_>) -> Vec<Self> {
        let mut steps = Vec::new();
        if let Some(database) = request.database.filter(|&wanted| link.database.as_deref() != Some(wanted)) {
            steps.push(Self::Database(database.into()));
        }
        if link.state != *request.state {
            let assignments = difference::assignments(&link.state, request.state);
            steps.push(Self::State { assignments, state: request.state.clone() });
        }
        if let Some(begin) = request.begin {
            steps.push(Self::Begin(begin.into()));
        }
        steps
    }

    /// Whether the statement may share a write with this step.
    ///
    /// The server runs the statement even if the step fails, so the step must be one that this server has accepted
    /// before. Even then a database may have been dropped since: a read in the wrong one does no harm, because the
    /// refusal is seen before its answer, but a write would.
    pub(crate) fn may_pipeline(&self, accepted: &Accepted, sql: &[u8]) -> bool {
        match self {
            Self::Database(name) => accepted.has_database(name) && is_select(sql),
            Self::State { assignments, .. } => accepted.has_assignments(assignments),
            // What comes after an XA END (PREPARE, COMMIT ONE PHASE) is refused wherever that was.
            Self::Begin(begin) => is_xa_end(begin) || accepted.has_begin(begin),
        }
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        // A session whose variables need a second frame is told that the answer is malformed.
        let _one_frame = match self {
            Self::Database(name) => command::put(out, Command::InitDb, name.as_bytes()),
            Self::State { assignments, .. } => {
                command::put(out, Command::Query, difference::statement(assignments).as_bytes())
            }
            Self::Begin(sql) => command::put(out, Command::Query, sql.as_bytes()),
        };
    }

    /// Takes note of the server's OK.
    pub(crate) fn done(self, link: &mut Link, accepted: &Accepted) {
        match self {
            Self::Database(name) => {
                accepted.add_database(&name);
                link.database = Some(name);
            }
            Self::State { assignments, state } => {
                accepted.add_assignments(&assignments);
                link.state = state;
            }
            // The name of a branch never comes again.
            Self::Begin(sql) if is_xa_end(&sql) => {}
            Self::Begin(sql) => accepted.add_begin(&sql),
        }
    }

    /// Takes note of the server's refusal of a step that was sent alone.
    pub(crate) fn refused(&self, link: &mut Link) {
        // A SET is all or nothing by the manual, but not every variable of every server keeps to that.
        link.retire |= matches!(self, Self::State { .. });
    }
}

fn is_xa_end(sql: &str) -> bool {
    sql.starts_with("XA END ")
}

/// Whether the statement only reads, by its first word; a wrong no costs one round trip.
fn is_select(sql: &[u8]) -> bool {
    sql.trim_ascii_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"SELECT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_selects_may_follow_a_database_unseen() {
        let accepted = Accepted::default();
        let step = Step::Database("shop_1".into());
        assert!(!step.may_pipeline(&accepted, b"SELECT 1"));
        accepted.add_database("shop_1");
        assert!(step.may_pipeline(&accepted, b" select 1"));
        assert!(!step.may_pipeline(&accepted, b"DELETE FROM t"));
        assert!(!step.may_pipeline(&accepted, b"SEL"));
    }
}
