//! Hints of a statement, as far as the session heeds them itself; where it goes is the planner's.

use std::time::Duration;

use serval_remote::Backend;
use serval_sql::{HintedServer, Hints, LexOptions, Scan, StatementClass};
use serval_types::{ErrorCode, MysqlError};

use crate::session::Session;

/// The hints that a statement has.
///
/// # Errors
/// 1210 for those that are not understood.
pub(crate) fn of(scan: &Scan) -> Result<Option<&Hints>, MysqlError> {
    let Some(hints) = &scan.hints else { return Ok(None) };
    hints.as_ref().as_ref().map(Some).map_err(|error| wrong(error.to_string()))
}

/// The hints of a statement that reads or changes rows; `into` variables it takes none for a place.
pub(super) fn of_rows(scan: &Scan, into: bool) -> Result<Option<&Hints>, MysqlError> {
    let hints = of(scan)?;
    if into {
        refuse_places(hints, "SELECT … INTO")?;
    }
    Ok(hints)
}

/// Refuses hints for what has no use of them.
pub(super) fn check_class(scan: &Scan) -> Result<(), MysqlError> {
    of(scan)?;
    match scan.class {
        // They are about the statement inside.
        StatementClass::Explain | StatementClass::Describe | StatementClass::Analyze => Ok(()),
        _ => Err(wrong(
            "A hint for the proxy is for SELECT, INSERT, REPLACE, UPDATE and DELETE, and EXPLAIN of these; leave it out here",
        )),
    }
}

/// Refuses hints that say where a statement goes.
pub(crate) fn refuse_places(hints: Option<&Hints>, what: &str) -> Result<(), MysqlError> {
    match hints {
        Some(hints) if hints.places() => Err(wrong(format!(
            "{what} takes no hint for a data node or shard; leave the hint out, or restrict the statement with WHERE"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a time limit for one of several statements, which the limit of all of them would have to be kept beside.
pub(super) fn refuse_timeout(scan: &Scan) -> Result<(), MysqlError> {
    match of(scan)? {
        Some(hints) if hints.timeout.is_some() => {
            Err(wrong("The hint timeout is for a statement that is sent alone; send it by itself"))
        }
        _ => Ok(()),
    }
}

/// Which servers a statement asks for.
///
/// # Errors
/// 1210 for a replica inside of a transaction, whose own writes it does not have.
pub(super) fn server<B: Backend>(
    session: &Session<B>,
    hints: Option<&Hints>,
) -> Result<Option<HintedServer>, MysqlError> {
    let asked = hints.and_then(|hints| hints.server);
    if asked == Some(HintedServer::Replica) && session.transaction.is_open() {
        return Err(wrong(
            "The hint replica inside of a transaction: a replica does not have the transaction's own writes; COMMIT first, or \
             leave the hint out",
        ));
    }
    Ok(asked)
}

/// How long a text may run: the shorter of the limit that holds anyway and the one that its hint says.
pub(crate) fn limit(limit: Option<Duration>, sql: &[u8], options: LexOptions) -> Option<Duration> {
    // Nearly no statement has one, and all of them come by here.
    if !memchr::memchr_iter(b'/', sql).any(|at| sql[at..].starts_with(b"/*+")) {
        return limit;
    }
    let hinted = serval_sql::scan(sql, options).ok().and_then(|scan| of(&scan).ok().flatten()?.timeout);
    limit.into_iter().chain(hinted).min()
}

fn wrong(message: impl Into<String>) -> MysqlError {
    MysqlError::new(ErrorCode::WrongArguments, message.into())
}
