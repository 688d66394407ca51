//! What is said of transactions: SET TRANSACTION, and the variables that stand for it.
//!
//! `SET TRANSACTION …` and `SET @@tx_isolation = …` are of the next transaction only, and no variable shows what they said.
//! `SET SESSION TRANSACTION …`, `SET tx_isolation = …` and `SET @@session.tx_isolation = …` are of all that follow.

use serval_remote::Backend;
use serval_sql::TransactionScope;
use serval_types::MysqlError;

use super::accept::Proof;
use crate::session::{Session, isolation_level, wrong_type, wrong_value};

/// SET TRANSACTION and SET SESSION TRANSACTION.
pub(super) fn set_transaction<B: Backend>(
    session: &mut Session<B>,
    scope: TransactionScope,
    isolation: Option<String>,
    read_only: Option<bool>,
    proof: &mut Proof,
) {
    if scope == TransactionScope::NextOnly {
        let next = &mut session.next_transaction;
        next.isolation = isolation.or(next.isolation.take());
        next.read_only = read_only.or(next.read_only);
        return;
    }
    let flavour = session.proxy.flavour();
    if let Some(isolation) = isolation {
        let value = format!("'{isolation}'");
        note_session(session, flavour.isolation_variable());
        session.state = session.state.with(flavour.isolation_variable(), &value);
        proof.needs(flavour.isolation_variable(), &value);
    }
    if let Some(read_only) = read_only {
        let value = if read_only { "1" } else { "0" };
        note_session(session, flavour.read_only_variable());
        session.state = session.state.with(flavour.read_only_variable(), value);
        proof.needs(flavour.read_only_variable(), value);
    }
}

/// A variable is set for the session. Said last, that holds for the next transaction too. While one is open,
/// `next_transaction` is about that one.
pub(super) fn note_session<B: Backend>(session: &mut Session<B>, name: &str) {
    if session.transaction.is_open() {
        return;
    }
    match name {
        "tx_isolation" | "transaction_isolation" => session.next_transaction.isolation = None,
        "tx_read_only" | "transaction_read_only" => session.next_transaction.read_only = None,
        _ => {}
    }
}

/// `SET @@tx_isolation = …` and its like, to a literal.
///
/// # Errors
/// 1193, 1231 and 1232, as servers say them.
pub(super) fn set_next<B: Backend>(
    session: &mut Session<B>,
    name: &str,
    literal: &str,
) -> Result<(), MysqlError> {
    let flavour = session.proxy.flavour();
    if name == flavour.isolation_variable() {
        session.next_transaction.isolation = Some(level(name, literal)?);
    } else if name == flavour.read_only_variable() {
        session.next_transaction.read_only = Some(switch(name, literal)?);
    } else {
        // ER_UNKNOWN_SYSTEM_VARIABLE.
        let message = format!("Unknown system variable '{name}'");
        return Err(MysqlError { number: 1193, sqlstate: *b"HY000", message });
    }
    Ok(())
}

fn level(name: &str, literal: &str) -> Result<String, MysqlError> {
    if is_fraction(literal) {
        return Err(wrong_type(name));
    }
    let level = isolation_level(literal).ok_or_else(|| wrong_value(name, literal.trim_matches('\'')))?;
    Ok(level.to_owned())
}

fn switch(name: &str, literal: &str) -> Result<bool, MysqlError> {
    if is_fraction(literal) {
        return Err(wrong_type(name));
    }
    super::system::switch(literal, name)
}

/// Whether it is a number that is no integer.
fn is_fraction(literal: &str) -> bool {
    literal.parse::<i64>().is_err() && literal.parse::<f64>().is_ok()
}

/// ER_CANT_CHANGE_TX_CHARACTERISTICS.
pub(super) fn in_progress() -> MysqlError {
    MysqlError {
        number: 1568,
        sqlstate: *b"25001",
        message: "Transaction characteristics can't be changed while a transaction is in progress".to_owned(),
    }
}
