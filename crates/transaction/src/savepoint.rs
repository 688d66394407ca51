//! SAVEPOINT, ROLLBACK TO and RELEASE over all participants.

use std::sync::Arc;

use serval_remote::{Backend, Connection, RemoteError, Request, SessionState};
use serval_types::MysqlError;

use crate::exchange::exchange;
use crate::transaction::{State, Transaction};

/// The savepoints that are set, oldest first. A group that joins later gets them replayed, so that every name
/// means the same moment on all groups.
#[derive(Debug, Default)]
pub(crate) struct Savepoints {
    names: Vec<Box<str>>,
}

impl Savepoints {
    /// Sets what is set here on a connection that joins. Gives back the statement that still has to open the
    /// transaction: none, if setting the savepoints did.
    pub(crate) async fn replay<C: Connection>(
        &self,
        mut begin: Option<Arc<str>>,
        connection: &mut C,
        state: &SessionState,
    ) -> Result<Option<Arc<str>>, RemoteError> {
        for name in &self.names {
            let sql = statement("SAVEPOINT", name);
            let request = Request {
                database: None,
                state,
                begin: begin.as_deref(),
                sql: sql.as_bytes(),
                execution: None,
            };
            exchange(connection, &request).await?.map_err(RemoteError::Refused)?;
            begin = None;
        }
        Ok(begin)
    }

    fn position(&self, name: &str) -> Option<usize> {
        // Servers compare these names without case.
        self.names.iter().position(|known| known.to_lowercase() == name.to_lowercase())
    }

    fn set(&mut self, name: &str) {
        if let Some(at) = self.position(name) {
            self.names.remove(at);
        }
        self.names.push(name.into());
    }
}

impl<B: Backend> Transaction<B> {
    /// SAVEPOINT: sets `name`, given without quotes, on every participant and notes it for those to come. Outside a
    /// transaction it does nothing, as in MySQL.
    ///
    /// # Errors
    /// A server's refusal, or 1105 where the transaction is or thereby becomes doomed.
    pub async fn savepoint(&mut self, name: &str) -> Result<(), RemoteError> {
        self.on_all(&statement("SAVEPOINT", name)).await?;
        if let State::Open(open) = &mut self.state {
            open.savepoints.set(name);
        }
        Ok(())
    }

    /// ROLLBACK TO SAVEPOINT: undoes what came after it, on every participant.
    ///
    /// # Errors
    /// 1305 where no such savepoint is set; otherwise as [`Transaction::savepoint`].
    pub async fn rollback_to(&mut self, name: &str) -> Result<(), RemoteError> {
        self.known(name)?;
        self.on_all(&statement("ROLLBACK TO SAVEPOINT", name)).await?;
        if let State::Open(open) = &mut self.state {
            let keep = open.savepoints.position(name).map_or(0, |at| at + 1);
            open.savepoints.names.truncate(keep);
        }
        Ok(())
    }

    /// RELEASE SAVEPOINT: forgets it and those set after it; nothing is undone.
    ///
    /// # Errors
    /// As [`Transaction::rollback_to`].
    pub async fn release(&mut self, name: &str) -> Result<(), RemoteError> {
        self.known(name)?;
        self.on_all(&statement("RELEASE SAVEPOINT", name)).await?;
        if let State::Open(open) = &mut self.state {
            let keep = open.savepoints.position(name).unwrap_or(0);
            open.savepoints.names.truncate(keep);
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Result<(), RemoteError> {
        let known = match &self.state {
            State::Open(open) => open.savepoints.position(name).is_some(),
            State::Doomed(_) => true,
            State::Closed => false,
        };
        if known { Ok(()) } else { Err(RemoteError::Refused(unknown(name))) }
    }

    async fn on_all(&mut self, sql: &str) -> Result<(), RemoteError> {
        self.notice_lost_loans();
        let open = match &mut self.state {
            State::Closed => return Ok(()),
            State::Doomed(doomed) => return Err(RemoteError::Refused(doomed.error())),
            State::Open(open) => open,
        };
        let mut failed = None;
        for participant in &mut open.participants {
            if let Err(error) =
                participant.run(sql).await.and_then(|answer| answer.map_err(RemoteError::Refused))
            {
                failed = Some((participant.group, error));
                break;
            }
        }
        let Some((group, error)) = failed else { return Ok(()) };
        // The name now means different moments on different groups: nothing can be undone to it any more.
        self.doom(group, "did not follow a savepoint");
        Err(error)
    }
}

/// ER_SP_DOES_NOT_EXIST, in the server's words.
fn unknown(name: &str) -> MysqlError {
    MysqlError { number: 1305, sqlstate: *b"42000", message: format!("SAVEPOINT {name} does not exist") }
}

fn statement(verb: &str, name: &str) -> String {
    format!("{verb} `{}`", name.replace('`', "``"))
}
