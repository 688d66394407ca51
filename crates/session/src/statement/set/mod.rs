//! SET: what is remembered, and replayed on every connection that works for the session.
//!
//! Nothing is remembered that no server has accepted: an unknown variable or a bad value gives the server's own error.
//! As on a server, a statement with several assignments takes effect wholly or not at all.

mod accept;
mod system;
mod value;

use std::time::Duration;

use serval_remote::{Backend, SessionState};
use serval_sql::{Assignment, LexOptions, Scope, TransactionScope};
use serval_types::{ErrorCode, MysqlError};

use super::transaction::commit;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::session::{Characteristics, Session};

/// How much a session's variables may take in all. They are sent again whenever a connection changes hands.
const STATE_BYTES: usize = 1024 * 1024;

/// Character sets that every server knows.
const KNOWN_CHARSETS: [&str; 7] = ["default", "utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary"];

/// What a SET may change, to go back to when one of its assignments fails.
#[derive(Clone)]
struct Before {
    state: SessionState,
    options: LexOptions,
    autocommit: bool,
    idle: Option<Duration>,
    next_transaction: Characteristics,
    insert_id: u64,
}

/// Makes all assignments, or none.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    assignments: Vec<Assignment>,
) -> Result<(), Failure> {
    let before = Before::of(session);
    let result = assign_all(session, text, assignments).await;
    if result.is_err() {
        before.restore(session);
        return result;
    }
    if session.autocommit && !before.autocommit && session.transaction.is_open() {
        // Switching autocommit on ends what it had left open.
        commit(session).await?;
    }
    Ok(())
}

async fn assign_all<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    assignments: Vec<Assignment>,
) -> Result<(), Failure> {
    let mut unproven = false;
    for assignment in assignments {
        unproven |= assign(session, text, assignment).await?;
    }
    check_size(&session.state)?;
    if unproven { accept::prove(session).await } else { Ok(()) }
}

/// Makes one assignment; whether a server has yet to accept it.
async fn assign<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    assignment: Assignment,
) -> Result<bool, Failure> {
    match assignment {
        Assignment::Names { charset, collation } => {
            session.state = charset::set_names(&session.state, &charset, collation.as_deref())?;
            Ok(collation.is_some() || !KNOWN_CHARSETS.contains(&&*charset))
        }
        Assignment::CharacterSet(charset) => {
            system::set_character_set(session, &charset).await?;
            Ok(true)
        }
        Assignment::Variable { scope: Scope::Session, name, value } => {
            system::set_variable(session, text, &name, &value).await
        }
        Assignment::Variable { name, .. } => Err(refused(format!(
            "SET GLOBAL and PERSIST concern one server; set {name} on the servers, or SET SESSION here"
        ))),
        Assignment::UserVariable { name, value } => {
            let value = value::literal_of(session, text, &value).await?;
            session.state = session.state.with(&user_variable(&name), &value);
            Ok(false)
        }
        Assignment::Transaction { scope, isolation, read_only } => {
            set_transaction(session, scope, isolation, read_only)
        }
    }
}

fn set_transaction<B: Backend>(
    session: &mut Session<B>,
    scope: TransactionScope,
    isolation: Option<String>,
    read_only: Option<bool>,
) -> Result<bool, Failure> {
    match scope {
        TransactionScope::Global => {
            Err(refused("SET GLOBAL TRANSACTION concerns one server; use SET SESSION TRANSACTION"))
        }
        TransactionScope::NextOnly if session.transaction.is_open() => Err(Failure::Told(in_progress())),
        TransactionScope::NextOnly => {
            let next = &mut session.next_transaction;
            next.isolation = isolation.or(next.isolation.take());
            next.read_only = read_only.or(next.read_only);
            Ok(false)
        }
        TransactionScope::Session => {
            let flavour = session.proxy.flavour();
            if let Some(isolation) = isolation {
                session.state = session.state.with(flavour.isolation_variable(), &format!("'{isolation}'"));
            }
            if let Some(read_only) = read_only {
                let value = if read_only { "1" } else { "0" };
                session.state = session.state.with(flavour.read_only_variable(), value);
            }
            Ok(true)
        }
    }
}

/// The name under which a user variable is replayed.
pub(super) fn user_variable(name: &str) -> String {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { format!("@{name}") } else { format!("@{}", crate::literal::identifier(name)) }
}

fn check_size(state: &SessionState) -> Result<(), MysqlError> {
    let bytes: usize = state.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes <= STATE_BYTES {
        return Ok(());
    }
    Err(MysqlError::new(
        ErrorCode::CapacityExceeded,
        format!("The session's variables exceed {STATE_BYTES} bytes; keep large values in a table"),
    ))
}

fn in_progress() -> MysqlError {
    // ER_CANT_CHANGE_TX_CHARACTERISTICS.
    MysqlError {
        number: 1568,
        sqlstate: *b"25001",
        message: "Transaction characteristics can't be changed while a transaction is in progress".to_owned(),
    }
}

impl Before {
    fn of<B: Backend>(session: &Session<B>) -> Self {
        Self {
            state: session.state.clone(),
            options: session.options,
            autocommit: session.autocommit,
            idle: session.idle,
            next_transaction: session.next_transaction.clone(),
            insert_id: session.last.insert_id,
        }
    }

    fn restore<B: Backend>(self, session: &mut Session<B>) {
        session.state = self.state;
        session.options = self.options;
        session.autocommit = self.autocommit;
        session.idle = self.idle;
        session.next_transaction = self.next_transaction;
        session.last.insert_id = self.insert_id;
    }
}
