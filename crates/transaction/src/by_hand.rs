//! Transactions in doubt that a person decides, because the group that could say what was decided is gone.

use serval_remote::{Backend, RemoteError};
use serval_types::{ErrorCode, MysqlError};

use crate::coordinator::Coordinator;
use crate::gtrid::Gtrid;
use crate::identity::Identity;
use crate::record::{self, Verdict};
use crate::recovery::DECIDE;

impl<B: Backend> Coordinator<B> {
    /// Decides a transaction by hand and finishes its branches: how many there were.
    ///
    /// As long as the group that keeps the record answers, the record counts, and where there is none nothing was
    /// committed: whoever wants otherwise is refused, or half of the transaction would stay. Where that group is unknown
    /// here or cannot be reached, `wanted` is done: nobody else will decide it.
    ///
    /// # Errors
    /// 1210 for what is no transaction in doubt, or where the record says otherwise; otherwise what the groups said.
    pub async fn resolve(&self, gtrid: &str, wanted: Verdict) -> Result<u64, MysqlError> {
        let gtrid =
            Gtrid::parse(gtrid).ok_or_else(|| wrong(format!("'{gtrid}' is no name of a transaction")))?;
        if self.running.lock().contains_key(&gtrid) {
            return Err(wrong(format!("Transaction {gtrid} is being committed by a session of this proxy")));
        }
        self.round().await;
        let branches = self.branches(&gtrid);
        let was_lost = self.losses.lock().remove(&gtrid).is_some();
        if branches.is_empty() && was_lost {
            // Somebody has seen it; nothing is left that could be done here.
            return Ok(0);
        }
        if branches.is_empty() {
            return Err(wrong(format!(
                "Transaction {gtrid} has no prepared branch on a group that answers; there is nothing to resolve"
            )));
        }
        if let Some(place) = self.place(gtrid.uuid()).await {
            self.agree(&place, &gtrid, wanted).await?;
        }
        tracing::warn!(%gtrid, verdict = wanted.word(), "a transaction is resolved by hand");
        for (group, branch) in &branches {
            self.finish(*group, branch, wanted).await.map_err(|error| error.to_mysql())?;
        }
        Ok(branches.len() as u64)
    }

    /// Whether the record, where it can be read, says the same.
    async fn agree(&self, place: &Identity, gtrid: &Gtrid, wanted: Verdict) -> Result<(), MysqlError> {
        // Nothing is decided for somebody who would not have it so.
        let found = match record::read(&*self.backend, place, gtrid, DECIDE).await {
            Ok(None) if wanted == Verdict::Commit => Ok(None),
            Ok(_) => self.settle(place, gtrid, wanted, DECIDE).await.map(Some),
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(verdict)) if verdict == wanted => Ok(()),
            Ok(Some(verdict)) => Err(wrong(format!(
                "The record of transaction {gtrid} says {}; resolve it that way",
                verdict.word()
            ))),
            Ok(None) => Err(wrong(format!(
                "The group that would have recorded a commit of transaction {gtrid} has no record of it, nor its rows: \
                 resolve it with rollback, as recovery will"
            ))),
            Err(RemoteError::Unavailable { group, reason }) => {
                tracing::warn!(%gtrid, group, reason, "nobody can say what was decided");
                Ok(())
            }
            // That group is there: what a person says now could contradict what it says in a moment.
            Err(error) => Err(error.to_mysql()),
        }
    }
}

fn wrong(text: String) -> MysqlError {
    MysqlError::new(ErrorCode::WrongArguments, text)
}
