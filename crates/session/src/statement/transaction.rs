//! BEGIN, COMMIT, ROLLBACK and SAVEPOINT.

use serval_remote::Backend;
use serval_sql::TransactionStatement;

use super::lock_tables;
use crate::failure::{Failure, refused};
use crate::session::{Characteristics, Session, begin_sql};

/// How the names of the savepoints begin that Serval sets around statements.
const OWN: &str = "serval_";

/// Opens, ends or marks the session's transaction.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    statement: &TransactionStatement,
) -> Result<(), Failure> {
    if let TransactionStatement::Savepoint(name)
    | TransactionStatement::RollbackTo(name)
    | TransactionStatement::Release(name) = statement
        && name.get(..OWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN))
    {
        return Err(refused(format!(
            "Savepoint {name}: names that begin with {OWN} are those of Serval's own savepoints; use another one"
        )));
    }
    match statement {
        TransactionStatement::Begin { read_only, snapshot } => begin(session, *read_only, *snapshot).await,
        TransactionStatement::Commit { chain, release } => {
            let characteristics = session.next_transaction.clone();
            commit(session).await?;
            complete(session, characteristics, *chain, *release).await
        }
        TransactionStatement::Rollback { chain, release } => {
            let characteristics = session.next_transaction.clone();
            rollback(session).await;
            complete(session, characteristics, *chain, *release).await
        }
        // Outside a transaction there is nothing that a savepoint could mark, and servers say OK to it.
        TransactionStatement::Savepoint(name) if session.transaction.is_open() || !session.autocommit => {
            let catalog = session.catalog();
            session.begin_if_implicit(&catalog);
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
    // What SET TRANSACTION said is for the transaction that begins. Where one is open it was for that one; MariaDB's
    // BEGIN ends it together with that, MySQL's takes it over.
    let mut next = session.next_transaction.clone();
    if session.transaction.is_open() {
        commit(session).await?;
        if session.proxy.flavour().is_mariadb() {
            next = Characteristics::default();
        }
    }
    // As on a server, unlike COMMIT.
    lock_tables::release(session).await?;
    let read_only = read_only.or(next.read_only);
    // Kept for AND CHAIN.
    session.next_transaction = Characteristics { read_only, ..next };
    let catalog = session.catalog();
    session.begin(begin_sql(read_only, snapshot), &catalog);
    Ok(())
}

/// What follows the end of a transaction: another one like it, or the end of the connection. What the statement does
/// not say, completion_type does.
async fn complete<B: Backend>(
    session: &mut Session<B>,
    characteristics: Characteristics,
    chain: Option<bool>,
    release: Option<bool>,
) -> Result<(), Failure> {
    let usual = session.own.value("completion_type").unwrap_or("NO_CHAIN");
    let release = release.unwrap_or(chain != Some(true) && usual == "RELEASE");
    let chain = chain.unwrap_or(!release && usual == "CHAIN");
    if chain {
        // What begins a transaction gives them up, however it is written.
        lock_tables::release(session).await?;
        let catalog = session.catalog();
        session.begin(begin_sql(characteristics.read_only, false), &catalog);
        session.next_transaction = characteristics;
    }
    session.leaving |= release;
    Ok(())
}
