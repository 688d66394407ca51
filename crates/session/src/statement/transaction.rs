//! BEGIN, COMMIT, ROLLBACK and SAVEPOINT.

use serval_remote::Backend;
use serval_sql::TransactionStatement;

use crate::failure::{Failure, refused};
use crate::session::Session;

/// Opens, ends or marks the session's transaction.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    statement: &TransactionStatement,
) -> Result<(), Failure> {
    match statement {
        TransactionStatement::Begin { read_only, snapshot } => begin(session, *read_only, *snapshot).await,
        TransactionStatement::Commit { chain, release } => {
            check_simple(*chain, *release)?;
            commit(session).await
        }
        TransactionStatement::Rollback { chain, release } => {
            check_simple(*chain, *release)?;
            rollback(session).await;
            Ok(())
        }
        // Outside a transaction there is nothing that a savepoint could mark, and servers say OK to it.
        TransactionStatement::Savepoint(name) if session.transaction.is_open() || !session.autocommit => {
            open_if_implicit(session);
            Ok(session.transaction.savepoint(name).await.map_err(|error| error.to_mysql())?)
        }
        TransactionStatement::Savepoint(_) => Ok(()),
        TransactionStatement::RollbackTo(name) => {
            Ok(session.transaction.rollback_to(name).await.map_err(|error| error.to_mysql())?)
        }
        TransactionStatement::Release(name) => {
            Ok(session.transaction.release(name).await.map_err(|error| error.to_mysql())?)
        }
    }
}

/// Commits what is open; DDL and BEGIN do so first too.
pub(super) async fn commit<B: Backend>(session: &mut Session<B>) -> Result<(), Failure> {
    let result = session.transaction.commit().await;
    session.transaction_ended();
    Ok(result.map_err(|error| error.to_mysql())?)
}

/// Undoes what is open.
pub(super) async fn rollback<B: Backend>(session: &mut Session<B>) {
    session.transaction.rollback().await;
    session.transaction_ended();
}

async fn begin<B: Backend>(
    session: &mut Session<B>,
    read_only: Option<bool>,
    snapshot: bool,
) -> Result<(), Failure> {
    // What SET TRANSACTION said is for the transaction that begins, not for the one that this commits.
    let next = session.next_transaction.clone();
    if session.transaction.is_open() {
        commit(session).await?;
    }
    let read_only = read_only.or(next.read_only);
    session.next_transaction = next;
    let catalog = session.catalog();
    session.begin(begin_sql(read_only, snapshot), &catalog);
    Ok(())
}

fn begin_sql(read_only: Option<bool>, snapshot: bool) -> &'static str {
    match (snapshot, read_only) {
        (false, None) => "START TRANSACTION",
        (false, Some(true)) => "START TRANSACTION READ ONLY",
        (false, Some(false)) => "START TRANSACTION READ WRITE",
        (true, None) => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        (true, Some(true)) => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        (true, Some(false)) => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE",
    }
}

/// With autocommit off, the first statement opens the transaction.
fn open_if_implicit<B: Backend>(session: &mut Session<B>) {
    if !session.transaction.is_open() {
        let catalog = session.catalog();
        session.begin(begin_sql(session.next_transaction.read_only, false), &catalog);
    }
}

fn check_simple(chain: Option<bool>, release: Option<bool>) -> Result<(), Failure> {
    match (chain, release) {
        (Some(true), _) => Err(refused("AND CHAIN is not supported; say BEGIN after COMMIT or ROLLBACK")),
        (_, Some(true)) => {
            Err(refused("RELEASE is not supported; close the connection after COMMIT or ROLLBACK"))
        }
        _ => Ok(()),
    }
}
