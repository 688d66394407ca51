//! SET: what is remembered, and replayed on every connection that works for the session.
//!
//! Nothing is remembered that no server has accepted: an unknown variable or a bad value gives the server's own error.
//! As on a server, all values are evaluated before any of them is assigned, and a statement with several assignments
//! takes effect wholly or not at all.

mod accept;
mod characteristics;
mod evaluate;
mod for_statement;
mod switches;
mod system;
mod user;

use serval_remote::{Backend, SessionState};
use serval_sql::{Assignment, LexOptions, Scope, SetValue, TransactionScope};
use serval_types::{ErrorCode, MysqlError};

use super::transaction::commit;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::session::{Characteristics, Own, Session};

pub(super) use for_statement::run as run_for_statement;
pub(crate) use user::user_variable;

/// How much a session's variables may take in all. They are sent again whenever a connection changes hands.
const STATE_BYTES: usize = 1024 * 1024;

/// Character sets that every server knows.
const KNOWN_CHARSETS: [&str; 7] = ["default", "utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary"];

/// A statement's text: as the client sent it, and byte for byte the same as the parser read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) sql: &'a [u8],
    pub(super) readable: &'a str,
}

/// What a SET may change, to go back to when one of its assignments fails.
#[derive(Clone)]
struct Before {
    state: SessionState,
    options: LexOptions,
    autocommit: bool,
    own: Own,
    next_transaction: Characteristics,
    insert_id: u64,
}

/// Makes all assignments, or none.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    assignments: Vec<Assignment>,
) -> Result<(), Failure> {
    let before = Before::of(session);
    let kept = session.last.warnings();
    let result = assign_all(session, text, assignments).await;
    session.last.keep(kept, session.proxy.flavour());
    if result.is_err() {
        before.restore(session);
        return result.map(drop);
    }
    if result? && session.transaction.is_open() {
        // Switching autocommit on ends what it had left open.
        commit(session).await?;
    }
    Ok(())
}

/// An assignment with its value evaluated.
enum Ready {
    /// SET NAMES, SET CHARACTER SET, SET TRANSACTION.
    AsIs(Assignment),
    /// A system variable of the session.
    Variable(String, Option<String>),
    /// A variable of the next transaction.
    Next(String, String),
    /// A user variable.
    User(String, String),
}

/// Makes them; whether autocommit, off before or because of one of them, was switched on.
async fn assign_all<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    assignments: Vec<Assignment>,
) -> Result<bool, Failure> {
    session.last.changed(0, 0, 0);
    for assignment in &assignments {
        check(session, assignment)?;
    }
    let old = session.state.clone();
    let mut users = user::evaluate(session, text, &assignments).await?.into_iter();
    let mut ready = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        ready.push(match assignment {
            Assignment::UserVariable { name, .. } => {
                let value = users.next().unwrap_or_else(|| "NULL".to_owned());
                Ready::User(name, value)
            }
            Assignment::Variable { scope, name, value } => {
                let literal = value_of(session, text, &value).await?;
                match (scope, literal) {
                    (Scope::NextTransaction, Some(literal)) => Ready::Next(name, literal),
                    (Scope::NextTransaction, None) => {
                        let literal =
                            evaluate::evaluate(session, format!("@@global.{name}").as_bytes()).await?;
                        Ready::Next(name, literal)
                    }
                    (_, literal) => Ready::Variable(name, literal),
                }
            }
            other => Ready::AsIs(other),
        });
    }
    let mut proof = accept::Proof::new(old);
    let mut switched_on = false;
    for assignment in ready {
        let was_off = !session.autocommit;
        assign(session, assignment, &mut proof).await?;
        switched_on |= was_off && session.autocommit;
    }
    session.refresh_options();
    check_size(&session.state)?;
    proof.run(session).await?;
    Ok(switched_on)
}

/// The literal of a system variable's new value; `None` is DEFAULT.
async fn value_of<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    value: &SetValue,
) -> Result<Option<String>, Failure> {
    match value.kind {
        serval_sql::SetKind::Default => Ok(None),
        _ => Ok(Some(evaluate::literal_of(session, text, value).await?)),
    }
}

/// What can be said before anything is evaluated.
fn check<B: Backend>(session: &Session<B>, assignment: &Assignment) -> Result<(), Failure> {
    match assignment {
        Assignment::Variable { scope: Scope::Session, name, .. } => system::check(name),
        Assignment::Variable { scope: Scope::NextTransaction, .. } if session.transaction.is_open() => {
            Err(Failure::Told(characteristics::in_progress()))
        }
        Assignment::Variable { scope: Scope::NextTransaction, .. } => Ok(()),
        Assignment::Variable { name, .. } => Err(refused(format!(
            "SET GLOBAL and PERSIST concern one server; set {name} on the servers, or SET SESSION here"
        ))),
        Assignment::Transaction { scope: TransactionScope::Global, .. } => {
            Err(refused("SET GLOBAL TRANSACTION concerns one server; use SET SESSION TRANSACTION"))
        }
        Assignment::Transaction { scope: TransactionScope::NextOnly, .. }
            if session.transaction.is_open() =>
        {
            Err(Failure::Told(characteristics::in_progress()))
        }
        _ => Ok(()),
    }
}

async fn assign<B: Backend>(
    session: &mut Session<B>,
    assignment: Ready,
    proof: &mut accept::Proof,
) -> Result<(), Failure> {
    match assignment {
        Ready::User(name, value) => session.state = session.state.with(&user_variable(&name), &value),
        Ready::Variable(name, literal) => {
            system::set_variable(session, &name, literal.as_deref(), proof)?;
        }
        Ready::Next(name, literal) => characteristics::set_next(session, &name, &literal)?,
        Ready::AsIs(Assignment::Names { charset, collation }) => {
            session.state = charset::set_names(&session.state, &charset, collation.as_deref());
            // MySQL warns of utf8mb3.
            let warns =
                !session.proxy.flavour().is_mariadb() && charset.starts_with("utf8") && charset != "utf8mb4";
            if collation.is_some() || warns || !KNOWN_CHARSETS.contains(&&*charset) {
                proof.needs_names(&session.state);
            }
        }
        Ready::AsIs(Assignment::CharacterSet(charset)) => {
            system::set_character_set(session, &charset).await?;
            proof.needs_names(&session.state);
        }
        Ready::AsIs(Assignment::Transaction { scope, isolation, read_only }) => {
            characteristics::set_transaction(session, scope, isolation, read_only, proof);
        }
        Ready::AsIs(_) => {}
    }
    Ok(())
}

/// Checks that a session's variables do not outgrow what is sent with statements.
///
/// # Errors
/// 1041.
pub(crate) fn check_size(state: &SessionState) -> Result<(), MysqlError> {
    let bytes: usize = state.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes <= STATE_BYTES {
        return Ok(());
    }
    Err(MysqlError::new(
        ErrorCode::CapacityExceeded,
        format!("The session's variables exceed {STATE_BYTES} bytes; keep large values in a table"),
    ))
}

impl Before {
    fn of<B: Backend>(session: &Session<B>) -> Self {
        Self {
            state: session.state.clone(),
            options: session.options,
            autocommit: session.autocommit,
            own: session.own.clone(),
            next_transaction: session.next_transaction.clone(),
            insert_id: session.last.insert_id,
        }
    }

    fn restore<B: Backend>(self, session: &mut Session<B>) {
        session.state = self.state;
        session.options = self.options;
        session.autocommit = self.autocommit;
        session.own = self.own;
        session.next_transaction = self.next_transaction;
        session.last.insert_id = self.insert_id;
    }
}
