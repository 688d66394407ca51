//! What has to reach a server before a statement: its database, the session's variables, the start of a transaction.

use bytes::BytesMut;
use serval_remote::{Request, SessionState};

use crate::accepted::Accepted;
use crate::command::{self, Command};
use crate::difference;
use crate::link::Link;

/// What begins every branch; their names follow.
pub(crate) const XA_START: &str = "XA START";

/// One command before the statement, with an answer of its own.
#[derive(Debug)]
pub(crate) enum Step {
    /// COM_INIT_DB.
    Database(Box<str>),
    /// `SET`, after which the session is in `state`.
    State { assignments: Vec<String>, state: SessionState },
    /// `SET autocommit`: off before an XA START, on before the next statement that is no branch's.
    Manual(bool),
    /// `START TRANSACTION` in one of its forms, or the XA START or XA END of a branch.
    Begin(Box<str>),
}

impl Step {
    /// What `request` needs on `link`, in the order it has to be sent. A database goes behind a BEGIN only where it may
    /// share its write: one that is refused is to leave no transaction behind.
    pub(crate) fn all(link: &mut Link, accepted: &Accepted, request: &Request<'_>) -> Vec<Self> {
        let mut steps = Vec::new();
        let database = request.database.filter(|&wanted| link.database.as_deref() != Some(wanted));
        let (late, early) = match database {
            Some(name) if request.begin.is_some() && accepted.has_database(name) => (Some(name), None),
            other => (None, other),
        };
        steps.extend(early.map(|name| Self::Database(name.into())));
        let begins_branch = request.begin.is_some_and(|begin| begin.starts_with(XA_START));
        if begins_branch != link.manual && (begins_branch || is_outside(link, request)) {
            steps.push(Self::Manual(begins_branch));
        }
        if link.state != *request.state {
            let assignments = difference::assignments(&link.state, request.state);
            steps.push(Self::State { assignments, state: request.state.clone() });
        }
        if let Some(begin) = request.begin {
            steps.push(Self::Begin(begin.into()));
        }
        steps.extend(late.map(|name| Self::Database(name.into())));
        steps
    }

    /// Whether the statement may share a write with this step. `undone` says that it will be inside a transaction, of which
    /// nothing stays if the step is refused.
    ///
    /// The server runs the statement even if the step fails, so the step must be one that this server has accepted
    /// before. Even then a database may have been dropped since: a read in the wrong one does no harm, because the
    /// refusal is seen before its answer, but a write would, unless it is undone. Any XA START may be refused, for its
    /// name; what follows it is then in a transaction of `autocommit=0`, which only DDL and procedures could commit.
    pub(crate) fn may_pipeline(&self, accepted: &Accepted, sql: &[u8], undone: bool) -> bool {
        match self {
            Self::Database(name) => {
                accepted.has_database(name) && (is_select(sql) || undone && commits_nothing(sql))
            }
            Self::State { assignments, .. } => accepted.has_assignments(assignments),
            Self::Manual(off) => accepted.has_assignments(&[autocommit(*off).to_owned()]),
            // What comes after an XA END (PREPARE, COMMIT ONE PHASE) is refused wherever that was.
            Self::Begin(begin) if is_xa_end(begin) => true,
            Self::Begin(begin) if begin.starts_with(XA_START) => {
                accepted.has_begin(XA_START) && commits_nothing(sql)
            }
            Self::Begin(begin) => accepted.has_begin(begin),
        }
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        // A session whose variables need a second frame is told that the answer is malformed.
        let _one_frame = match self {
            Self::Database(name) => command::put(out, Command::InitDb, name.as_bytes()),
            Self::State { assignments, .. } => {
                command::put(out, Command::Query, difference::statement(assignments).as_bytes())
            }
            Self::Manual(off) => command::put(
                out,
                Command::Query,
                difference::statement(&[autocommit(*off).to_owned()]).as_bytes(),
            ),
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
            Self::Manual(off) => {
                accepted.add_assignments(&[autocommit(off).to_owned()]);
                link.manual = off;
            }
            // The name of a branch never comes again.
            Self::Begin(sql) if is_xa_end(&sql) => {}
            Self::Begin(sql) if sql.starts_with(XA_START) => accepted.add_begin(XA_START),
            Self::Begin(sql) => accepted.add_begin(&sql),
        }
    }

    /// Takes note of the server's refusal of a step that was sent alone.
    pub(crate) fn refused(&self, link: &mut Link) {
        // A SET is all or nothing by the manual, but not every variable of every server keeps to that.
        link.retire |= matches!(self, Self::State { .. } | Self::Manual(_));
    }
}

fn is_xa_end(sql: &str) -> bool {
    sql.starts_with("XA END ")
}

/// Whether the link is outside any transaction, and the statement does not finish a branch.
fn is_outside(link: &Link, request: &Request<'_>) -> bool {
    !link.in_transaction() && !request.sql.starts_with(b"XA ") && request.state.value("autocommit").is_none()
}

fn autocommit(off: bool) -> &'static str {
    if off { "autocommit=0" } else { "autocommit=1" }
}

/// Whether the statement leaves the end of its transaction to others, by its first word; a wrong no costs one round trip.
fn commits_nothing(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_start();
    let is =
        |word: &str| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
    ["SELECT", "UPDATE", "INSERT", "DELETE", "REPLACE"].into_iter().any(is)
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
        assert!(!step.may_pipeline(&accepted, b"SELECT 1", false));
        accepted.add_database("shop_1");
        assert!(step.may_pipeline(&accepted, b" select 1", false));
        assert!(!step.may_pipeline(&accepted, b"DELETE FROM t", false));
        assert!(!step.may_pipeline(&accepted, b"SEL", false));
    }

    #[test]
    fn inside_a_transaction_what_cannot_commit_it_may_follow_too() {
        let accepted = Accepted::default();
        accepted.add_database("shop_1");
        let step = Step::Database("shop_1".into());
        assert!(step.may_pipeline(&accepted, b"delete from t", true));
        for sql in ["CREATE TABLE t (id INT)", "CALL p()", "BEGIN", "DELE"] {
            assert!(!step.may_pipeline(&accepted, sql.as_bytes(), true), "{sql}");
        }
    }

    #[test]
    fn a_branch_may_be_begun_unseen_where_one_was_begun_before() {
        let accepted = Accepted::default();
        let step = Step::Begin("XA START 'a','1'".into());
        assert!(!step.may_pipeline(&accepted, b"UPDATE t SET a = 1", true));
        accepted.add_begin(XA_START);
        assert!(step.may_pipeline(&accepted, b"UPDATE t SET a = 1", true));
        assert!(!step.may_pipeline(&accepted, b"CALL p()", true));
        assert!(!Step::Begin("START TRANSACTION".into()).may_pipeline(&accepted, b"SELECT 1", true));
    }
}
