//! The connections of one write on several groups.

use bytes::Bytes;
use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::{Access, Backend, RemoteError, SessionState};
use serval_transaction::{CommitError, Transaction};
use serval_types::GroupId;
use serval_wire::response::{Completion, CompletionKind};

use crate::context::Context;
use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;

use super::warnings::{Places, Warnings};

/// Marks where a statement began, on each of its groups. Clients do not see it, and their own savepoints stay.
const SAVEPOINT: &[u8] = b"SAVEPOINT serval_statement";
const ROLLBACK_TO: &[u8] = b"ROLLBACK TO SAVEPOINT serval_statement";
const RELEASE: &[u8] = b"RELEASE SAVEPOINT serval_statement";

/// One connection per group, kept until the statement has ended everywhere: were they returned one by one, a
/// statement given up between two groups would stay half done in a transaction that goes on.
pub(crate) struct Links<B: Backend> {
    links: Vec<(GroupId, Link<B>)>,
    savepoints: bool,
}

impl<B: Backend> Links<B> {
    /// Connections of a transaction that lives for this statement alone.
    pub(crate) fn new() -> Self {
        Self { links: Vec::new(), savepoints: false }
    }

    /// Connections of the client's transaction, where this statement can be undone by itself.
    pub(crate) fn with_savepoints() -> Self {
        Self { links: Vec::new(), savepoints: true }
    }

    /// Runs a target's statement on the connection of its group.
    pub(crate) async fn run(
        &mut self,
        target: &Target,
        tables: &[PlanTable],
        context: &mut Context<'_, B>,
    ) -> Result<Completion, ExecuteError> {
        let completion = self.run_with_rows(target, tables, context, |_| Ok(())).await?;
        match completion.kind {
            CompletionKind::ResultSet => Err(ExecuteError::refused(
                "A write that gives rows (RETURNING) cannot run on several shards; name one shard in WHERE",
            )),
            _ => Ok(completion),
        }
    }

    /// The same for a statement that may give rows; `each` takes the packets of its answer.
    pub(crate) async fn run_with_rows(
        &mut self,
        target: &Target,
        tables: &[PlanTable],
        context: &mut Context<'_, B>,
        mut each: impl FnMut(Bytes) -> Result<(), ExecuteError>,
    ) -> Result<Completion, ExecuteError> {
        let node = context.catalog.node(target.node);
        let names = Names::of(context.catalog, tables, target);
        let query = context.query(target);
        let link = self.link(node.group, context).await.map_err(|error| names.map_remote(error))?;
        let lost = |error| names.map_remote(error);
        link.send(&query).await.map_err(lost)?;
        // An answer that is too much is read to its end all the same, so that the statement can be undone.
        let mut taken = Ok(());
        let completion = loop {
            let burst = link.read_burst().await.map_err(lost)?;
            if taken.is_ok() {
                taken = each(burst.bytes.freeze());
            }
            if let Some(completion) = burst.completion {
                break completion;
            }
        };
        match (&completion.error, completion.kind) {
            (Some(error), _) => Err(ExecuteError::Server(names.map_error(error.to_mysql()))),
            (None, CompletionKind::LocalInfile) => Err(ExecuteError::local_infile()),
            (None, _) => taken.map(|()| completion),
        }
    }

    /// Takes over what the target's server has warned of.
    pub(crate) async fn warnings(
        &mut self,
        target: &Target,
        tables: &[PlanTable],
        context: &mut Context<'_, B>,
        places: Places<'_>,
        warnings: &mut Warnings,
    ) -> Result<(), ExecuteError> {
        let names = Names::of(context.catalog, tables, target);
        let group = context.catalog.node(target.node).group;
        let link = self.link(group, context).await.map_err(|error| names.map_remote(error))?;
        warnings.ask(link, context.state, &names, places).await
    }

    /// The connection of a group; the first time, after marking where the statement began.
    pub(crate) async fn link(
        &mut self,
        group: GroupId,
        context: &mut Context<'_, B>,
    ) -> Result<&mut Link<B>, RemoteError> {
        let at = match self.links.iter().position(|(known, _)| *known == group) {
            Some(at) => at,
            None => {
                let link = Link::open(context, group, Access::Primary).await?;
                self.links.push((group, link));
                let at = self.links.len() - 1;
                if self.savepoints {
                    succeed(&mut self.links[at].1, context.state, SAVEPOINT).await?;
                }
                at
            }
        };
        Ok(&mut self.links[at].1)
    }

    /// Keeps or undoes what the statement did, where its beginning is marked. Where undoing fails the transaction is doomed, because it would hold
    /// half a statement.
    pub(crate) async fn end_statement(
        &mut self,
        context: &mut Context<'_, B>,
        keep: bool,
    ) -> Result<(), ExecuteError> {
        if !self.savepoints || self.links.iter().any(|(_, link)| link.ended_transaction()) {
            // Nothing is left to undo to.
            return Ok(());
        }
        for (group, link) in &mut self.links {
            let statements = if keep { &[RELEASE][..] } else { &[ROLLBACK_TO, RELEASE] };
            for sql in statements {
                if let Err(error) = succeed(link, context.state, sql).await {
                    context.transaction.mark_lost(*group);
                    return Err(ExecuteError::Remote(error));
                }
            }
        }
        Ok(())
    }

    /// Gives all connections back, one that failed last: a deadlock on it rolls the others back.
    pub(crate) async fn close(self, transaction: &mut Transaction<B>) -> Result<(), CommitError> {
        let (failed, others): (Vec<_>, Vec<_>) =
            self.links.into_iter().partition(|(_, link)| link.has_failed());
        let mut result = Ok(());
        for (_, link) in others.into_iter().chain(failed) {
            result = link.close(transaction).await.and(result);
        }
        result
    }
}

/// Runs a statement and throws away what comes before the end of its answer.
pub(crate) async fn exchange<B: Backend>(
    link: &mut Link<B>,
    query: &Query<'_>,
) -> Result<Completion, RemoteError> {
    link.send(query).await?;
    loop {
        if let Some(completion) = link.read_burst().await?.completion {
            return Ok(completion);
        }
    }
}

/// Runs a statement whose error is a failure like any other.
async fn succeed<B: Backend>(
    link: &mut Link<B>,
    state: &SessionState,
    sql: &[u8],
) -> Result<(), RemoteError> {
    let completion = exchange(link, &Query::internal(state, sql)).await?;
    completion.error.map_or(Ok(()), |error| Err(RemoteError::Refused(error.to_mysql())))
}
